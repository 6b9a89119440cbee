//! The consent tool of one site: its record, held against the site's policy.

use std::borrow::Cow;

use super::meaning::{Kinds, of_name};
use super::{AtOnce, Format, Reading, Said};
use crate::consent::choice::{asked_categories, asked_services};
use crate::consent::{Answers, Choice, ConsentId, Record};
use crate::cookie::UnixTime;
use crate::policy::{Category, CategoryId, Policy, ServiceId};

/// What a site's configuration says of its consent tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Which tool it is.
    pub format: Format,
    /// The name of its cookie, where the site has chosen one; may end in `*`.
    pub cookie: Option<Box<str>>,
    /// The tool's groups that stand for a category of the policy.
    pub map: Vec<(Box<str>, CategoryId)>,
    /// The tool's groups that stand for a service of the policy.
    pub services: Vec<(Box<str>, ServiceId)>,
    /// Records of an older revision no longer hold.
    pub revision: Option<Box<str>>,
}

/// A consent tool and what its groups are in one policy.
#[derive(Debug, Clone)]
pub struct Tool {
    pub(super) settings: Settings,
    /// The vendors whom the catalogue knows by their numbers, where the format names them so.
    vendors: Box<[u16]>,
    /// For each category of the policy what it is for.
    kinds: Vec<Kinds>,
}

impl Tool {
    /// The tool on a site of this policy. The ids of `settings` are of that policy.
    pub fn new(settings: Settings, policy: &Policy) -> Self {
        let known = policy.catalogue().services().iter().filter(|_| settings.format.0.vendors);
        let mut vendors: Vec<_> = known.filter_map(|service| service.iab_vendor).collect();
        vendors.sort_unstable();
        vendors.dedup();
        Self { kinds: policy.parts().categories.iter().map(kinds_of).collect(), vendors: vendors.into(), settings }
    }

    /// Which tool it is.
    pub fn format(&self) -> Format {
        self.settings.format
    }

    /// The names of the tool's own cookies; `*` stands for any end.
    pub fn cookies(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.settings.format.owned(self.settings.cookie.as_deref())
    }

