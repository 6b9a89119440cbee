//! The records that other consent tools keep in cookies: which there are, and what one says.
//!
//! Each tool has a file of its own that reads its cookies into [`Said`]; `tool` holds that against a site's policy. They
//! are written by scripts and signed by nobody: whatever they hold, nothing here fails, and any doubt is no grant.

mod all_or_nothing;
mod axeptio;
mod borlabs;
mod c15t;
mod civic;
mod commanders_act;
mod complianz;
mod cookie_first;
mod cookie_information;
mod cookie_law_info;
mod cookie_script;
mod cookie_yes;
mod cookiebot;
mod didomi;
mod drupal;
mod fides;
mod gov_uk;
mod gpp;
mod iubenda;
mod jar;
mod ketch;
mod klaro;
mod meaning;
mod moove;
mod onetrust;
mod orestbida;
mod said;
mod script_only;
mod services;
mod shopify;
mod tarteaucitron;
mod tcf;
mod tealium;
mod tool;
mod trustarc;
mod us_privacy;
mod wire;
mod zaraz;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use jar::Jar;
use meaning::{Kinds, Meaning};
pub use said::{Reading, Said};
pub use tool::{Settings, Tool};

use crate::cookie::pairs;

/// A consent tool whose record we know how to read.
#[derive(Clone, Copy)]
pub struct Format(&'static Spec);

/// What one tool's file says of it.
struct Spec {
    /// The word of the configuration.
    word: &'static str,
    /// The cookies that hold the record, where the site names no other. A `*` stands for any end.
    record: &'static [&'static str],
    /// All cookies that are the tool's own, beside the record.
    beside: &'static [&'static str],
    /// Further cookies beside each that holds the record: how their names go on from its own.
    companions: &'static [&'static str],
    /// Its entry in the catalogue.
    service: Option<&'static str>,
    read: fn(&Jar<'_>) -> Reading,
    /// What a group of this name is for, where the site does not say.
    meaning: fn(&str) -> Meaning,
    /// The kinds for which it has groups.
    kinds: Kinds,
    /// Whether it grants everything at once.
    at_once: AtOnce,
    /// Whether a refused group is left out of the record, so that one cannot tell it from one that is new.
    omits: bool,
    /// How its record speaks of single services.
    services: Services,
    /// Whether it names vendors of the IAB, by number: what one may do, the purposes say.
    vendors: bool,
    /// The record is out of any server's reach; a script of ours has to tell.
    bridged: bool,
}

/// Whether a record grants everything that a visitor may refuse in one answer, whatever that is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AtOnce {
    /// It grants groups alone.
    Never,
    /// Some sites' records have no groups, or none until a visitor picks some.
    Sometimes,
    /// There are no groups.
    Always,
}

/// How a record speaks of single services.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Services {
    /// Not at all.
    Unnamed,
    /// Its groups are services, under names of the site's.
    Groups,
    /// The same under names of the tool's: `analytics` is Google Analytics to all its sites.
    Keys,
    /// Its groups are categories, and for each it lists the services that were accepted, as `group/service`.
    Lists,
}

impl Spec {
    /// What most tools have in common.
    const PLAIN: Self = Self {
        word: "",
        record: &[],
        beside: &[],
        companions: &[],
        service: None,
        read: |_| Reading::None,
        meaning: meaning::of_name,
        kinds: Kinds::ALL,
        at_once: AtOnce::Never,
        omits: false,
        services: Services::Unnamed,
        vendors: false,
        bridged: false,
    };
}

/// In the order of the alphabet, as messages list them.
static FORMATS: [&Spec; 35] = [
    &axeptio::SPEC,
    &borlabs::SPEC,
    &c15t::SPEC,
    &civic::SPEC,
    &commanders_act::SPEC,
    &complianz::SPEC,
    &cookie_information::SPEC,
    &cookie_law_info::SPEC,
    &all_or_nothing::COOKIE_NOTICE,
    &cookiebot::SPEC,
    &all_or_nothing::COOKIECONSENT,
    &cookie_first::SPEC,
    &cookie_script::SPEC,
    &cookie_yes::SPEC,
    &didomi::SPEC,
    &drupal::SPEC,
    &fides::SPEC,
    &gov_uk::SPEC,
    &gpp::SPEC,
    &iubenda::SPEC,
    &ketch::SPEC,
    &klaro::SPEC,
    &moove::SPEC,
    &onetrust::SPEC,
    &script_only::OSANO,
    &shopify::SPEC,
    &tarteaucitron::SPEC,
    &tcf::SPEC,
    &tealium::SPEC,
    &script_only::TERMLY,
    &trustarc::SPEC,
    &script_only::USERCENTRICS,
    &us_privacy::SPEC,
    &orestbida::SPEC,
    &zaraz::SPEC,
];

impl Format {
    /// All that we read.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMATS.iter().map(|spec| Self(spec))
    }

    /// The one of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::all().find(|format| format.word() == word)
    }

    /// How the configuration names it.
    pub fn word(self) -> &'static str {
        self.0.word
    }

    /// The cookies that hold its record, unless the site has renamed them; `*` stands for any end.
    pub fn cookies(self) -> &'static [&'static str] {
        self.0.record
    }

    /// Whether its record is out of a server's reach, so that the bridge script has to tell us of it.
    pub fn is_bridged(self) -> bool {
        self.0.bridged
    }

    /// Whether its record may answer for single vendors of the IAB.
    pub fn names_vendors(self) -> bool {
        self.0.vendors
    }

    /// Whether its record may grant everything in one answer, what no group stands for, too.
    pub fn grants_at_once(self) -> bool {
        self.0.at_once != AtOnce::Never
    }

    /// Reads the record out of the `Cookie` lines of a request. `cookie` is the site's own name for it.
    pub fn read<'a>(self, lines: impl IntoIterator<Item = &'a [u8]>, cookie: Option<&str>) -> Reading {
        let of_tool = |name: &[u8]| self.owns(cookie, name);
        let pairs = lines.into_iter().flat_map(pairs).filter(|pair| of_tool(pair.name()));
        let jar = Jar::new(pairs.collect(), cookie, self.0);
        if jar.is_doubtful() { Reading::Unreadable } else { (self.0.read)(&jar) }
    }

    /// Whether a cookie of this name is the tool's own.
    pub fn owns(self, cookie: Option<&str>, name: &[u8]) -> bool {
        let is_of = |name: &[u8]| self.records(cookie).any(|pattern| jar::fits(pattern, name));
        let stems = self.0.companions.iter().filter_map(|end| name.strip_suffix(end.as_bytes()));
        is_of(name) || self.0.beside.iter().any(|pattern| jar::fits(pattern, name)) || stems.into_iter().any(is_of)
    }

    /// The names of all cookies that are the tool's own; `*` stands for any end.
    pub fn owned(self, cookie: Option<&str>) -> impl Iterator<Item = Cow<'_, str>> {
        let records = || self.records(cookie).filter(|pattern| !pattern.ends_with('*'));
        let companions = records().flat_map(|name| self.0.companions.iter().map(move |end| format!("{name}{end}")));
        let plain = self.records(cookie).chain(self.0.beside.iter().copied());
        plain.map(Cow::Borrowed).chain(companions.map(Cow::Owned))
    }

    fn records(self, cookie: Option<&str>) -> impl Iterator<Item = &str> {
        self.0.record.iter().copied().chain(cookie)
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format({})", self.word())
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.word() == other.word()
    }
}
