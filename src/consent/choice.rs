//! What a visitor decided: every category and service that the policy then had, granted or refused.
//!
//! What the policy gains later is in neither list, so it is not granted and can be asked for, without bookkeeping.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::cookie::UnixTime;
use crate::fnv;
use crate::policy::{Category, CategoryId, Grant, Owner, Policy, PolicyParts, Service, ServiceId};

/// How far the clocks of two proxies may differ before a choice counts as made in the future.
const CLOCK_SKEW: u64 = 86_400;

/// Random bytes by which a visitor's choice and its receipts know each other. Never logged: `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConsentId(pub [u8; 16]);

impl ConsentId {
    /// Of a choice that has no receipts with us: another tool keeps it, under an id of its own, or its visitor had its
    /// record deleted.
    pub const FOREIGN: Self = Self([0; 16]);

    /// Reads the 22 characters that `Display` writes; `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for ConsentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for ConsentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConsentId(…)")
    }
}

/// A category or service in four characters: a hash of its kind and id, stable over releases.
///
/// 24 bits keep sixty services below 512 bytes. Two items of a policy of that size collide once in ten thousand
/// policies, and then share one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item(pub(super) [u8; 3]);

impl Item {
    /// The category with this key in the policy.
    pub fn category(id: &str) -> Self {
        Self::hash(b"c:", [id])
    }

    /// A service of this policy, for the purpose that its category has: moved to another, it is asked about anew.
    pub fn service(parts: &PolicyParts, service: &Service) -> Self {
        let category = parts.categories.get(usize::from(service.category.0)).map_or("", |category| &category.id);
        Self::hash(b"s:", [category, "/", &service.id])
    }

    /// The service with this key, whatever its category: as the first records had it.
    fn service_anywhere(id: &str) -> Self {
        Self::hash(b"s:", [id])
    }

    fn hash<const N: usize>(kind: &[u8], id: [&str; N]) -> Self {
        // FNV-1a and the finaliser of MurmurHash3, not SHA-256: the ids are the operator's own and the cookie is signed,
        // and a request that carries a choice asks for the items of the whole policy.
        let hash = fnv::add(fnv::START, kind.iter().copied().chain(id.into_iter().flat_map(str::bytes)));
        let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        let [a, b, c, ..] = (hash ^ (hash >> 33)).to_be_bytes();
        Self([a, b, c])
    }
}

/// A visitor's answers as a form posts them. A service without an answer of its own follows its category.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answers<'a> {
    /// Categories that were granted; all others are refused.
    pub categories: &'a [CategoryId],
    /// Services that were granted by name, whatever their category.
    pub granted: &'a [ServiceId],
    /// Services that were refused by name; wins over `granted`.
    pub refused: &'a [ServiceId],
}

/// One act of a visitor: accept, reject, choose or withdraw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The same over all choices of a visitor on a site.
    pub id: ConsentId,
    /// When it was made.
    pub made: UnixTime,
    /// The policy's version at that time.
    pub version: u64,
    /// Sorted, without doubles, as is the next.
    granted: Vec<Item>,
    refused: Vec<Item>,
    /// Vendors of the IAB who may do nothing, whatever else is granted: those whom a TC string refuses, and the catalogue
    /// knows. Our own records have none.
    vendors: Vec<u16>,
}

impl Choice {
    /// A choice from a form, under the policy as it is now. Ids that the policy does not have are skipped.
    pub fn from_answers(policy: &Policy, answers: &Answers<'_>, id: ConsentId, now: UnixTime) -> Self {
        let parts = policy.parts();
        let categories = asked_categories(parts)
            .map(|(id, category)| (Item::category(&category.id), answers.categories.contains(&id)));
        let services = asked_services(parts).map(|(id, service)| {
            let granted = answers.granted.contains(&id) || answers.categories.contains(&service.category);
            (Item::service(parts, service), granted && !answers.refused.contains(&id))
        });
        let (granted, refused): (Vec<_>, Vec<_>) = categories.chain(services).partition(|(_, granted)| *granted);
        let items = |list: Vec<(Item, bool)>| list.into_iter().map(|(item, _)| item).collect();
        Self::new(id, now, parts.version, items(granted), items(refused))
    }

