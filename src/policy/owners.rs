//! Who owns what in one site: what its own lines say, and what the catalogue's services are to it.

use super::catalogue::CatalogueService;
use super::model::{Category, CategoryId, CookieRule, PolicyParts, RuleId, Service, ServiceId};
use super::{Classified, HostPattern, NamePattern, Owner, Rule, Term};

/// A service of the catalogue, as this site sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Adopted {
    pub(super) owner: Owner,
    pub(super) lifetime: Option<u64>,
}

pub(super) fn category_id(position: usize) -> CategoryId {
    CategoryId(u8::try_from(position).expect("config allows at most 64 categories"))
}

/// What the lines of a site's own policy own, each list in the order of the file, which decides between equals.
pub(super) struct Owned<'p> {
    pub(super) cookies: Vec<(NamePattern, Classified)>,
    pub(super) storage: Vec<(NamePattern, Classified)>,
    pub(super) tags: Vec<(HostPattern, Classified)>,
    pub(super) snippets: Vec<(&'p str, Classified)>,
}

impl<'p> Owned<'p> {
    pub(super) fn of(parts: &'p PolicyParts) -> Self {
        let mut cookies: Vec<_> = parts.cookies.iter().filter_map(|rule| declared(parts, None, rule)).collect();
        let (mut storage, mut tags, mut snippets) = (Vec::new(), Vec::new(), Vec::new());
        for (service, id) in parts.services.iter().zip((0..).map(ServiceId)) {
            let owner = Owner { category: service.category, service: Some(id) };
            let classified = |rule| Classified { owner, lifetime: None, rule: Rule::Site(rule) };
            cookies.extend(service.cookies.iter().filter_map(|rule| declared(parts, Some((id, service)), rule)));
            storage.extend(service.storage.iter().map(|s| (s.rule, (s.pattern.clone(), classified(s.rule)))));
            tags.extend(service.tags.iter().map(|tag| (tag.rule, (tag.pattern.clone(), classified(tag.rule)))));
            snippets.extend(service.snippets.iter().map(|s| (s.rule, (&*s.text, classified(s.rule)))));
        }
        Self {
            cookies: in_order(cookies),
            storage: in_order(storage),
            tags: in_order(tags),
            snippets: in_order(snippets),
        }
    }
}

/// Rules are numbered as they stand in the file.
fn in_order<T>(mut rules: Vec<(RuleId, T)>) -> Vec<T> {
    rules.sort_by_key(|(rule, _)| *rule);
    rules.into_iter().map(|(_, entry)| entry).collect()
}

/// What a line of the site's cookie table says. Its own lifetime stands before the service's; the category caps both.
fn declared(
    parts: &PolicyParts,
    service: Option<(ServiceId, &Service)>,
    cookie: &CookieRule,
) -> Option<(RuleId, (NamePattern, Classified))> {
    let category = cookie.category.or_else(|| service.map(|(_, service)| service.category))?;
    let kind = &parts.categories[usize::from(category.0)];
    let moved_to_required = kind.required && service.is_some_and(|(_, service)| service.category != category);
    let owner = Owner { category, service: service.map(|(id, _)| id).filter(|_| !moved_to_required) };
    let lifetime =
        shorter(cookie.lifetime.or_else(|| service.and_then(|(_, service)| service.lifetime)), kind.lifetime);
    Some((cookie.rule, (cookie.pattern.clone(), Classified { owner, lifetime, rule: Rule::Site(cookie.rule) })))
}

/// What a service of the catalogue is to this site: the service that uses it, else the category that takes in its
/// kind. What the catalogue knows of lifetimes is no promise of the site's.
pub(super) fn adopt(parts: &PolicyParts, known: &CatalogueService) -> Option<Adopted> {
    let uses = |service: &Service| service.uses.as_deref() == Some(&known.id);
    let user = (0..).map(ServiceId).zip(&parts.services).find(|(_, service)| uses(service));
    let category = match user {
        Some((_, service)) => service.category,
        None => taking_in(parts, &known.category)?,
    };
    let cap = parts.categories[usize::from(category.0)].lifetime;
    let lifetime = shorter(user.and_then(|(_, service)| service.lifetime), cap);
    Some(Adopted { owner: Owner { category, service: user.map(|(id, _)| id) }, lifetime })
}

/// The category that lists the catalogue's word, else the one of that name. What the catalogue holds to be
/// `necessary` always finds the first required category, whatever its name ("Essential", "Required").
pub(super) fn taking_in(parts: &PolicyParts, word: &str) -> Option<CategoryId> {
    let find = |fits: &dyn Fn(&Category) -> bool| parts.categories.iter().position(fits).map(category_id);
    find(&|category| category.catalogue.iter().any(|taken| &**taken == word))
        .or_else(|| find(&|category| &*category.id == word))
        .or_else(|| find(&|category| category.required && word == "necessary"))
}

fn shorter(a: Option<Term>, b: Option<Term>) -> Option<u64> {
    a.into_iter().chain(b).map(|term| term.seconds).min()
}
