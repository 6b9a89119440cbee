//! The Transparency and Consent Framework of the IAB, version 2: a TC string, in which the core segment's first 213 bits
//! lie where the specification puts them.

use super::jar::Jar;
use super::wire::{Bits, decoded};
use super::{Reading, Said, Spec};
use crate::cookie::UnixTime;

pub(super) const SPEC: Spec = Spec {
    word: "tcf",
    record: &["*euconsent-v2", "eupubconsent-v2", "CookieControlTC"],
    beside: &["addtl_consent"],
    service: Some("iab-tcf"),
    read: |jar: &Jar<'_>| jar.records(|value| record(value).map_or(Reading::Unreadable, Reading::Act)),
    ..Spec::PLAIN
};

/// What one TC string says. Legitimate interest is no consent to storage, so its bits are not asked.
pub(super) fn record(value: &[u8]) -> Option<Said> {
    decoded(value, core)
}

const CONSENTS: usize = 152;
const VENDORS: usize = 213;

fn core(text: &str) -> Option<Said> {
    let bits = Bits::new(text.split('.').next()?)?;
    if bits.number(0, 6)? != 2 {
        return None;
    }
    let policy = bits.number(132, 6)?;
    let consents = bits.number(CONSENTS, 24)?;
    let purpose = |number: u32| consents >> (24 - number) & 1 == 1;
    let all = |purposes: &[u32]| purposes.iter().all(|number| purpose(*number));
    // The eleventh came with version 4 of the policies.
    let last = if policy >= 4 { 11 } else { 10 };
    let mut said = Said::of((1..=last).map(|number| (format!("purpose-{number}"), purpose(number))));
    // Purpose 1 is to keep anything at all.
    for (kind, granted) in [
        ("functional", all(&[1, 10])),
        ("preferences", all(&[1, 5, 6])),
        ("analytics", all(&[1, 8, 9])),
        ("performance", all(&[1, 8])),
        ("marketing", all(&[1, 2, 3, 4])),
    ] {
        said.push(kind, granted);
    }
    vendors(bits, &mut said)?;
    let updated = bits.number(42, 36)?;
    said.made = Some(UnixTime(i64::try_from(updated / 10).ok()?));
    Some(said)
}

/// The vendors with consent. A string whose list does not hold together is none.
fn vendors(bits: Bits<'_>, said: &mut Said) -> Option<()> {
    let sixteen = |at| Some(u16::try_from(bits.number(at, 16)?).unwrap_or(u16::MAX));
    let most = sixteen(VENDORS)?;
    let mut at = VENDORS + 17;
    if !bits.bit(VENDORS + 16)? {
        for vendor in 1..=most {
            if bits.bit(at + usize::from(vendor) - 1)? {
                said.vendors.push(vendor..=vendor);
            }
        }
        return Some(());
    }
    let entries = bits.number(at, 12)?;
    at += 12;
    for _ in 0..entries {
        let is_range = bits.bit(at)?;
        let first = sixteen(at + 1)?;
        let last = if is_range { sixteen(at + 17)? } else { first };
        at += if is_range { 33 } else { 17 };
        if first == 0 || first > last || last > most {
            return None;
        }
        said.vendors.push(first..=last);
    }
    Some(())
}
