//! What a record says, in the words of the tool that wrote it.

use std::ops::RangeInclusive;

use crate::cookie::UnixTime;

/// What the cookies of a consent tool amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// There is no record.
    None,
    /// Written without an act of the visitor: a default, or for a region where nobody is asked.
    NotAnAct(Said),
    /// The visitor refused something, and said nothing of the rest (the opt-outs of the American states).
    OptOut(Said),
    /// The visitor decided.
    Act(Said),
    /// Encrypted, corrupt, or of a version that we do not know.
    Unreadable,
}

/// The content of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The tool's groups, purposes or services, and whether each is granted. One that stands twice is granted only if
    /// both say so.
    pub groups: Vec<(Box<str>, bool)>,
    /// The vendors of a TC string that are granted; `None` where there is no such string.
    pub vendors: Option<Vec<RangeInclusive<u16>>>,
    /// When the visitor decided.
    pub made: Option<UnixTime>,
    /// Until when the tool holds it to be good.
    pub until: Option<UnixTime>,
    /// The revision of the site's settings under which it was made, as the tool counts.
    pub revision: Option<Box<str>>,
}

impl Reading {
    /// An act, or what stands there without one.
    pub(super) fn of(act: bool, said: Said) -> Self {
        if act { Self::Act(said) } else { Self::NotAnAct(said) }
    }

    /// What the record holds, whoever wrote it.
    pub fn said(&self) -> Option<&Said> {
        match self {
            Self::NotAnAct(said) | Self::OptOut(said) | Self::Act(said) => Some(said),
            Self::None | Self::Unreadable => None,
        }
    }

    /// For two copies of one cookie that differ: what both grant. Of different kinds, one of them is stale or forged, and
    /// there is no telling which.
    pub(super) fn strictest(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Act(one), Self::Act(other)) => Self::Act(one.strictest(other)),
            (Self::OptOut(one), Self::OptOut(other)) => Self::OptOut(one.strictest(other)),
            (Self::NotAnAct(one), Self::NotAnAct(other)) => Self::NotAnAct(one.strictest(other)),
            _ => Self::Unreadable,
        }
    }

    /// For two cookies of different names: a decision counts more than none.
    pub(super) fn beside(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unreadable, _) | (_, Self::Unreadable) => Self::Unreadable,
            (Self::None | Self::NotAnAct(_), other) if other != Self::None => other,
            (one, Self::None | Self::NotAnAct(_)) => one,
            (Self::OptOut(out), Self::Act(said)) | (Self::Act(said), Self::OptOut(out)) => {
                Self::Act(said.strictest(out))
            }
            (one, other) => one.strictest(other),
        }
    }
}

impl Said {
    /// A record of these groups.
    pub(super) fn of<I: Into<Box<str>>>(groups: impl IntoIterator<Item = (I, bool)>) -> Self {
        Self { groups: groups.into_iter().map(|(id, granted)| (id.into(), granted)).collect(), ..Self::default() }
    }

    pub(super) fn push(&mut self, id: impl Into<Box<str>>, granted: bool) {
        self.groups.push((id.into(), granted));
    }

    /// Whether a group is granted; `None` if the record does not speak of it.
    pub fn answer(&self, id: &str) -> Option<bool> {
        let vendor = id.strip_prefix("vendor-").and_then(|number| number.parse::<u16>().ok());
        if let (Some(_), Some(vendor)) = (&self.vendors, vendor) {
            return Some(!self.refuses_vendor(vendor));
        }
        let mut answers = self.groups.iter().filter(|(known, _)| **known == *id).map(|(_, granted)| *granted);
        answers.next().map(|first| first && answers.all(|granted| granted))
    }

    /// Whether there is a TC string that does not grant this vendor.
    pub(super) fn refuses_vendor(&self, vendor: u16) -> bool {
        self.vendors.as_ref().is_some_and(|granted| !granted.iter().any(|range| range.contains(&vendor)))
    }

    /// What both grant. A group of which only one speaks is not granted by both.
    fn strictest(self, other: Self) -> Self {
        let both = |id: &str| {
            let granted = |said: &Self| said.answer(id) == Some(true);
            granted(&self) && granted(&other)
        };
        let ids = self.groups.iter().chain(&other.groups).map(|(id, _)| id);
        let groups = ids.map(|id| (id.clone(), both(id))).collect();
        let older = |one: Option<UnixTime>, other: Option<UnixTime>| one.into_iter().chain(other).min();
        let revision = if self.revision == other.revision { self.revision.clone() } else { Some("".into()) };
        Self {
            groups,
            // Rare, and no reason to intersect ranges.
            vendors: if self.vendors == other.vendors { self.vendors.clone() } else { Some(Vec::new()) },
            made: older(self.made, other.made),
            until: older(self.until, other.until),
            revision,
        }
    }
}
