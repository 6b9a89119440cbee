//! What an entry says: a visitor's choice, the deletion of one, or the purge of all that is too old.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::hex::{EntryId, Hash, Salt};
use super::time;
use crate::consent::{Choice, ConsentId, Item};
use crate::cookie::UnixTime;
use crate::policy::Policy;

/// The durable record of one choice. Fields stand in the order of their names, as the canonical form has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Whose choice it is; the same as in the visitor's cookie.
    #[serde(with = "consent_id")]
    pub consent: ConsentId,
    /// What was granted: `category:KEY` and `service:KEY`, in the order of the policy.
    pub granted: Vec<Box<str>>,
    /// Its own name.
    pub id: EntryId,
    /// A truncated address, where the site asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Box<str>>,
    /// The language that the visitor was asked in (BCP 47).
    pub language: Box<str>,
    /// What the visitor did.
    pub method: Method,
    /// What the visitor was asked about.
    pub policy: PolicyMark,
    /// What was refused, as `granted`.
    pub refused: Vec<Box<str>>,
    /// Hides the content behind its hash once it is erased.
    pub salt: Salt,
    /// The site, by its first host.
    pub site: Box<str>,
    /// When.
    #[serde(with = "time::text")]
    pub time: UnixTime,
    /// The browser, where the site asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<Box<str>>,
}

/// A policy as it was at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyMark {
    /// Of all that it says.
    pub hash: Hash,
    /// Its number.
    pub version: u64,
}

/// How a choice came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Everything was granted at once.
    AcceptAll,
    /// Everything was refused at once.
    RejectAll,
    /// Chosen one by one.
    Custom,
    /// A consent that was given was taken back.
    Withdraw,
    /// The browser said so.
    Signal,
    /// By going on to a second page.
    Implied,
}

/// Says that the content of an earlier entry of the same chain was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deletion {
    /// The hash of what was erased.
    pub content: Hash,
    /// Its own name.
    pub id: EntryId,
    /// The position of the entry that was erased.
    pub position: u64,
    /// Why.
    pub reason: Reason,
    /// When.
    #[serde(with = "time::text")]
    pub time: UnixTime,
}

/// On whose behalf a content was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The visitor asked for it.
    Visitor,
    /// The operator did it.
    Operator,
    /// It was older than records are kept.
    Retention,
}

/// Says that the beginning of the same chain was removed, for it was older than records are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purge {
    /// All that was removed was older than this.
    #[serde(with = "time::text")]
    pub before: UnixTime,
    /// The hash of the last entry that was removed.
    pub hash: Hash,
    /// Its own name.
    pub id: EntryId,
    /// The position of the last entry that was removed.
    pub through: u64,
    /// When.
    #[serde(with = "time::text")]
    pub time: UnixTime,
}

/// One link of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act")]
pub enum Entry {
    /// A visitor's choice.
    #[serde(rename = "choice/1")]
    Choice(Receipt),
    /// The content of one entry was erased.
    #[serde(rename = "deletion/1")]
    Deletion(Deletion),
    /// The beginning of the chain was removed.
    #[serde(rename = "purge/1")]
    Purge(Purge),
}

/// It is no entry that this version knows.
#[derive(Debug, thiserror::Error)]
#[error("no entry that this version knows: {0}")]
pub struct Malformed(#[from] serde_json::Error);

impl Entry {
    /// Its own name.
    pub fn id(&self) -> EntryId {
        match self {
            Self::Choice(Receipt { id, .. }) | Self::Deletion(Deletion { id, .. }) | Self::Purge(Purge { id, .. }) => {
                *id
            }
        }
    }

    /// The canonical bytes, which are text.
    pub fn canonical(&self) -> String {
        // serde_json escapes as RFC 8785 does; the order of keys is that of the fields.
        serde_json::to_string(self).expect("no map has keys that are not text")
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// If they are of another kind or version, or not ours at all.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        Ok(serde_json::from_str(text)?)
    }
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::AcceptAll, Self::RejectAll, Self::Custom, Self::Withdraw, Self::Signal, Self::Implied];

    /// As records have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::AcceptAll => "accept-all",
            Self::RejectAll => "reject-all",
            Self::Custom => "custom",
            Self::Withdraw => "withdraw",
            Self::Signal => "signal",
            Self::Implied => "implied",
        }
    }
}

/// The hash by which an entry with these canonical bytes is linked.
pub fn content(canonical: &str) -> Hash {
    let hash = digest(&SHA256, canonical.as_bytes());
    Hash(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
}

/// What a choice granted and what it refused, in the words and the order of the policy.
pub fn lists(policy: &Policy, choice: &Choice) -> [Vec<Box<str>>; 2] {
    let parts = policy.parts();
    let categories =
        parts.categories.iter().map(|c| (choice.answer(Item::category(&c.id)), format!("category:{}", c.id)));
    let services = parts.services.iter().map(|s| (choice.answer_on(parts, s), format!("service:{}", s.id)));
    let (mut granted, mut refused) = (Vec::new(), Vec::new());
    // Required ones are in neither list: nobody was asked.
    for (answer, name) in categories.chain(services) {
        match answer {
            Some(true) => granted.push(name.into()),
            Some(false) => refused.push(name.into()),
            None => {}
        }
    }
    [granted, refused]
}

/// For serde: the text of the cookie.
mod consent_id {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::consent::ConsentId;

    pub(super) fn serialize<S: Serializer>(id: &ConsentId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<ConsentId, D::Error> {
        let text = String::deserialize(deserializer)?;
        ConsentId::parse(text.as_bytes()).ok_or_else(|| D::Error::custom("not a consent id"))
    }
}
