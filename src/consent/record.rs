//! What the `Cookie` header says of consent. Copies that differ give the strictest reading: a sub-domain can toss
//! a second cookie of our name at the site, so any doubt is no grant.

use super::codec::decode;
use super::formats::Tool;
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
    /// An act that refuses, and leaves the rest to the law: its choice grants nothing.
    OptOut(Choice),
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

/// As [`read`], on a site that runs a consent tool of its own.
///
/// The tool's record is the choice. Ours is one from before the tool came, or what the bridge script told of it. Where
/// both are acts, the later counts; as long as nobody knows which that is, what both grant.
pub fn read_with(
    tool: &Tool,
    cookies: &[&[u8]],
    name: &str,
    keys: &Keys,
    scope: &str,
    policy: &Policy,
    now: UnixTime,
) -> Record {
    let ours = read(cookies.iter().copied(), name, keys, scope, policy, now);
    let theirs = tool.read(cookies.iter().copied(), policy, now);
    let stands = |choice: &Choice| choice.stands(policy, now);
    match (theirs, ours) {
        // The bridge speaks for a tool that we cannot read.
        (Record::Unreadable, Record::Choice(ours)) if tool.format().is_bridged() && stands(&ours) => {
            Record::Choice(ours)
        }
        (Record::Unreadable, _) | (_, Record::Unreadable) => Record::Unreadable,
        (Record::Choice(theirs), Record::Choice(ours)) if stands(&theirs) && stands(&ours) => {
            match theirs.made.cmp(&ours.made) {
                // A record that tells no time counts as made now.
                _ if theirs.made >= now => Record::Choice(theirs.strictest(&ours)),
                std::cmp::Ordering::Equal => Record::Choice(theirs.strictest(&ours)),
                std::cmp::Ordering::Greater => Record::Choice(theirs),
                std::cmp::Ordering::Less => Record::Choice(ours),
            }
        }
        (Record::OptOut(theirs), Record::Choice(ours)) if stands(&theirs) && stands(&ours) => {
            Record::Choice(ours.without(&theirs))
        }
        (Record::None | Record::NotAnAct, Record::Choice(ours)) if stands(&ours) => Record::Choice(ours),
        (theirs, _) => theirs,
    }
}