    /// A choice that gives this grant, under the policy as it is now.
    pub fn of_grant(policy: &Policy, grant: &Grant, id: ConsentId, now: UnixTime) -> Self {
        let parts = policy.parts();
        let categories: Vec<_> =
            asked_categories(parts).map(|(id, _)| id).filter(|id| grant.has_category(*id)).collect();
        let allows = |id, service: &Service| grant.allows(Owner { category: service.category, service: Some(id) });
        let (granted, refused): (Vec<_>, Vec<_>) =
            asked_services(parts).partition(|(id, service)| allows(*id, service));
        let ids = |list: Vec<(ServiceId, &Service)>| list.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
        let (granted, refused) = (ids(granted), ids(refused));
        Self::from_answers(policy, &Answers { categories: &categories, granted: &granted, refused: &refused }, id, now)
    }

    /// Every category and service of the policy is granted.
    pub fn accept_all(policy: &Policy, id: ConsentId, now: UnixTime) -> Self {
        let all: Vec<_> = asked_categories(policy.parts()).map(|(id, _)| id).collect();
        Self::from_answers(policy, &Answers { categories: &all, ..Answers::default() }, id, now)
    }

    /// Nothing but required categories is granted; also how all is withdrawn.
    pub fn reject_all(policy: &Policy, id: ConsentId, now: UnixTime) -> Self {
        Self::from_answers(policy, &Answers::default(), id, now)
    }

    /// The refusal of these categories with their services, by a visitor who said nothing of the others.
    pub fn of_refusal(policy: &Policy, refused: &[CategoryId], id: ConsentId, now: UnixTime) -> Self {
        let parts = policy.parts();
        let categories = asked_categories(parts)
            .filter(|(id, _)| refused.contains(id))
            .map(|(_, category)| Item::category(&category.id));
        let services = asked_services(parts)
            .filter(|(_, service)| refused.contains(&service.category))
            .map(|(_, service)| Item::service(parts, service));
        Self::new(id, now, parts.version, Vec::new(), categories.chain(services).collect())
    }

    /// The choice of a visitor who allows one thing on the way, such as a film in a page. What else `grant` holds stays;
    /// whatever it does not hold is not refused by that, and can still be asked for.
    pub fn of_one(policy: &Policy, grant: &Grant, more: Item, id: ConsentId, now: UnixTime) -> Self {
        let parts = policy.parts();
        let categories = asked_categories(parts)
            .filter(|(id, _)| grant.has_category(*id))
            .map(|(_, category)| Item::category(&category.id));
        let allows = |id, service: &Service| grant.allows(Owner { category: service.category, service: Some(id) });
        let services = asked_services(parts)
            .filter(|(id, service)| allows(*id, service))
            .map(|(_, service)| Item::service(parts, service));
        Self::new(id, now, parts.version, categories.chain(services).chain([more]).collect(), Vec::new())
    }

    /// The same choice with one thing more. It stays as old as it is: the other answers were not given anew.
    pub fn with(&self, more: Item) -> Self {
        let granted = self.granted.iter().copied().chain([more]).collect();
        let refused = self.refused.iter().copied().filter(|item| *item != more).collect();
        Self::new(self.id, self.made, self.version, granted, refused).without_vendors(self.vendors.clone())
    }

    /// The same choice with answers to what it left open; what was answered before stays. As old as it is, as in
    /// [`Choice::with`].
    pub fn answering(&self, open: &[Item], grant: bool) -> Self {
        let open = open.iter().copied().filter(|item| self.answer(*item).is_none());
        let (mut granted, mut refused) = (self.granted.clone(), self.refused.clone());
        if grant {
            granted.extend(open)
        } else {
            refused.extend(open)
        }
        Self::new(self.id, self.made, self.version, granted, refused).without_vendors(self.vendors.clone())
    }

