//! The decision: a choice that stands, else what the law says without one, narrowed by signals.

use super::choice::{asked_categories, asked_services};
use super::{Choice, ConsentId, Item, Record, Signals};
use crate::cookie::UnixTime;
use crate::policy::{CategoryId, Country, Grant, Law, Owner, Policy, PolicyParts, ServiceId};

/// What one request may use, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What cookies and tags are held to.
    pub grant: Grant,
    /// Where it comes from.
    pub basis: Basis,
    /// What the banner has to ask.
    pub ask: Ask,
    /// The visitor refused or withdrew something by an act that still holds.
    pub refused: bool,
    /// A signal took something that the basis would have granted.
    pub narrowed: bool,
}

/// What a grant rests on, before signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The visitor's choice.
    Choice,
    /// The default of the site's law, for there is no choice that holds.
    Default,
    /// Only what is required, for there is a record that nobody can read.
    Unreadable,
}

/// What the visitor has not been asked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// All is answered.
    Nothing,
    /// No choice holds.
    Everything,
    /// The policy has gained these since the choice was made.
    New(Vec<CategoryId>, Vec<ServiceId>),
}

/// Decides for one request of a visitor of whom nobody knows the country. Never an error: any doubt is a smaller grant.
pub fn grant(policy: &Policy, record: &Record, signals: Signals, now: UnixTime) -> Decision {
    grant_in(None, policy, record, signals, now)
}

/// As [`grant`], under the law of the visitor's country.
pub fn grant_in(
    country: Option<Country>,
    policy: &Policy,
    record: &Record,
    signals: Signals,
    now: UnixTime,
) -> Decision {
    let parts = policy.parts();
    let mut decision = match record {
        Record::Choice(choice) if choice.stands(policy, now) => by_choice(parts, choice),
        Record::OptOut(refusal) if refusal.stands(policy, now) => {
            by_refusal(parts, refusal, parts.law_in(country) == Law::OptOut)
        }
        Record::Unreadable => without_choice(parts, Basis::Unreadable, false),
        // `implied` grants later, when the visitor has seen the banner; the count of pages is not known here.
        Record::None | Record::NotAnAct | Record::Choice(_) | Record::OptOut(_) => {
            without_choice(parts, Basis::Default, parts.law_in(country) == Law::OptOut)
        }
    };
    if decision.basis != Basis::Choice || !parts.choice_beats_signals {
        decision.narrowed = narrow(parts, &mut decision.grant, signals);
    }
    decision
}

fn by_choice(parts: &PolicyParts, choice: &Choice) -> Decision {
    let mut grant = of_required(parts);
    let (mut new_categories, mut new_services, mut refused) = (Vec::new(), Vec::new(), false);
    for (id, category) in asked_categories(parts) {
        match choice.answer(Item::category(&category.id)) {
            Some(true) => grant.grant_category(id),
            Some(false) => refused = true,
            None => new_categories.push(id),
        }
    }
    for (id, service) in asked_services(parts) {
        let answer = choice.answer_on(parts, service);
        let with_category = grant.has_category(service.category);
        match answer {
            Some(true) if !with_category => grant.grant_service(id),
            Some(true) => {}
            // A service that is new is not granted with a category that was granted before it came.
            Some(false) | None if with_category => grant.refuse_service(id),
            Some(false) | None => {}
        }
        refused |= answer == Some(false);
        if answer.is_none() {
            new_services.push(id);
        }
    }
    grant.refuse_vendors(choice.refused_vendors());
    let nothing_new = new_categories.is_empty() && new_services.is_empty();
    let ask = if nothing_new { Ask::Nothing } else { Ask::New(new_categories, new_services) };
    Decision { grant, basis: Basis::Choice, ask, refused, narrowed: false }
}

/// What the law grants, without what was refused.
fn by_refusal(parts: &PolicyParts, refusal: &Choice, all: bool) -> Decision {
    let mut decision = without_choice(parts, Basis::Default, all);
    for (id, _) in asked_categories(parts).filter(|(_, c)| refusal.answer(Item::category(&c.id)) == Some(false)) {
        decision.grant.refuse_category(id);
        decision.refused = true;
    }
    decision
}

fn without_choice(parts: &PolicyParts, basis: Basis, all: bool) -> Decision {
    let mut grant = of_required(parts);
    if all {
        asked_categories(parts).for_each(|(id, _)| grant.grant_category(id));
    }
    let ask = if asked_categories(parts).next().is_some() { Ask::Everything } else { Ask::Nothing };
    Decision { grant, basis, ask, refused: false, narrowed: false }
}

/// What a visitor has agreed to who went on to a second page, where the law takes that for consent: everything but what
/// the browser's signals refuse. It is no act that could beat them.
pub fn implied(policy: &Policy, signals: Signals, id: ConsentId, now: UnixTime) -> Choice {
    let parts = policy.parts();
    let mut grant = without_choice(parts, Basis::Default, true).grant;
    narrow(parts, &mut grant, signals);
    Choice::of_grant(policy, &grant, id, now)
}

/// What everybody may use, whatever they decided.
pub fn required(policy: &Policy) -> Grant {
    of_required(policy.parts())
}

fn of_required(parts: &PolicyParts) -> Grant {
    let mut grant = Grant::none();
    for (id, _) in (0..).map(CategoryId).zip(&parts.categories).filter(|(_, category)| category.required) {
        grant.grant_category(id);
    }
    grant
}

/// Takes away what signals refuse, services granted by name included. Says whether anything went.
fn narrow(parts: &PolicyParts, grant: &mut Grant, signals: Signals) -> bool {
    let mut narrowed = false;
    for (category, heeds) in asked_categories(parts) {
        if !(heeds.gpc && signals.gpc || heeds.dnt && signals.dnt) {
            continue;
        }
        narrowed |= grant.has_category(category);
        grant.refuse_category(category);
        for (id, _) in asked_services(parts).filter(|(_, service)| service.category == category) {
            if grant.allows(Owner { category, service: Some(id) }) {
                grant.refuse_service(id);
                narrowed = true;
            }
        }
    }
    narrowed
}
