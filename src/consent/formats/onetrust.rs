//! OneTrust (Optanon): a query string, `groups=C0001%3A1%2CC0002%3A0`, written on the first page; what says that somebody
//! answered is `OptanonAlertBoxClosed`.

use super::jar::Jar;
use super::wire::{decoded, iso, unescape};
use super::{Kinds, Meaning, Reading, Said, Spec};

const CLOSED: &str = "OptanonAlertBoxClosed";

pub(super) const SPEC: Spec = Spec {
    word: "onetrust",
    record: &["OptanonConsent"],
    beside: &[
        CLOSED,
        "OptanonConsentInSided",
        "OptanonControl",
        "OneTrustWPCCPAGoogleOptOut",
        "eupubconsent-v2",
        "OTGPPConsent",
        "OTAdditionalConsentString",
    ],
    service: Some("onetrust"),
    read: |jar: &Jar<'_>| jar.records(|value| record(value, jar).unwrap_or(Reading::Unreadable)),
    meaning: |group| match group {
        "C0002" => Meaning::of(Kinds::ANALYTICS.and(Kinds::PERFORMANCE)),
        "C0003" => Meaning::of(Kinds::FUNCTIONAL.and(Kinds::PREFERENCES)),
        "C0004" | "C0005" => Meaning::of(Kinds::MARKETING),
        // A bundle that stands for "do not sell".
        _ if group.ends_with("_BG") => Meaning::veto(Kinds::MARKETING),
        _ => Meaning::NONE,
    },
    ..Spec::PLAIN
};

fn record(value: &[u8], jar: &Jar<'_>) -> Option<Reading> {
    let (mut said, outdated) = decoded(value, fields)?;
    let closed = |value: &&[u8]| !value.is_empty();
    let moments = jar.values(CLOSED).filter_map(|value| decoded(value, iso));
    said.made = moments.min();
    Some(Reading::of(jar.values(CLOSED).any(|value| closed(&value)) && !outdated, said))
}

/// The groups, and whether the tool will ask again. Split first, decode after: `landingPath` holds a query of its own.
fn fields(text: &str) -> Option<(Said, bool)> {
    // The groups, the vendors, the hosts.
    let mut lists: [Option<String>; 3] = [None, None, None];
    let (mut known, mut outdated) = (false, false);
    for (key, value) in text.split('&').filter_map(|field| field.split_once('=')) {
        let list = match key {
            "groups" => &mut lists[0],
            "genVendors" => &mut lists[1],
            "hosts" => &mut lists[2],
            "AwaitingReconsent" => {
                outdated |= value == "true";
                continue;
            }
            _ => {
                known |= matches!(key, "datestamp" | "version" | "consentId" | "landingPath" | "interactionCount");
                continue;
            }
        };
        // In a record that some stack has decoded, an address could bring groups of its own.
        if list.replace(unescape(&value.replace('+', " ")).into_owned()).is_some() {
            return None;
        }
    }
    if lists[0].is_none() && !known {
        return None;
    }
    let entries = lists.iter().flatten().flat_map(|list| list.split(',')).filter_map(|entry| entry.rsplit_once(':'));
    Some((Said::of(entries.map(|(id, flag)| (id.trim(), flag == "1"))), outdated))
}
