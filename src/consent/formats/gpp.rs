//! The Global Privacy Platform of the IAB: `header~section~section`, of which we read the opt-outs of the American states,
//! the TC string of Europe and `usprivacy`. One with a section that we cannot read is not read at all.

use super::jar::Jar;
use super::meaning::{self, Kinds, Meaning};
use super::wire::{Bits, decoded};
use super::{Reading, Said, Spec, tcf, us_privacy};

pub(super) const SPEC: Spec = Spec {
    word: "gpp",
    record: &["__gpp", "OTGPPConsent", "axeptio_gpp_*"],
    beside: &["__gpp_sid"],
    service: Some("iab-tcf"),
    read: |jar: &Jar<'_>| jar.records(|value| decoded(value, record).unwrap_or(Reading::Unreadable)),
    meaning: |group| match group.split_once('.') {
        Some(("tcfeuv2", _)) | None => meaning::of_name(group),
        Some((_, "gpc")) => Meaning::NONE,
        Some(_) => Meaning::veto(Kinds::MARKETING),
    },
    vendors: true,
    ..Spec::PLAIN
};

/// More than there are in the registry.
const MAX_SECTIONS: usize = 64;

fn record(text: &str) -> Option<Reading> {
    let mut parts = text.split('~');
    let ids = header(Bits::new(parts.next()?)?)?;
    let mut said = Said::default();
    let (mut act, mut opted_out) = (false, false);
    for id in ids {
        let section = parts.next()?;
        match id {
            2 => {
                let tc = tcf::record(section.as_bytes())?;
                act = true;
                said.made = tc.made;
                let purposes = tc.groups.iter().filter(|(group, _)| group.starts_with("purpose-"));
                said.groups.extend(purposes.map(|(group, granted)| (format!("tcfeuv2.{group}").into(), *granted)));
                said.groups.extend(tc.groups.iter().filter(|(group, _)| !group.starts_with("purpose-")).cloned());
                said.vendors = tc.vendors;
            }
            6 => {
                if let Some(sold) = us_privacy::sale(section)? {
                    opted_out |= !sold;
                    said.push("uspv1.sale", sold);
                }
            }
            7..=22 => opted_out |= state(id, section, &mut said)?,
            // About the string itself.
            3 | 4 => {}
            // Of a state or country that came after us, or before: it may well hold a refusal.
            _ => return None,
        }
    }
    Some(match (act, opted_out) {
        (true, _) => Reading::Act(said),
        (false, true) => Reading::OptOut(said),
        (false, false) => Reading::NotAnAct(said),
    })
}

/// The sections that follow, in their order: type 3, version 1, and ranges in Fibonacci code, each counted from the last.
fn header(bits: Bits<'_>) -> Option<Vec<u64>> {
    if (bits.number(0, 6)?, bits.number(6, 6)?) != (3, 1) {
        return None;
    }
    let (mut at, mut last, mut ids) = (24, 0_u64, Vec::new());
    for _ in 0..bits.number(12, 12)? {
        let is_range = bits.bit(at)?;
        at += 1;
        let first = last.checked_add(fibonacci(bits, &mut at)?)?;
        last = if is_range { first.checked_add(fibonacci(bits, &mut at)?)? } else { first };
        if last - first >= MAX_SECTIONS as u64 || ids.len() >= MAX_SECTIONS {
            return None;
        }
        ids.extend(first..=last);
    }
    Some(ids)
}

/// A number as a sum of Fibonacci numbers, the smallest first, that ends at two ones in a row.
fn fibonacci(bits: Bits<'_>, at: &mut usize) -> Option<u64> {
    let (mut small, mut large, mut sum, mut was_one) = (1_u64, 2_u64, 0_u64, false);
    for _ in 0..40 {
        let one = bits.bit(*at)?;
        *at += 1;
        if one && was_one {
            return Some(sum);
        }
        if one {
            sum = sum.checked_add(small)?;
        }
        (small, large, was_one) = (large, small.checked_add(large)?, one);
    }
    None
}

/// The opt-outs of one state's section, and whether there is any. They stand at the same place in all its versions.
fn state(id: u64, section: &str, said: &mut Said) -> Option<bool> {
    const NAMES: [&str; 16] = [
        "usnat", "usca", "usva", "usco", "usut", "usct", "usfl", "usmt", "usor", "ustx", "usde", "usia", "usne",
        "usnh", "usnj", "ustn",
    ];
    let name = NAMES.get(usize::try_from(id - 7).ok()?)?;
    const NATIONAL: &[&str] = &["sale", "sharing", "targeted_advertising"];
    // Behind the version stand the notices, two bits each.
    let (at, fields) = match id {
        7 => (18, NATIONAL),
        8 => (12, &NATIONAL[..2]),
        11 | 18 => (14, &["sale", "targeted_advertising"][..]),
        _ => (12, &["sale", "targeted_advertising"][..]),
    };
    let mut segments = section.split('.');
    let core = Bits::new(segments.next()?)?;
    let mut opted_out = false;
    for (index, field) in fields.iter().enumerate() {
        match core.number(at + 2 * index, 2)? {
            1 => {
                opted_out = true;
                said.push(format!("{name}.{field}"), false);
            }
            2 => said.push(format!("{name}.{field}"), true),
            _ => {}
        }
    }
    for segment in segments {
        let bits = Bits::new(segment)?;
        if bits.number(0, 2)? == 1 && bits.bit(2)? {
            opted_out = true;
            said.push(format!("{name}.gpc"), true);
            said.push(format!("{name}.opt-out"), false);
        }
    }
    Some(opted_out)
}
