//! What the `Cookie` header says of consent. Copies that differ give the strictest reading: a sub-domain can toss
//! a second cookie of our name at the site, so any doubt is no grant.

use super::codec::decode;
use super::{Choice, Keys};
use crate::cookie::{UnixTime, pairs};
use crate::policy::Policy;

/// The four answers that a consent record gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// There is none.
    None,
    /// Written without an act of the visitor, as some consent tools do before any click. No choice.
    NotAnAct,
    /// An act.
    Choice(Choice),
    /// Forged, corrupt, of another site or unknown version. Never a grant, whatever the law's default is.
    Unreadable,
}

/// Reads our consent cookie, `name`, out of all `Cookie` lines of a request.
pub fn read<'a>(
    cookies: impl IntoIterator<Item = &'a [u8]>,
    name: &str,
    keys: &Keys,
    scope: &str,
    policy: &Policy,
    now: UnixTime,
) -> Record {
    let copies = cookies.into_iter().flat_map(pairs).filter(|pair| pair.name() == name.as_bytes());
    let mut found: Option<(&[u8], Choice)> = None;
    let mut differ = false;
    for copy in copies {
        if found.as_ref().is_some_and(|(value, _)| *value == copy.value()) {
            continue;
        }
        // Our cookie has a name; what only reads as if it had is somebody else's.
        let Some(choice) = (!copy.nameless()).then(|| decode(copy.value(), keys, scope)).flatten() else {
            return Record::Unreadable;
        };
        found = Some(match found {
            None => (copy.value(), choice),
            Some((value, before)) => {
                differ |= before != choice;
                (value, before.strictest(&choice))
            }
        });
    }
    match found {
        None => Record::None,
        // Under `opt-out` a choice that no longer holds grants all, so a stale copy must not undo a refusal beside it.
        Some((_, choice)) if differ && !choice.stands(policy, now) => Record::Unreadable,
        Some((_, choice)) => Record::Choice(choice),
    }
}
