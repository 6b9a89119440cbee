//! A TC string that is not whole says nothing.

use super::*;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The core segment as bits.
#[derive(Default)]
struct Core(Vec<bool>);

impl Core {
    fn before_vendors(purposes: u64) -> Self {
        let mut core = Self::default();
        core.push(2, 6);
        core.push(17_000_000_000, 36);
        core.push(17_000_000_000, 36);
        core.push(0, 54);
        core.push(4, 6);
        core.push(0, 14);
        core.push(purposes, 24);
        core.push(!purposes & 0xff_ffff, 24);
        core.push(0, 13);
        core
    }

    fn push(&mut self, number: u64, width: usize) {
        self.0.extend((0..width).rev().map(|bit| number >> bit & 1 == 1));
    }

    /// A list of vendors: as ranges, or a bit each.
    fn vendors(&mut self, vendors: &[u16], by_range: bool) {
        let most = vendors.iter().copied().max().unwrap_or(0);
        self.push(most.into(), 16);
        self.push(by_range.into(), 1);
        if by_range {
            self.entries(vendors);
        } else {
            (1..=most).for_each(|vendor| self.push(vendors.contains(&vendor).into(), 1));
        }
    }

    fn entries(&mut self, vendors: &[u16]) {
        self.push(vendors.len() as u64, 12);
        for vendor in vendors {
            self.push(0, 1);
            self.push((*vendor).into(), 16);
        }
    }

    /// The characters, padded to whole sextets.
    fn text(&self) -> String {
        let sextet =
            |bits: &[bool]| (0..6).fold(0, |number, at| number << 1 | usize::from(bits.get(at) == Some(&true)));
        self.0.chunks(6).map(|bits| char::from(ALPHABET[sextet(bits)])).collect()
    }
}

/// A string of these purposes and vendors.
pub(super) fn string(purposes: &[u32], vendors: &[u16]) -> String {
    let mut core = Core::before_vendors(purposes.iter().fold(0, |bits, purpose| bits | 1 << (24 - purpose)));
    core.vendors(vendors, true);
    core.vendors(&[], false);
    core.push(0, 12);
    core.text()
}

fn core() -> impl Strategy<Value = String> {
    let vendors = || proptest::collection::vec(1_u16..900, 0..6);
    let restrictions = proptest::collection::vec((1_u64..12, 0_u64..3, vendors()), 0..3);
    (any::<u32>(), (vendors(), any::<bool>()), (vendors(), any::<bool>()), restrictions).prop_map(
        |(purposes, consent, interest, restrictions)| {
            let mut core = Core::before_vendors(u64::from(purposes) & 0xff_ffff);
            core.vendors(&consent.0, consent.1);
            core.vendors(&interest.0, interest.1);
            core.push(restrictions.len() as u64, 12);
            for (purpose, kind, vendors) in restrictions {
                core.push(purpose, 6);
                core.push(kind, 2);
                core.entries(&vendors);
            }
            core.text()
        },
    )
}

fn read(value: &str) -> Reading {
    Format::named("tcf").unwrap().read([format!("euconsent-v2={value}").as_bytes()], None)
}

proptest! {
    #[test]
    fn what_was_cut_grants_nothing(core in core()) {
        let whole = read(&core);
        prop_assert!(matches!(whole, Reading::Act(_)), "{core}");
        for end in 1..core.len() {
            prop_assert_eq!(read(&core[..end]), Reading::Unreadable, "{} of {}", end, core);
        }
        // Some writers pad to whole bytes, or to groups of four characters.
        for padding in ["A", "AA", "AAA", ".IAAA", ".YAAAAAAAAAAA", ".qAAA"] {
            prop_assert_eq!(&read(&format!("{core}{padding}")), &whole);
        }
    }
}
