//! The Transparency and Consent Framework of the IAB, version 2: a TC string, in which the core segment's first 213 bits
//! lie where the specification puts them. What follows is walked to its end, for a string that was cut says nothing.

use std::ops::RangeInclusive;

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
    vendors: true,
    ..Spec::PLAIN
};

/// What one TC string says. Legitimate interest is no consent to storage, so its bits are not asked.
pub(super) fn record(value: &[u8]) -> Option<Said> {
    decoded(value, core)
}

const CONSENTS: usize = 152;
const VENDORS: usize = 213;

fn core(text: &str) -> Option<Said> {
    let mut segments = text.split('.');
    let bits = Bits::new(segments.next()?)?;
    // What the others say is not asked, whichever they are; each has at least a type.
    if !segments.all(|segment| Bits::new(segment).is_some_and(|bits| bits.len() >= 3)) {
        return None;
    }
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
    let mut at = VENDORS;
    said.vendors = Some(vendors(bits, &mut at)?);
    // Those with a legitimate interest, and what the publisher restricts: read to see that all of it is there.
    vendors(bits, &mut at)?;
    restrictions(bits, &mut at)?;
    bits.is_zero_from(at).then_some(())?;
    let updated = bits.number(42, 36)?;
    said.made = Some(UnixTime(i64::try_from(updated / 10).ok()?));
    Some(said)
}

/// A list of vendors, and where it ends. A string whose list does not hold together is none.
fn vendors(bits: Bits<'_>, at: &mut usize) -> Option<Vec<RangeInclusive<u16>>> {
    let most = sixteen(bits, *at)?;
    let is_by_range = bits.bit(*at + 16)?;
    *at += 17;
    if is_by_range {
        return ranges(bits, at, most);
    }
    let mut vendors = Vec::new();
    for vendor in 1..=most {
        if bits.bit(*at)? {
            vendors.push(vendor..=vendor);
        }
        *at += 1;
    }
    Some(vendors)
}

/// A count, and so many vendors or ranges of them, none above `most`.
fn ranges(bits: Bits<'_>, at: &mut usize, most: u16) -> Option<Vec<RangeInclusive<u16>>> {
    let entries = bits.number(*at, 12)?;
    *at += 12;
    let mut ranges = Vec::new();
    for _ in 0..entries {
        let is_range = bits.bit(*at)?;
        let first = sixteen(bits, *at + 1)?;
        let last = if is_range { sixteen(bits, *at + 17)? } else { first };
        *at += if is_range { 33 } else { 17 };
        if first == 0 || first > last || last > most {
            return None;
        }
        ranges.push(first..=last);
    }
    Some(ranges)
}

/// What the publisher restricts: each a purpose, a kind, and the vendors.
fn restrictions(bits: Bits<'_>, at: &mut usize) -> Option<()> {
    let count = bits.number(*at, 12)?;
    *at += 12;
    for _ in 0..count {
        bits.number(*at, 8)?;
        *at += 8;
        ranges(bits, at, u16::MAX)?;
    }
    Some(())
}

fn sixteen(bits: Bits<'_>, at: usize) -> Option<u16> {
    u16::try_from(bits.number(at, 16)?).ok()
}
