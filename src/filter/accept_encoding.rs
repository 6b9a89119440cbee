//! `Accept-Encoding` (RFC 9110 §12.5.3): which coding to answer with, and what to ask the origin for.

use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue};

use super::coding::Coding;
use super::list;

/// In which coding to answer a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// In this one.
    Coded(Coding),
    /// Uncoded. Also where the client refuses everything: a readable answer is better than a 406 (§12.5.3).
    Identity,
}

/// How much the client likes each coding, in thousandths; 0 is a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    gzip: u16,
    deflate: u16,
    brotli: u16,
    zstd: u16,
    identity: u16,
}

impl Accepted {
    /// Reads all `Accept-Encoding` lines. Without any, only `identity` is safe to send, though all is allowed.
    pub fn read(headers: &HeaderMap) -> Self {
        let mut weights = Weights::default();
        for line in headers.get_all(ACCEPT_ENCODING) {
            for element in list::elements(line.as_bytes()) {
                weights.read(element);
            }
        }
        weights.settle()
    }

    /// The coding for a body that came in this one and is coded anew: the client's favourite. Among equals zstd, which
    /// gives most for its CPU; then what it came in, whose worth its sender knows.
    pub fn answer(&self, came: Coding) -> Answer {
        let preference = [Coding::Zstd, came, Coding::Brotli, Coding::Gzip, Coding::Deflate];
        // `max_by_key` takes the last of equals, so the preference is walked backwards.
        let best = preference.into_iter().rev().max_by_key(|coding| self.weight(*coding));
        match best {
            Some(coding) if self.weight(coding) > 0 && self.weight(coding) >= self.identity => Answer::Coded(coding),
            _ => Answer::Identity,
        }
    }

    /// Whether the client takes a body in this coding.
    pub fn takes(&self, coding: Coding) -> bool {
        self.weight(coding) > 0
    }

    /// What to ask the origin for when we must read the body: what both sides know, without weights.
    pub fn for_origin(&self) -> HeaderValue {
        // Every subset ready, so that a request costs no formatting; bit order as in `KNOWN`.
        const KNOWN: [Coding; 4] = [Coding::Gzip, Coding::Brotli, Coding::Zstd, Coding::Deflate];
        const LISTS: [&str; 16] = [
            "identity",
            "gzip",
            "br",
            "gzip, br",
            "zstd",
            "gzip, zstd",
            "br, zstd",
            "gzip, br, zstd",
            "deflate",
            "gzip, deflate",
            "br, deflate",
            "gzip, br, deflate",
            "zstd, deflate",
            "gzip, zstd, deflate",
            "br, zstd, deflate",
            "gzip, br, zstd, deflate",
        ];
        let set = (0..KNOWN.len()).filter(|bit| self.takes(KNOWN[*bit])).fold(0, |set, bit| set | 1 << bit);
        HeaderValue::from_static(LISTS[set])
    }

    fn weight(&self, coding: Coding) -> u16 {
        match coding {
            Coding::Gzip => self.gzip,
            Coding::Deflate => self.deflate,
            Coding::Brotli => self.brotli,
            Coding::Zstd => self.zstd,
        }
    }
}

/// What the lines say, before `*` and the defaults are applied.
#[derive(Default)]
struct Weights {
    gzip: Option<u16>,
    deflate: Option<u16>,
    brotli: Option<u16>,
    zstd: Option<u16>,
    identity: Option<u16>,
    any: Option<u16>,
}

impl Weights {
    fn read(&mut self, element: &[u8]) {
        let mut parts = list::split(element, b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        let Some(weight) = weight(parts) else { return };
        let place = match Coding::from_token(name) {
            Some(Coding::Gzip) => &mut self.gzip,
            Some(Coding::Deflate) => &mut self.deflate,
            Some(Coding::Brotli) => &mut self.brotli,
            Some(Coding::Zstd) => &mut self.zstd,
            None if name.eq_ignore_ascii_case(b"identity") => &mut self.identity,
            None if name == b"*" => &mut self.any,
            None => return,
        };
        // Named twice with different weights: the lower one, since a refusal must hold.
        *place = Some(place.map_or(weight, |seen| seen.min(weight)));
    }

    fn settle(self) -> Accepted {
        let coded = |own: Option<u16>| own.or(self.any).unwrap_or(0);
        Accepted {
            gzip: coded(self.gzip),
            deflate: coded(self.deflate),
            brotli: coded(self.brotli),
            zstd: coded(self.zstd),
            // Acceptable unless refused, but liked less than anything that was named.
            identity: self.identity.unwrap_or_else(|| u16::from(self.any != Some(0))),
        }
    }
}

/// The `q` of an element in thousandths; `None` if it is malformed, and then the element counts for nothing.
fn weight<'a>(parameters: impl Iterator<Item = &'a [u8]>) -> Option<u16> {
    for parameter in parameters {
        let Some(at) = memchr::memchr(b'=', parameter) else { continue };
        if parameter[..at].trim_ascii().eq_ignore_ascii_case(b"q") {
            return qvalue(parameter[at + 1..].trim_ascii());
        }
    }
    Some(1000)
}

