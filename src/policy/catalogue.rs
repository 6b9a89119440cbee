//! The built-in knowledge of services, cookies and session stacks, shared by all sites.

use super::model::CatalogueParts;

/// Compiled once a process; policies look here for what they do not say themselves.
#[derive(Debug)]
pub struct Catalogue {
    parts: CatalogueParts,
}

impl Catalogue {
    /// Builds the indices.
    pub fn compile(parts: CatalogueParts) -> Self {
        Self { parts }
    }

    /// The entry that `uses:` names.
    pub fn service(&self, id: &str) -> Option<&super::CatalogueService> {
        self.parts.services.iter().find(|s| &*s.id == id)
    }
}
