//! One number for all that a response depends on: FNV-1a over the policy and the catalogue, in order; and SHA-256 over
//! the same for records, which nobody may find a second policy to.
//!
//! The standard hasher will not do: it may differ between two releases of Rust, and so between two proxies.

use aws_lc_rs::digest::{Context, SHA256};

use super::model::{CookieRule, PolicyParts, SessionRule, SnippetRule, StorageRule, TagRule, Unclassified};
use super::published::{RegionalLink, Translation};
use super::{Catalogue, Term};
use crate::fnv;

pub(super) fn fingerprint(parts: &PolicyParts, catalogue: &Catalogue) -> (u64, [u8; 32]) {
    let mut hash = Hashes { fnv: fnv::START, sha: Context::new(&SHA256) };
    hash.numbers([parts.version, parts.good_since, parts.law as u64, parts.choice_lifetime]);
    hash.term(parts.choice_term);
    hash.numbers([u64::from(parts.choice_beats_signals), u64::from(parts.catalogue_sessions), u64::from(parts.styles)]);
    hash.number(match parts.unclassified {
        Unclassified::Strip => u64::MAX,
        Unclassified::Keep => u64::MAX - 1,
        Unclassified::Category(id) => u64::from(id.0),
    });
    hash.list(&parts.categories, |hash, category| {
        hash.texts([&category.id, &category.label, &category.purpose]);
        hash.numbers([category.required, category.gpc, category.dnt].map(u64::from));
        hash.term(category.lifetime);
        hash.list(&category.catalogue, |hash, word| hash.text(word));
        hash.texts([&category.warning, &category.opt_out].map(|text| text.as_deref().unwrap_or_default()));
        hash.links(&category.opt_out_by_region);
        for texts in [&category.labels, &category.purposes, &category.warnings] {
            hash.translations(texts);
        }
    });
    hash.list(&parts.services, |hash, service| {
        hash.texts([&service.id, &service.label, &service.vendor, &service.purpose]);
        hash.number(u64::from(service.category.0));
        hash.term(service.lifetime);
        hash.texts([&service.privacy, &service.opt_out, &service.uses].map(|text| text.as_deref().unwrap_or_default()));
        hash.rules(&service.cookies, &service.storage, &service.tags, &service.snippets);
        hash.translations(&service.purposes);
        hash.optional(service.legal_basis.map(|basis| basis as u64));
        hash.list(&service.data, |hash, data| hash.text(data));
        hash.texts([&service.sharing, &service.domain].map(|text| text.as_deref().unwrap_or_default()));
        hash.links(&service.privacy_by_region);
        hash.links(&service.opt_out_by_region);
    });
    hash.list(&parts.laws, |hash, (region, law)| {
        hash.text(&region.to_string());
        hash.number(*law as u64);
    });
    hash.texts([parts.effective.as_deref().unwrap_or_default(), &*parts.language]);
    hash.list(&parts.domains, |hash, domain| hash.text(domain));
    hash.list(&parts.changes, |hash, change| {
        hash.number(change.version);
        hash.texts([change.date.as_deref().unwrap_or_default(), &*change.text]);
        hash.translations(&change.texts);
    });
    hash.rules(&parts.cookies, &[], &[], &[]);
    hash.sessions(&parts.sessions);
    hash.list(parts.consent_tool.as_slice(), |hash, tool| {
        hash.list(&tool.cookies, |hash, name| hash.text(&name.to_string()));
        hash.text(tool.service.as_deref().unwrap_or_default());
        hash.number(tool.vendors.into());
    });
    let known = catalogue.parts();
    hash.list(&known.services, |hash, service| {
        hash.texts([&service.id, &service.label, &service.vendor, &service.purpose, &service.category]);
        hash.optional(service.iab_vendor.map(u64::from));
        hash.texts([&service.privacy, &service.opt_out].map(|text| text.as_deref().unwrap_or_default()));
        hash.rules(&service.cookies, &service.storage, &service.tags, &service.snippets);
    });
    hash.sessions(&known.sessions);
    (hash.fnv, hash.sha.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"))
}

struct Hashes {
    fnv: u64,
    sha: Context,
}

impl Hashes {
    fn bytes(&mut self, bytes: &[u8]) {
        self.fnv = fnv::add(self.fnv, bytes.iter().copied());
        self.sha.update(bytes);
    }

    fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    fn numbers(&mut self, numbers: impl IntoIterator<Item = u64>) {
        numbers.into_iter().for_each(|number| self.number(number));
    }

    fn optional(&mut self, number: Option<u64>) {
        self.numbers([u64::from(number.is_some()), number.unwrap_or_default()]);
    }

    /// As long as it is and as it is said, for readers of the published page see that.
    fn term(&mut self, term: Option<Term>) {
        self.optional(term.map(|term| term.seconds));
        let said = term.into_iter().flat_map(Term::said);
        self.numbers(said.flat_map(|(unit, amount)| [unit as u64, u64::from(amount)]));
    }

    /// With its length, so that no two lists of texts run together into the same bytes.
    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes(text.as_bytes());
    }

    fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t (impl AsRef<str> + ?Sized + 't)>) {
        texts.into_iter().for_each(|text| self.text(text.as_ref()));
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|item| each(self, item));
    }

    fn translations(&mut self, texts: &[Translation]) {
        self.list(texts, |hash, translation| hash.texts([&translation.language, &translation.text]));
    }

    fn links(&mut self, links: &[RegionalLink]) {
        self.list(links, |hash, link| hash.texts([&*link.region.to_string(), &*link.url]));
    }

    fn rules(&mut self, cookies: &[CookieRule], storage: &[StorageRule], tags: &[TagRule], snippets: &[SnippetRule]) {
        self.list(cookies, |hash, cookie| {
            hash.text(&cookie.pattern.to_string());
            hash.optional(cookie.category.map(|id| u64::from(id.0)));
            hash.term(cookie.lifetime);
        });
        self.list(storage, |hash, key| hash.text(&key.pattern.to_string()));
        self.list(tags, |hash, tag| hash.text(&tag.pattern.to_string()));
        self.list(snippets, |hash, snippet| hash.text(&snippet.text));
    }

    /// Names only: how a session cookie is hardened shows in no validator's body.
    fn sessions(&mut self, sessions: &[SessionRule]) {
        self.list(sessions, |hash, session| hash.text(&session.pattern.to_string()));
    }
}