/// `0.xyz` or `1.000`: at most three digits after the point.
fn qvalue(text: &[u8]) -> Option<u16> {
    let (whole, fraction) = match text {
        [whole] | [whole, b'.'] => (whole, &[][..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
        _ => return None,
    };
    let digits = fraction.iter().map(|b| b.is_ascii_digit().then(|| u16::from(b - b'0')));
    let scale = [100, 10, 1];
    let thousandths = digits.zip(scale).try_fold(0, |sum, (digit, scale)| Some(sum + digit? * scale))?;
    match whole {
        b'0' => Some(thousandths),
        b'1' if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accepted(value: &str) -> Accepted {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
        Accepted::read(&headers)
    }

    #[test]
    fn answers() {
        use Answer::{Coded, Identity};
        use Coding::{Brotli, Deflate, Gzip, Zstd};
        for (value, expected) in [
            ("", Identity),
            ("gzip", Coded(Gzip)),
            ("GZIP", Coded(Gzip)),
            ("x-gzip", Coded(Gzip)),
            ("deflate", Coded(Deflate)),
            ("gzip, deflate, br, zstd", Coded(Zstd)),
            ("gzip, deflate, br", Coded(Brotli)),
            ("br;q=0.5, gzip;q=0.8", Coded(Gzip)),
            ("zstd;q=0, gzip", Coded(Gzip)),
            ("zstd;q=0.000, *", Coded(Brotli)),
            ("*", Coded(Zstd)),
            ("*;q=0", Identity),
            ("identity;q=0", Identity),
            ("identity;q=0, *;q=0.1", Coded(Zstd)),
            ("identity, gzip;q=0.5", Identity),
            ("identity;q=0.5, gzip;q=0.5", Coded(Gzip)),
            ("gzip;q=0.001", Coded(Gzip)),
            ("gzip;q=0", Identity),
            ("gzip ; Q = 0", Identity),
            ("gzip;q=1.001", Identity),
            ("gzip;q=0.1234", Identity),
            ("gzip;q=banana", Identity),
            ("compress, sdch, exi", Identity),
            ("gzip;q=1, gzip;q=0", Identity),
        ] {
            assert_eq!(accepted(value).answer(Brotli), expected, "{value}");
        }
        assert_eq!(accepted("gzip, deflate, br").answer(Gzip), Coded(Gzip));
        assert_eq!(accepted("gzip;q=0.9, br").answer(Gzip), Coded(Brotli));
        assert_eq!(accepted("gzip, deflate, br, zstd").answer(Gzip), Coded(Zstd));
    }

    #[test]
    fn origin_is_asked_for_what_both_know() {
        for (value, expected) in [
            ("", "identity"),
            ("gzip, deflate, br, zstd", "gzip, br, zstd, deflate"),
            ("gzip, compress, dcb, dcz", "gzip"),
            ("br;q=0, zstd", "zstd"),
            ("*", "gzip, br, zstd, deflate"),
            ("deflate;q=0.5, br", "br, deflate"),
        ] {
            assert_eq!(accepted(value).for_origin(), expected, "{value}");
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("gzip;q=0.1"));
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("br"));
        assert_eq!(Accepted::read(&headers).answer(Coding::Gzip), Answer::Coded(Coding::Brotli));
    }

    proptest! {
        #[test]
        fn never_answers_in_a_coding_that_was_not_offered(value in "[a-z*;=q0-9., ]{0,40}") {
            if let Answer::Coded(coding) = accepted(&value).answer(Coding::Gzip) {
                prop_assert!(value.contains(coding.token()) || value.contains('*') || value.contains("x-gzip"));
            }
        }

        #[test]
        fn every_subset_is_listed_as_it_is_taken(bits in 0u8..16) {
            let names = ["gzip", "br", "zstd", "deflate"];
            let wanted: Vec<_> = names.iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0).map(|(_, n)| *n).collect();
            let asked = accepted(&wanted.join(",")).for_origin();
            let expected = if wanted.is_empty() { "identity".to_owned() } else { wanted.join(", ") };
            prop_assert_eq!(asked, expected);
        }
    }
}