    /// `None` where the visitor was not asked, which is never a grant.
    pub fn answer(&self, item: Item) -> Option<bool> {
        if self.refused.binary_search(&item).is_ok() {
            return Some(false);
        }
        self.granted.binary_search(&item).ok().map(|_| true)
    }

    /// As [`Choice::answer`], for a service of this policy.
    pub fn answer_on(&self, parts: &PolicyParts, service: &Service) -> Option<bool> {
        self.answer(Item::service(parts, service)).or_else(|| {
            // An older record does not say in which category it was: a grant counts within what was granted.
            let granted = self.answer(Item::service_anywhere(&service.id))?;
            let category = parts.categories.get(usize::from(service.category.0))?;
            (!granted || self.answer(Item::category(&category.id)) == Some(true)).then_some(granted)
        })
    }

    /// Whether it grants anything that the one before did not.
    pub fn grants_beyond(&self, before: Option<&Self>) -> bool {
        self.granted.iter().any(|item| before.is_none_or(|before| before.answer(*item) != Some(true)))
    }

    /// Whether it still holds: its policy version is good, it is not too old and not from the future.
    pub fn stands(&self, policy: &Policy, now: UnixTime) -> bool {
        let parts = policy.parts();
        self.version >= parts.good_since
            && self.made <= now.after(CLOCK_SKEW)
            && now <= self.made.after(parts.choice_lifetime)
    }

    /// Whether another choice, made under the same version, decides the same.
    pub fn answers_as(&self, other: &Self) -> bool {
        self.version == other.version && self.lists() == other.lists() && self.vendors == other.vendors
    }

    /// What both grant, minus what either refuses, as old as the older: for two records that differ.
    pub fn strictest(&self, other: &Self) -> Self {
        let granted = self.granted.iter().filter(|item| other.granted.binary_search(item).is_ok()).copied().collect();
        let refused = [&self.refused[..], &other.refused].concat();
        // The later act's receipts are the ones that the visitor will want to see.
        let id = if other.made > self.made { other.id } else { self.id };
        Self::new(id, self.made.min(other.made), self.version.min(other.version), granted, refused)
            .without_vendors([&self.vendors[..], &other.vendors].concat())
    }

    /// The same choice without what another refuses.
    pub fn without(&self, refusal: &Self) -> Self {
        let kept = self.granted.iter().filter(|item| refusal.refused.binary_search(item).is_err());
        let refused = [&self.refused[..], &refusal.refused].concat();
        Self::new(self.id, self.made, self.version, kept.copied().collect(), refused)
            .without_vendors([&self.vendors[..], &refusal.vendors].concat())
    }

    /// The same choice, of which these vendors of the IAB have nothing.
    pub(super) fn without_vendors(mut self, mut vendors: Vec<u16>) -> Self {
        vendors.sort_unstable();
        vendors.dedup();
        self.vendors = vendors;
        self
    }

    pub(super) fn refused_vendors(&self) -> &[u16] {
        &self.vendors
    }

    pub(super) fn new(id: ConsentId, made: UnixTime, version: u64, granted: Vec<Item>, refused: Vec<Item>) -> Self {
        let sorted = |mut items: Vec<Item>| {
            items.sort_unstable();
            items.dedup();
            items
        };
        Self { id, made, version, granted: sorted(granted), refused: sorted(refused), vendors: Vec::new() }
    }

    pub(super) fn lists(&self) -> [&[Item]; 2] {
        [&self.granted, &self.refused]
    }
}

/// The categories that visitors are asked about.
pub(super) fn asked_categories(parts: &PolicyParts) -> impl Iterator<Item = (CategoryId, &Category)> {
    (0..).map(CategoryId).zip(&parts.categories).filter(|(_, category)| !category.required)
}

/// The declared services that visitors are asked about.
pub(super) fn asked_services(parts: &PolicyParts) -> impl Iterator<Item = (ServiceId, &Service)> {
    let required = |id: CategoryId| parts.categories.get(usize::from(id.0)).is_some_and(|category| category.required);
    (0..).map(ServiceId).zip(&parts.services).filter(move |(_, service)| !required(service.category))
}
