//! Makes the receipt of a choice, and decides what becomes of the choice if none can be kept.

use std::net::IpAddr;
use std::sync::atomic::Ordering::Relaxed;

use http::header::USER_AGENT;
use http::{HeaderMap, StatusCode};
use ipnet::IpNet;

use super::Visit;
use crate::consent::{Basis, Choice, Item, Record};
use crate::filter::forwarded::client_address;
use crate::receipt::{EntryId, Hash, Method, PolicyMark, Receipt, Salt, lists};
use crate::store::{self, random};
use crate::telemetry::choices::Chosen;

/// The most of a browser's name that is kept, in bytes.
const USER_AGENT_BYTES: usize = 256;

/// Keeps the receipt of a choice; the choice may take effect when this returns.
///
/// # Errors
/// 503 if there is no durable place for the receipt and the choice grants what was not granted before: consent that
/// cannot be proven is none. A refusal takes effect all the same, for nobody may be tracked because our disk is full.
pub(super) async fn keep(
    visit: &Visit<'_>,
    headers: &HeaderMap,
    choice: &Choice,
    method: Method,
) -> Result<(), StatusCode> {
    let kept = match receipt(visit, headers, choice, method) {
        Ok(receipt) => visit.receipts.record(receipt).await.is_ok(),
        Err(_) => false,
    };
    if !kept {
        unproven(visit, choice)?;
    }
    count(visit, choice, method);
    Ok(())
}

/// For metrics: who grants what.
fn count(visit: &Visit<'_>, choice: &Choice, method: Method) {
    let categories = &visit.site.policy.parts().categories;
    let answers = categories.iter().filter_map(|category| {
        let granted = choice.answer(Item::category(&category.id))?;
        Some((&*category.id, granted))
    });
    let answers: Vec<_> = answers.collect();
    visit.counters.chose(Chosen { method: method.name(), categories: &answers, now: visit.now });
}

fn unproven(visit: &Visit<'_>, choice: &Choice) -> Result<(), StatusCode> {
    // A choice that no longer holds proves nothing that could be kept.
    let before = match (visit.decision.basis, visit.record) {
        (Basis::Choice, Record::Choice(before)) => Some(before),
        _ => None,
    };
    if choice.grants_beyond(before) {
        visit.receipts.stats().refused.fetch_add(1, Relaxed);
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    visit.receipts.stats().unproven.fetch_add(1, Relaxed);
    if let Some(suppressed) = visit.counters.unproven.pass(visit.now) {
        tracing::warn!(site = %visit.site.name, suppressed, "A refusal took effect without a receipt.");
    }
    Ok(())
}

fn receipt(visit: &Visit<'_>, headers: &HeaderMap, choice: &Choice, method: Method) -> Result<Receipt, store::Error> {
    let policy = &visit.site.policy;
    let [granted, refused] = lists(policy, choice);
    let address = || truncated(client_address(headers, visit.peer, visit.trusted)).to_string().into();
    let browser = || Some(browser(headers.get(USER_AGENT)?.as_bytes()));
    Ok(Receipt {
        consent: choice.id,
        granted,
        id: EntryId(random()?),
        ip: visit.proof.ip.then(address),
        // In which the visitor was asked.
        language: visit.language.into(),
        method,
        policy: PolicyMark { hash: Hash(policy.digest()), version: policy.parts().version },
        refused,
        salt: Salt(random()?),
        site: visit.site.name.clone(),
        // Of this act: a choice to which something is added keeps the age of the first.
        time: visit.now,
        user_agent: visit.proof.user_agent.then(browser).flatten(),
    })
}

/// The network of an address: what still tells the country, and no longer the household.
fn truncated(address: IpAddr) -> IpAddr {
    let bits = match address.to_canonical() {
        IpAddr::V4(_) => 24,
        IpAddr::V6(_) => 48,
    };
    IpNet::new(address.to_canonical(), bits).map_or(address, |network| network.network())
}

fn browser(name: &[u8]) -> Box<str> {
    let text = String::from_utf8_lossy(name);
    let end = text.floor_char_boundary(USER_AGENT_BYTES);
    text[..end].chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_end() {
        for (address, kept) in
            [("192.0.2.77", "192.0.2.0"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"), ("::ffff:192.0.2.77", "192.0.2.0")]
        {
            assert_eq!(truncated(address.parse().unwrap()).to_string(), kept);
        }
    }

    #[test]
    fn the_name_of_a_browser_is_short_and_clean() {
        assert_eq!(&*browser(b"Browser/1 \x1b[31m\xff"), "Browser/1 [31m\u{fffd}");
        assert!(browser("\u{e9}".repeat(1000).as_bytes()).len() <= USER_AGENT_BYTES);
    }
}
