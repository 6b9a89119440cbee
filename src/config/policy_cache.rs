//! Policies that are files, each read once however many sites use it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use super::policy_file;
use super::problem::{Problem, Source};
use super::reading::{Item, Problems};
use super::{catalogue, tree};
use crate::policy::Policy;

const STANDARD: &str = include_str!("../../config/standard.yaml");

/// The policy files of one configuration.
#[derive(Debug, Default)]
pub(super) struct Policies {
    files: RefCell<HashMap<PathBuf, Option<Arc<Policy>>>>,
}

impl Policies {
    /// `policy:` of a site: the word `standard`, a path, or the policy itself.
    pub(super) fn of_site(&self, item: &Item<'_>) -> Option<Arc<Policy>> {
        if item.is_map() {
            return compile(item);
        }
        match item.text()? {
            "standard" => Some(standard()),
            name => self.file(item, name),
        }
    }

    fn file(&self, item: &Item<'_>, name: &str) -> Option<Arc<Policy>> {
        let path = item.source.folder.join(name);
        if let Some(known) = self.files.borrow().get(&path) {
            return known.clone();
        }
        let loaded = read(item, &path);
        self.files.borrow_mut().insert(path, loaded.clone());
        loaded
    }
}

fn read(item: &Item<'_>, path: &Path) -> Option<Arc<Policy>> {
    let text = match item.problems.files.text(path) {
        Ok(text) => text,
        Err(error) => {
            let hint = "write `standard` for the built-in policy, a path, or the policy itself";
            return item.fail_with(format!("cannot read {}: {error}", path.display()), hint);
        }
    };
    let source = Source::new(&path.to_string_lossy(), &text).in_folder(path.with_file_name(""));
    parse(&Arc::new(source), item.problems)
}

fn parse(source: &Arc<Source>, problems: &Problems) -> Option<Arc<Policy>> {
    compile(&Item::root(&tree::parse(source, problems)?, source, problems))
}

fn compile(item: &Item<'_>) -> Option<Arc<Policy>> {
    let catalogue = catalogue();
    let errors = item.problems.errors();
    let file = item.section(|s| policy_file::read(s, catalogue))?;
    // Ids of a policy with mistakes may point nowhere.
    if item.problems.errors() > errors {
        return None;
    }
    let policy = Arc::new(Policy::compile(file.parts, catalogue.clone()));
    for lint in policy.lints() {
        let place = lint.rule.and_then(|rule| file.places.get(rule.0 as usize)).copied();
        let problem = Problem::error(item.source, place.unwrap_or_else(|| item.place()), &item.path, lint.text);
        item.problems.push(problem.into_warning());
    }
    Some(policy)
}

/// The built-in policy.
fn standard() -> Arc<Policy> {
    static LOADED: LazyLock<Arc<Policy>> = LazyLock::new(|| {
        let (loaded, _) = parse_standard();
        loaded.expect("a test reads the same embedded text")
    });
    LOADED.clone()
}

fn parse_standard() -> (Option<Arc<Policy>>, Vec<Problem>) {
    let problems = Problems::default();
    let loaded = parse(&Arc::new(Source::new("standard.yaml", STANDARD)), &problems);
    (loaded, problems.into_list())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_policy_has_no_problems() {
        let (loaded, problems) = parse_standard();
        assert!(problems.is_empty(), "{problems:?}");
        let loaded = loaded.unwrap();
        let parts = loaded.parts();
        let ids: Vec<_> = parts.categories.iter().map(|c| (&*c.id, c.required)).collect();
        assert_eq!(ids, [("necessary", true), ("functional", false), ("analytics", false), ("marketing", false)]);
        assert!(parts.catalogue_sessions);
        assert!(parts.categories.iter().all(|c| !c.label.is_empty() && !c.purpose.is_empty()));
    }
}
