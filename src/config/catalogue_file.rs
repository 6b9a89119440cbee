//! The built-in catalogue: `config/catalogue/*.yaml`, embedded at build (`build.rs`), read once a process.

use std::sync::{Arc, LazyLock};

use super::problem::{Problem, Source};
use super::reading::{Item, Problems};
use super::rules::Rules;
use super::section::Section;
use super::tree;
use crate::policy::{Catalogue, CatalogueParts, CatalogueService, SessionRule};

// `FILES: &[(&str, &str)]`, name and text, in the order of names.
include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// The words by which the catalogue sorts its services; each policy maps them to its own categories.
pub(super) const CATEGORIES: [&str; 4] = ["necessary", "functional", "analytics", "marketing"];

/// The file that holds session stacks instead of services.
const SESSIONS: &str = "sessions.yaml";

/// The built-in knowledge of services, cookies and session stacks.
pub fn catalogue() -> &'static Arc<Catalogue> {
    static CATALOGUE: LazyLock<Arc<Catalogue>> = LazyLock::new(|| {
        // That there are no problems is a test's business: it reads the same text.
        let (parts, _) = read(FILES);
        Arc::new(Catalogue::compile(parts))
    });
    &CATALOGUE
}

fn read(files: &[(&str, &str)]) -> (CatalogueParts, Vec<Problem>) {
    let problems = Problems::default();
    let rules = Rules::default();
    let mut parts = CatalogueParts::default();
    for (name, text) in files {
        let source = Arc::new(Source::new(&format!("catalogue/{name}"), text));
        let Some(root) = tree::parse(&source, &problems) else { continue };
        for entry in Item::root(&root, &source, &problems).entries() {
            if *name == SESSIONS {
                parts.sessions.extend(entry.section(|s| sessions(s, &rules)).unwrap_or_default());
            } else if parts.services.iter().any(|s| *s.id == *entry.name()) {
                entry.fail_name::<()>("stands in another file already", None);
            } else {
                parts.services.extend(entry.section(|s| service(s, &rules)).flatten());
            }
        }
    }
    (parts.sources, _) = rules.into_tables();
    (parts, problems.into_list())
}

fn service(s: &Section<'_>, rules: &Rules) -> Option<CatalogueService> {
    let category = s.need("category", |item| item.word(&CATEGORIES.map(|word| (word, word))));
    let label = s.need("name", Item::boxed);
    sources(s);
    let service = CatalogueService {
        id: s.item.name().into(),
        label: label?,
        vendor: s.or("vendor", "".into(), Item::boxed),
        purpose: s.or("purpose", "".into(), Item::boxed),
        category: category?.into(),
        iab_vendor: s
            .read("iab_vendor", |item| item.integer(1..=u16::MAX.into()))
            .and_then(|number| number.try_into().ok()),
        privacy: s.read("privacy", Item::boxed),
        opt_out: s.read("opt_out", Item::boxed),
        cookies: s.get("cookies").map(|item| rules.cookies(&item, |_| false, |_, _| None)).unwrap_or_default(),
        storage: s.get("storage").map(|item| rules.storage(&item)).unwrap_or_default(),
        tags: s.get("hosts").map(|item| rules.tags(&item)).unwrap_or_default(),
        snippets: s.get("inline").map(|item| rules.snippets(&item)).unwrap_or_default(),
    };
    Some(service)
}

fn sessions(s: &Section<'_>, rules: &Rules) -> Vec<SessionRule> {
    s.read("name", Item::text);
    sources(s);
    s.need("cookies", |item| Some(rules.sessions(item))).unwrap_or_default()
}

/// Where the facts come from: for readers of the file, not for us.
fn sources(s: &Section<'_>) {
    if let Some(item) = s.get("source") {
        for item in item.one_or_many() {
            item.text();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_catalogue_is_whole_and_without_problems() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/catalogue");
        let on_disk = std::fs::read_dir(folder).map_or(0, |entries| {
            entries.filter(|e| e.as_ref().is_ok_and(|e| e.path().extension().is_some_and(|x| x == "yaml"))).count()
        });
        assert_eq!(FILES.len(), on_disk);
        let (parts, problems) = read(FILES);
        assert!(problems.is_empty(), "{}", problems.iter().map(|p| p.render(false)).collect::<String>());
        for rule in parts.services.iter().flat_map(|s| &s.cookies) {
            assert!((rule.rule.0 as usize) < parts.sources.len());
        }
    }

    #[test]
    fn services_and_sessions_are_read() {
        let analytics = "ga:\n  name: GA\n  vendor: Google\n  category: analytics\n  source: [curated]\n  \
            cookies: { _ga: 2 years, _gid: }\n  hosts: [a.example]\n  inline: [\"gtag('config'\"]\n";
        let sessions = "php:\n  name: PHP\n  cookies: { PHPSESSID: {}, x: keep, y: { http_only: false } }\n";
        let (parts, problems) = read(&[("a.yaml", analytics), ("sessions.yaml", sessions)]);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(
            parts.services[0].cookies.iter().map(|c| c.lifetime.map(|term| term.seconds)).collect::<Vec<_>>(),
            [Some(63_072_000), None]
        );
        let hardened: Vec<_> = parts.sessions.iter().map(|s| s.hardening.map(|h| h.http_only)).collect();
        assert_eq!(hardened, [Some(true), None, Some(false)]);
        let source = &parts.sources[parts.services[0].cookies[0].rule.0 as usize];
        assert_eq!((&*source.file, source.line, &*source.text), ("catalogue/a.yaml", 6, "_ga: 2 years"));
    }

    #[test]
    fn doubled_service_and_unknown_category_are_told() {
        let (_, problems) = read(&[
            ("a.yaml", "ga: { name: GA, category: analytic }\n"),
            ("b.yaml", "x: { name: X, category: marketing }\n"),
            ("c.yaml", "x: { name: X, category: marketing }\n"),
        ]);
        let told: Vec<_> = problems.iter().map(|p| (&*p.file, &*p.key)).collect();
        assert_eq!(told, [("catalogue/a.yaml", "ga.category"), ("catalogue/c.yaml", "x")]);
    }
}