    /// Its entry in the catalogue.
    pub fn service(&self) -> Option<&'static str> {
        self.settings.format.0.service
    }

    /// The asked categories that no record of this tool can ever grant, unless it [grants everything at once]; none where
    /// it always does.
    ///
    /// [grants everything at once]: Format::grants_at_once
    pub fn without_group(&self, policy: &Policy) -> Vec<CategoryId> {
        if self.settings.format.0.at_once == AtOnce::Always {
            return Vec::new();
        }
        let has = self.settings.format.0.kinds;
        let fed = |kind: Kinds| has.has(kind) || kind.fallback().is_some_and(|fallback| has.has(fallback));
        let reached = |id: CategoryId| {
            let kinds = self.kinds_of(id);
            self.settings.map.iter().any(|(group, mapped)| *mapped == id && !self.is_vendor(group))
                || if kinds.is_empty() { false } else { kinds.each().all(fed) }
        };
        asked_categories(policy.parts()).map(|(id, _)| id).filter(|id| !reached(*id)).collect()
    }

    /// What the tool's cookies say of this visitor.
    pub fn read<'a>(&self, lines: impl IntoIterator<Item = &'a [u8]>, policy: &Policy, now: UnixTime) -> Record {
        let Settings { format, cookie, .. } = &self.settings;
        self.record(format.read(lines, cookie.as_deref()), policy, now)
    }

    /// A choice that the bridge script tells of: the tool's groups, and whether each is granted.
    pub fn told(&self, groups: Vec<(Box<str>, bool)>, policy: &Policy, id: ConsentId, now: UnixTime) -> Choice {
        self.choice(&Said { groups, ..Said::default() }, policy, id, now)
    }

    fn record(&self, reading: Reading, policy: &Policy, now: UnixTime) -> Record {
        let made = |said: &Said| said.made.map_or(now, |made| made.min(now));
        let id = ConsentId::FOREIGN;
        match reading {
            Reading::None => Record::None,
            Reading::Unreadable => Record::Unreadable,
            Reading::Act(said) | Reading::OptOut(said) if self.is_outdated(&said, now) => Record::NotAnAct,
            Reading::NotAnAct(_) => Record::NotAnAct,
            Reading::Act(said) => Record::Choice(self.choice(&said, policy, id, made(&said))),
            Reading::OptOut(said) => {
                let refused = self.refused(&said, policy);
                Record::OptOut(Choice::of_refusal(policy, &refused, id, made(&said)))
            }
        }
    }

    /// The tool itself will ask again.
    fn is_outdated(&self, said: &Said, now: UnixTime) -> bool {
        let older = |wanted: &str| match (said.revision.as_deref().map(str::parse::<u64>), wanted.parse::<u64>()) {
            (Some(Ok(found)), Ok(wanted)) => found < wanted,
            _ => said.revision.as_deref() != Some(wanted),
        };
        said.until.is_some_and(|until| until <= now) || self.settings.revision.as_deref().is_some_and(older)
    }

    fn choice(&self, said: &Said, policy: &Policy, id: ConsentId, made: UnixTime) -> Choice {
        let parts = policy.parts();
        let heard = self.hear(said);
        let categories: Vec<_> =
            asked_categories(parts).map(|(id, _)| id).filter(|id| self.grants(said, &heard, *id)).collect();
        let (mut granted, mut refused) = (Vec::new(), Vec::new());
        for (id, service) in asked_services(parts) {
            match self.service_answer(said, policy, (id, service)) {
                Some(true) => granted.push(id),
                Some(false) => refused.push(id),
                None => {}
            }
        }
        Choice::from_answers(
            policy,
            &Answers { categories: &categories, granted: &granted, refused: &refused },
            id,
            made,
        )
        .without_vendors(self.vendors.iter().copied().filter(|vendor| said.refuses_vendor(*vendor)).collect())
    }

    /// The categories that an opt-out refuses.
    fn refused(&self, said: &Said, policy: &Policy) -> Vec<CategoryId> {
        let heard = self.hear(said);
        let mapped = |id: CategoryId| {
            let mut groups = self.settings.map.iter().filter(|(_, mapped)| *mapped == id);
            groups.any(|(group, _)| said.answer(group) == Some(false))
        };
        let of_kind = |kind: Kinds| heard.vetoed.has(kind) || heard.answers[kind.index()] == Some(false);
        let refuses = |id: &CategoryId| mapped(*id) || self.kinds_of(*id).each().any(of_kind);
        asked_categories(policy.parts()).map(|(id, _)| id).filter(refuses).collect()
    }

    fn grants(&self, said: &Said, heard: &Heard, id: CategoryId) -> bool {
        let kinds = self.kinds_of(id);
        let mapped = self.settings.map.iter().filter(|(_, mapped)| *mapped == id).map(|(group, _)| &**group);
        let (vendors, groups): (Vec<_>, Vec<_>) = mapped.partition(|group| self.is_vendor(group));
        if vendors.iter().any(|vendor| said.answer(vendor) != Some(true)) {
            return false;
        }
        if !groups.is_empty() {
            let named = self.all_of(said, groups.into_iter());
            // A record that has one answer for everything names no groups.
            return named.or(heard.all) == Some(true)
                && heard.all != Some(false)
                && !kinds.each().any(|kind| heard.vetoed.has(kind));
        }
        if kinds.is_empty() {
            return heard.all == Some(true);
        }
        kinds.each().all(|kind| self.hears(heard, kind))
    }

    /// Whether all of these groups are granted, as far as the record speaks of them; `None` if it speaks of none.
    fn all_of<'g>(&self, said: &Said, groups: impl Iterator<Item = &'g str>) -> Option<bool> {
        let omits = self.settings.format.0.omits;
        let answers: Vec<_> = groups.map(|group| said.answer(group)).collect();
        // Where refusals are left out, what is missing was refused, or came later.
        let missing = omits && answers.contains(&None);
        answers.iter().copied().reduce(both).flatten().map(|granted| granted && !missing)
    }

    fn hears(&self, heard: &Heard, kind: Kinds) -> bool {
        // One answer for everything is one for kinds too for which the tool has no groups.
        let has = if heard.all.is_some() { Kinds::ALL } else { self.settings.format.0.kinds };
        let instead = Some(kind).filter(|kind| has.has(*kind)).or_else(|| kind.fallback());
        !heard.vetoed.has(kind) && instead.is_some_and(|kind| heard.answers[kind.index()] == Some(true))
    }

    /// What the record says of each kind, by the groups that the site has not mapped itself.
    fn hear(&self, said: &Said) -> Heard {
        let mut heard = Heard::default();
        let own = |group: &str| self.settings.map.iter().any(|(mapped, _)| **mapped == *group);
        for (group, granted) in said.groups.iter().filter(|(group, _)| !own(group)) {
            let meaning = (self.settings.format.0.meaning)(group);
            if meaning.veto {
                heard.vetoed = if *granted { heard.vetoed } else { heard.vetoed.and(meaning.kinds) };
                continue;
            }
            for kind in meaning.kinds.each() {
                let answer = &mut heard.answers[kind.index()];
                *answer = both(*answer, Some(*granted));
            }
            if meaning.all {
                heard.all = both(heard.all, Some(*granted));
            }
        }
        heard
    }

    pub(super) fn kinds_of(&self, id: CategoryId) -> Kinds {
        self.kinds.get(usize::from(id.0)).copied().unwrap_or_default()
    }
}

/// A record by kinds.
#[derive(Default)]
struct Heard {
    answers: [Option<bool>; 5],
    vetoed: Kinds,
    /// The answer for everything at once, where there is one.
    all: Option<bool>,
}

fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one && other),
        (one, other) => one.or(other),
    }
}

/// What a category is for: by what it takes in of the catalogue, and by its own name.
fn kinds_of(category: &Category) -> Kinds {
    let words = category.catalogue.iter().map(|word| of_name(word)).chain([of_name(&category.id)]);
    words.filter(|meaning| !meaning.all).fold(Kinds::NONE, |kinds, meaning| kinds.and(meaning.kinds))
}
