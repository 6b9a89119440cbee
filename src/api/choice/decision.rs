//! What a posted form decides.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::super::Visit;
use super::Then;
use crate::consent::{self, Ask, Basis, Choice, ConsentId, Item, Record};
use crate::page::local_path;
use crate::page::preferences::Ticks;
use crate::policy::Owner;
use crate::receipt::{Method, lists};

/// `Location` holds a URI reference: visible ASCII.
const NOT_IN_LOCATION: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');

/// The form's meaning; `None` if it names what the policy does not have, or no decision.
pub(super) fn read(visit: &Visit<'_>, form: &[u8], id: ConsentId) -> Option<(Choice, Method, Then)> {
    let policy = &visit.site.policy;
    let fields: Vec<_> = url::form_urlencoded::parse(form).collect();
    let all = |name: &str| fields.iter().filter(|(n, _)| n == name).map(|(_, value)| &**value).collect::<Vec<_>>();
    let back = local_path(all("return_to").first().copied().unwrap_or("/"));
    let mut back = utf8_percent_encode(back, NOT_IN_LOCATION).to_string();
    let (mut choice, method) = match *all("decision").first()? {
        "tool" => {
            let tool = visit.site.consent_tool.as_ref().filter(|tool| tool.format().is_bridged())?;
            let answers = [("granted", true), ("refused", false)];
            let groups =
                answers.into_iter().flat_map(|(name, answer)| all(name).into_iter().map(move |g| (g.into(), answer)));
            let groups: Vec<(Box<str>, bool)> = groups.collect();
            let choice = (!groups.is_empty()).then(|| tool.told(groups, policy, id, visit.now))?;
            return Some((choice, Method::Custom, Then::Script));
        }
        "accept-all" => (Choice::accept_all(policy, id, visit.now), Method::AcceptAll),
        "reject-all" => (Choice::reject_all(policy, id, visit.now), Method::RejectAll),
        "withdraw" => (Choice::reject_all(policy, id, visit.now), Method::Withdraw),
        answer @ ("accept-new" | "reject-new") => {
            let choice = rest(visit, answer == "accept-new", id);
            let method = method_of(visit, &choice);
            (choice, method)
        }
        "save" => {
            let ticks = Ticks {
                categories: all("category"),
                services: all("service"),
                shown_categories: all("shown_category"),
                shown_services: all("shown_service"),
            };
            (Choice::of_grant(policy, &ticks.grant(policy).ok()?, id, visit.now), Method::Custom)
        }
        "grant" => {
            let (choice, held_back) = one_more(visit, &all("category"), &all("service"), id)?;
            if held_back {
                // Back on the page nothing would have changed; our own page says why.
                let to: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
                back = format!("{}?return_to={to}{}", visit.site.prefix, visit.on());
            }
            (choice, Method::Custom)
        }
        _ => return None,
    };
    // What stood before may have had none of its own.
    choice.id = id;
    Some((choice, method, Then::Back(back)))
}

/// The banner's answer on what an earlier choice left open. Where none stands any more it is an answer on everything.
fn rest(visit: &Visit<'_>, grant: bool, id: ConsentId) -> Choice {
    let policy = &visit.site.policy;
    match (&visit.decision.ask, visit.record) {
        (Ask::New(categories, services), Record::Choice(choice)) => {
            let categories = categories.iter().map(|id| Item::category(&policy.category(*id).id));
            let services = services.iter().map(|id| Item::service(policy.parts(), policy.service(*id)));
            choice.answering(&categories.chain(services).collect::<Vec<_>>(), grant)
        }
        (Ask::Nothing, Record::Choice(choice)) => choice.clone(),
        _ if grant => Choice::accept_all(policy, id, visit.now),
        _ => Choice::reject_all(policy, id, visit.now),
    }
}

/// How the receipt calls an answer on what is new: by what holds now, for an old refusal beside it makes it no "all".
fn method_of(visit: &Visit<'_>, choice: &Choice) -> Method {
    match lists(&visit.site.policy, choice) {
        [_, refused] if refused.is_empty() => Method::AcceptAll,
        [granted, _] if granted.is_empty() => Method::RejectAll,
        _ => Method::Custom,
    }
}

/// The button of a placeholder: one category or service in addition to what stands, and whether a signal of the
/// browser keeps it off all the same.
fn one_more(visit: &Visit<'_>, categories: &[&str], services: &[&str], id: ConsentId) -> Option<(Choice, bool)> {
    let policy = &visit.site.policy;
    let mut items = Vec::new();
    let owner = match (categories, services) {
        ([key], []) => {
            let category = policy.category_named(key)?;
            items.push(Item::category(key));
            // With its services, as a tick on our page means it.
            let of_it = policy.parts().services.iter().filter(|service| service.category == category);
            items.extend(of_it.map(|service| Item::service(policy.parts(), service)));
            Owner { category, service: None }
        }
        ([], [key]) => {
            let service = policy.service_named(key)?;
            items.push(Item::service(policy.parts(), policy.service(service)));
            Owner { category: policy.service(service).category, service: Some(service) }
        }
        _ => return None,
    };
    let (first, more) = items.split_first()?;
    let standing = match visit.record {
        Record::Choice(choice) if visit.decision.basis == Basis::Choice => choice.with(*first),
        _ => Choice::of_one(policy, &visit.decision.grant, *first, id, visit.now),
    };
    let choice = more.iter().fold(standing, |choice, item| choice.with(*item));
    let then = consent::grant(policy, &Record::Choice(choice.clone()), visit.signals, visit.now);
    Some((choice, !then.grant.allows(owner)))
}
