//! The set of categories and services that one request may use. Data only: `consent` makes it.

use super::Owner;
use super::model::{CategoryId, ServiceId};
use crate::fnv;

/// What this request may use. Copying it costs nothing unless the visitor answered for single services.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grant {
    categories: u64,
    /// Services that are granted although their category is not.
    granted: ServiceSet,
    /// Services that are refused although their category is granted.
    refused: ServiceSet,
    /// Vendors of the IAB without consent, by their numbers, sorted; of those whom the catalogue knows.
    vendors: Vec<u16>,
}

impl Grant {
    /// Nothing at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a category.
    pub fn grant_category(&mut self, id: CategoryId) {
        self.categories |= 1 << id.0;
    }

    /// Removes a category; services granted by name stay.
    pub fn refuse_category(&mut self, id: CategoryId) {
        self.categories &= !(1 << id.0);
    }

    /// Grants one service whatever its category.
    pub fn grant_service(&mut self, id: ServiceId) {
        self.refused.remove(id);
        self.granted.insert(id);
    }

    /// Refuses one service whatever its category.
    pub fn refuse_service(&mut self, id: ServiceId) {
        self.granted.remove(id);
        self.refused.insert(id);
    }

    /// Refuses what the catalogue knows to be of these vendors of the IAB, sorted, but for what is required.
    pub fn refuse_vendors(&mut self, vendors: &[u16]) {
        self.vendors = vendors.to_vec();
    }

    /// Takes back what was refused to one vendor.
    pub fn grant_vendor(&mut self, vendor: u16) {
        self.vendors.retain(|refused| *refused != vendor);
    }

    /// The vendors of the IAB without consent.
    pub fn refused_vendors(&self) -> &[u16] {
        &self.vendors
    }

    /// Whether the category as a whole is granted.
    pub fn has_category(&self, id: CategoryId) -> bool {
        self.categories & (1 << id.0) != 0
    }

    /// Whether each of a policy's categories is granted, and neither a service nor a vendor refused by name.
    pub fn covers(&self, categories: usize) -> bool {
        (0..categories).all(|index| self.categories & (1 << index) != 0)
            && self.refused.words().next().is_none()
            && self.vendors.is_empty()
    }

    /// Whether a cookie or tag of this owner may pass. The service's own answer wins over its category's.
    pub fn allows(&self, owner: Owner) -> bool {
        match owner.service {
            Some(id) if self.refused.contains(id) => false,
            Some(id) if self.granted.contains(id) => true,
            _ => self.has_category(owner.category),
        }
    }

    /// What was answered for the service itself, where its category does not say it.
    pub fn answer(&self, id: ServiceId) -> Option<bool> {
        match (self.refused.contains(id), self.granted.contains(id)) {
            (true, _) => Some(false),
            (_, true) => Some(true),
            _ => None,
        }
    }

    /// A short hash for validators: equal grants of equal policies give equal text.
    pub fn digest(&self, policy: u64) -> u32 {
        let words = std::iter::once(policy)
            .chain(std::iter::once(self.categories))
            .chain(self.granted.words())
            .chain(std::iter::once(u64::MAX))
            .chain(self.refused.words())
            .chain(self.vendors.iter().map(|vendor| u64::MAX - u64::from(*vendor)));
        let hash = fnv::add(fnv::START, words.flat_map(u64::to_le_bytes));
        (hash ^ (hash >> 32)) as u32
    }
}

/// A bit set that allocates only when it holds something.
#[derive(Debug, Clone, Default)]
struct ServiceSet(Vec<u64>);

impl ServiceSet {
    fn insert(&mut self, id: ServiceId) {
        let (word, bit) = Self::place(id);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    fn remove(&mut self, id: ServiceId) {
        let (word, bit) = Self::place(id);
        if let Some(w) = self.0.get_mut(word) {
            *w &= !bit;
        }
    }

    fn contains(&self, id: ServiceId) -> bool {
        let (word, bit) = Self::place(id);
        self.0.get(word).is_some_and(|w| w & bit != 0)
    }

    /// Without trailing zeros, so that equal sets give equal words.
    fn words(&self) -> impl Iterator<Item = u64> + '_ {
        let len = self.0.iter().rposition(|w| *w != 0).map_or(0, |i| i + 1);
        self.0[..len].iter().copied()
    }

    fn place(id: ServiceId) -> (usize, u64) {
        (usize::from(id.0) / 64, 1 << (id.0 % 64))
    }
}

impl PartialEq for ServiceSet {
    fn eq(&self, other: &Self) -> bool {
        self.words().eq(other.words())
    }
}

impl Eq for ServiceSet {}

#[cfg(test)]
mod tests {
    use super::*;

    const ANALYTICS: CategoryId = CategoryId(1);
    const GA: ServiceId = ServiceId(70);

    fn owner(service: Option<ServiceId>) -> Owner {
        Owner { category: ANALYTICS, service }
    }

    #[test]
    fn service_answer_wins_over_its_category() {
        let mut grant = Grant::none();
        grant.grant_category(ANALYTICS);
        grant.refuse_service(GA);
        assert!(grant.allows(owner(None)));
        assert!(!grant.allows(owner(Some(GA))));
        grant.refuse_category(ANALYTICS);
        grant.grant_service(GA);
        assert!(grant.allows(owner(Some(GA))));
        assert!(!grant.allows(owner(None)));
    }

    #[test]
    fn digest_tells_grants_and_policies_apart() {
        let none = Grant::none();
        let mut some = Grant::none();
        some.grant_service(GA);
        assert_ne!(none.digest(1), some.digest(1));
        assert_ne!(none.digest(1), none.digest(2));
        // A service answered and taken back is the same grant as none.
        some.refuse_service(GA);
        some.grant_service(GA);
        let mut again = Grant::none();
        again.grant_service(GA);
        assert_eq!(some, again);
        assert_eq!(some.digest(1), again.digest(1));
    }
}
