//! What the lists of site and catalogue say of one cookie name: each is asked once, and from the answers follow
//! to whom the cookie belongs and how it is hardened.

use super::catalogue::{self, Catalogue};
use super::model::{Hardening, RuleId};
use super::names::Form;
use super::{CatalogueService, Classified, NameIndex, Policy, Rule, Standing};

/// A hardening, or `None` for a session cookie that must stay as it is.
type Session = (Option<Hardening>, RuleId);

/// The answers of the four lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'p> {
    /// The cookies of the site's consent tool.
    kept: Option<RuleId>,
    /// The site's cookies.
    cookie: Option<&'p Classified>,
    /// The site's session cookies.
    session: Option<&'p Session>,
    /// The cookies of the catalogue's services.
    known: Option<&'p catalogue::Entry>,
    /// The session cookies of the catalogue's stacks.
    stack: Option<&'p Session>,
}

impl<'p> Named<'p> {
    pub(super) fn look(policy: &'p Policy, name: &[u8]) -> Self {
        let forms = Forms { whole: Form::of(name), bare: bare(name).map(Form::of) };
        let Catalogue { cookies, sessions, .. } = &*policy.catalogue;
        let known = forms.find(cookies);
        // `_gd_session` looks like the session of a framework, but is 6sense's: a name that a service has for
        // tracking or comfort is of no stack.
        let tracks = known.is_some_and(|entry| !policy.catalogue.is_necessary(entry));
        Self {
            kept: policy.kept.find_form(&forms.whole).copied(),
            cookie: forms.find(&policy.cookies),
            session: forms.find(&policy.sessions),
            known,
            stack: if tracks { None } else { forms.find(sessions) },
        }
    }

    /// To whom it belongs. The site's lists come first (cookies, then sessions), then the catalogue's.
    pub(super) fn standing(&self, policy: &Policy) -> Standing {
        if let Some(rule) = self.kept {
            return Standing::Needed(Rule::Site(rule));
        }
        if let Some(found) = self.cookie {
            return Standing::Classified(*found);
        }
        if let Some((_, rule)) = self.session {
            return policy.needed(Rule::Site(*rule));
        }
        match (self.known.map(|entry| policy.adopted_as(*entry)), self.stack) {
            (Some(known @ Standing::Classified(_)), _) => known,
            (_, Some((_, rule))) => policy.needed(Rule::Catalogue(*rule)),
            (known, None) => known.unwrap_or(Standing::Unknown),
        }
    }

    /// Whose the catalogue holds it to be, whatever the site's lists say.
    pub(super) fn service(&self, policy: &'p Policy) -> Option<&'p CatalogueService> {
        policy.catalogue.services().get(self.known?.service)
    }

    /// As [`Policy::session`].
    pub(super) fn hardening(&self, policy: &Policy) -> Option<(Hardening, Rule)> {
        // Scripts of the tool read and write it.
        if self.kept.is_some() {
            return None;
        }
        if let Some(&(hardening, rule)) = self.session {
            return hardening.map(|hardening| (hardening, Rule::Site(rule)));
        }
        let chosen = self.cookie.is_some_and(|found| !policy.is_required(found.owner.category));
        let (hardening, rule) = *self.stack.filter(|_| policy.parts.catalogue_sessions && !chosen)?;
        Some((hardening?, Rule::Catalogue(rule)))
    }
}

/// A name as it is, and without a prefix that browsers give a meaning (RFC 6265bis §4.1.3, in any letter case):
/// `__Host-PHPSESSID` is the session cookie of PHP.
struct Forms<'n> {
    whole: Form<'n>,
    bare: Option<Form<'n>>,
}

impl Forms<'_> {
    fn find<'p, T>(&self, list: &'p NameIndex<T>) -> Option<&'p T> {
        list.find_form(&self.whole).or_else(|| list.find_form(self.bare.as_ref()?))
    }
}

fn bare(name: &[u8]) -> Option<&[u8]> {
    const PREFIXES: [&[u8]; 4] = [b"__Host-Http-", b"__Host-", b"__Secure-", b"__Http-"];
    if !name.starts_with(b"__") {
        return None;
    }
    let prefixed = |prefix: &&[u8]| name.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    let prefix = PREFIXES.iter().find(|prefix| prefixed(prefix))?;
    Some(&name[prefix.len()..])
}
