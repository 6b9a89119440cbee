//! Our consent cookie as text: `1.TIME.ID.VERSION.GRANTED.REFUSED.MAC`, all of it legal in a cookie value of RFC 6265.
//!
//! TIME is in base 36, ID, lists and MAC in base64url. The MAC makes a forged, edited or foreign value unreadable;
//! nothing in it is secret.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Choice, ConsentId, Item};
use crate::cookie::UnixTime;

const FORMAT: &str = "1";
/// 128 bits of HMAC-SHA256.
const MAC: usize = 16;
/// Longer values never come from us, nor out of a browser.
const MAX_VALUE: usize = 4096;

/// The secrets that sign consent cookies. `Debug` shows none of them.
#[derive(Debug)]
pub struct Keys {
    current: hmac::Key,
    previous: Vec<hmac::Key>,
}

impl Keys {
    /// `current` signs; `previous` are still believed, so that a new secret does not ask every visitor again.
    pub fn new<'a>(current: &[u8], previous: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let key = |secret: &[u8]| hmac::Key::new(hmac::HMAC_SHA256, secret);
        Self { current: key(current), previous: previous.into_iter().map(key).collect() }
    }

    /// What vouches for a text of ours.
    pub(super) fn seal(&self, scope: &str, payload: &str) -> [u8; MAC] {
        let tag = sign(&self.current, scope, payload);
        std::array::from_fn(|index| tag.as_ref()[index])
    }

    pub(super) fn verify(&self, scope: &str, payload: &str, mac: &[u8]) -> bool {
        let is_by =
            |key| constant_time::verify_slices_are_equal(&sign(key, scope, payload).as_ref()[..MAC], mac).is_ok();
        is_by(&self.current) || self.previous.iter().any(is_by)
    }
}

/// The cookie's value. `scope` is what it is good for, such as the host: elsewhere it cannot be read.
pub fn encode(choice: &Choice, keys: &Keys, scope: &str) -> String {
    let [granted, refused] = choice.lists().map(|items| {
        let bytes: Vec<u8> = items.iter().flat_map(|item| item.0).collect();
        URL_SAFE_NO_PAD.encode(bytes)
    });
    let made = base36(u64::try_from(choice.made.0).unwrap_or(0));
    let payload = format!("{FORMAT}.{made}.{}.{}.{granted}.{refused}", choice.id, choice.version);
    format!("{payload}.{}", URL_SAFE_NO_PAD.encode(keys.seal(scope, &payload)))
}

/// Reads what [`encode`] wrote with one of these keys for this scope; `None` for anything else.
pub fn decode(value: &[u8], keys: &Keys, scope: &str) -> Option<Choice> {
    if value.len() > MAX_VALUE {
        return None;
    }
    let (payload, mac) = std::str::from_utf8(value).ok()?.rsplit_once('.')?;
    // Nothing is parsed that we did not write.
    if !keys.verify(scope, payload, &URL_SAFE_NO_PAD.decode(mac).ok()?) {
        return None;
    }
    let mut fields = payload.split('.');
    let mut next = || fields.next();
    if next()? != FORMAT {
        return None;
    }
    let made = i64::from_str_radix(next()?, 36).ok()?;
    let id = ConsentId::parse(next()?.as_bytes())?;
    let version = next()?.parse().ok()?;
    let (granted, refused) = (items(next()?)?, items(next()?)?);
    next().is_none().then(|| Choice::new(id, UnixTime(made), version, granted, refused))
}

fn items(text: &str) -> Option<Vec<Item>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (items, rest) = bytes.as_chunks::<3>();
    rest.is_empty().then(|| items.iter().copied().map(Item).collect())
}

fn sign(key: &hmac::Key, scope: &str, payload: &str) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    // A host has no NUL, so that no scope and payload read as another scope and payload.
    for part in [scope.as_bytes(), b"\0", payload.as_bytes()] {
        context.update(part);
    }
    context.sign()
}

pub(super) fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[(number % 36) as usize]);
        number /= 36;
        if number == 0 {
            break;
        }
    }
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
}
