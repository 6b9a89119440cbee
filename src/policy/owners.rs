//! Who owns what in one site: what its own lines say, and what the catalogue's services are to it.

use super::model::{CatalogueService, Category, CategoryId, CookieRule, PolicyParts, RuleId, Service, ServiceId};
use super::{Classified, NamePattern, Owner, Rule};

/// A service of the catalogue, as this site sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Adopted {
    pub(super) owner: Owner,
    pub(super) lifetime: Option<u64>,
}

pub(super) fn category_id(position: usize) -> CategoryId {
    CategoryId(u8::try_from(position).expect("config allows at most 64 categories"))
}

/// What a line of the site's cookie table says. Its own lifetime stands before the service's; the category caps both.
pub(super) fn declared(
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

fn shorter(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}
