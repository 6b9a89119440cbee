//! The cookie that says which page first showed a visitor the banner, where the law takes going on to a second page for
//! consent (`implied`): `s.TIME.PAGE.MAC`. It is needed to count to two, and says nothing else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Keys;
use super::codec::base36;
use crate::cookie::{UnixTime, pairs};
use crate::fnv;

const FORMAT: &str = "s";
/// Who comes back later than this, in seconds, has not gone on but begun anew.
const LIFETIME: u64 = 86_400;
/// How far the clocks of two proxies may differ.
const CLOCK_SKEW: u64 = 300;

/// The cookie's value for a page, by path and query. `scope` is what it is good for, such as the host.
pub fn encode_seen(target: &str, now: UnixTime, keys: &Keys, scope: &str) -> String {
    let payload = format!("{FORMAT}.{}.{}", base36(u64::try_from(now.0).unwrap_or(0)), base36(hash(target)));
    let mac = keys.seal(scope, &payload);
    format!("{payload}.{}", URL_SAFE_NO_PAD.encode(mac))
}

/// Whether the `Cookie` lines of a request say that this visitor was shown the banner on another page than this one.
pub fn seen_elsewhere<'a>(
    cookies: impl IntoIterator<Item = &'a [u8]>,
    name: &str,
    target: &str,
    now: UnixTime,
    keys: &Keys,
    scope: &str,
) -> bool {
    let mut copies = cookies.into_iter().flat_map(pairs).filter(|pair| pair.name() == name.as_bytes());
    // Two copies are one too many: a sub-domain may have tossed in the other.
    let (Some(copy), None) = (copies.next(), copies.next()) else { return false };
    !copy.nameless() && read(copy.value(), now, keys, scope).is_some_and(|page| page != hash(target))
}

/// The page of a value that holds.
fn read(value: &[u8], now: UnixTime, keys: &Keys, scope: &str) -> Option<u64> {
    let (payload, mac) = std::str::from_utf8(value).ok().filter(|value| value.len() < 128)?.rsplit_once('.')?;
    if !keys.verify(scope, payload, &URL_SAFE_NO_PAD.decode(mac).ok()?) {
        return None;
    }
    let mut fields = payload.split('.');
    let (FORMAT, made, page, None) = (fields.next()?, fields.next()?, fields.next()?, fields.next()) else {
        return None;
    };
    let made = UnixTime(i64::from_str_radix(made, 36).ok()?);
    let page = u64::from_str_radix(page, 36).ok()?;
    (made <= now.after(CLOCK_SKEW) && now <= made.after(LIFETIME)).then_some(page)
}

/// The value is signed, and who forges a page of the same hash has only gone on to it.
fn hash(target: &str) -> u64 {
    fnv::add(fnv::START, target.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::{Choice, ConsentId, decode, encode};
    use crate::policy::{Catalogue, CatalogueParts, Policy, PolicyParts};

    fn keys() -> Keys {
        Keys::new(&[7; 32], [&[8_u8; 32][..]])
    }

    #[test]
    fn another_page_soon_after_counts_and_nothing_else() {
        let value = encode_seen("/a?b", UnixTime(1000), &keys(), "shop.example");
        let line = format!("x=1; seen={value}; y");
        let counts = |line: &str, target: &str, now: i64, scope: &str| {
            seen_elsewhere([line.as_bytes()], "seen", target, UnixTime(now), &keys(), scope)
        };
        assert!(counts(&line, "/", 1001, "shop.example") && counts(&line, "/a", 1000 + 86_400, "shop.example"));
        let forged = line.replace("seen=s.rs.", "seen=s.rt.");
        assert_ne!(line, forged);
        for (line, target, now, scope) in [
            (&*line, "/a?b", 1001, "shop.example"),
            (&line, "/", 1001 + 86_400, "shop.example"),
            (&line, "/", 1, "shop.example"),
            (&line, "/", 1001, "other.example"),
            (&forged, "/", 1001, "shop.example"),
            (&format!("{line}; seen={value}"), "/", 1001, "shop.example"),
            ("seen=", "/", 1001, "shop.example"),
            ("", "/", 1001, "shop.example"),
        ] {
            assert!(!counts(line, target, now, scope), "{line} {target} {now} {scope}");
        }
    }

    #[test]
    fn neither_cookie_reads_as_the_other() {
        let policy = Policy::compile(PolicyParts::default(), Catalogue::compile(CatalogueParts::default()).into());
        let choice = encode(&Choice::accept_all(&policy, ConsentId([1; 16]), UnixTime(1)), &keys(), "h");
        assert_eq!(read(choice.as_bytes(), UnixTime(1), &keys(), "h"), None);
        assert_eq!(decode(encode_seen("/", UnixTime(1), &keys(), "h").as_bytes(), &keys(), "h"), None);
    }
}
