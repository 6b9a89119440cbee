//! The policy as plain tables, by which a program elsewhere decides as [`Policy`] does: the guard in the browser.
//!
//! Exact, without hashes: what the guard stops by mistake would be a broken page, and the tables can be read.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::model::{CategoryId, Unclassified};
use super::owners::Owned;
use super::{Classified, HostPattern, NamePattern, Owner, Policy, Rule, Standing};

/// Lists of names of an owner, and what needs an order, in the order in which it is asked.
type Lists = (Vec<(usize, String)>, Vec<(usize, String)>);

/// The same of hosts, those with the same end together, which makes the whole a tenth smaller.
type Hosts = (Vec<(usize, String, String)>, Vec<(usize, String)>);

/// What the policy knows, by the number of an owner in `owners`.
#[derive(Debug, Serialize)]
pub struct Tables {
    /// `category` or `category service`; `*` for what always passes, and nothing for what nobody can grant. A `!`
    /// before it marks what the catalogue holds to be necessary.
    owners: Vec<String>,
    /// To whom cookies belong that nobody knows.
    unknown: usize,
    /// The cookies of the consent tool, the site's, its sessions, those of the catalogue, its stacks. Names are apart
    /// by line feeds, a prefix ends with `*`; then come regular expressions.
    cookies: [Lists; 5],
    /// The same for keys of storage: the site's, and the catalogue's.
    storage: [Lists; 2],
    /// The same for hosts, apart by spaces and without the end that follows: `=host` for this one, `host` for all below it
    /// too; then those with a path.
    tags: [Hosts; 2],
}

/// Numbers of what there is always.
const NEVER: usize = 0;
const ALWAYS: usize = 1;

impl Policy {
    /// Everything that decides on cookies, keys and tags; nothing that says why.
    pub fn tables(&self) -> Tables {
        let mut owners = Owners::new(self);
        let owned = Owned::of(&self.parts);
        let own = |owners: &mut Owners<'_>, list: Vec<(NamePattern, Classified)>| {
            names(list.into_iter().map(|(pattern, found)| (pattern, owners.number(Standing::Classified(found), false))))
        };
        let (site_cookies, site_storage) = (own(&mut owners, owned.cookies), own(&mut owners, owned.storage));
        let site_tags =
            tags(owned.tags.into_iter().map(|(host, found)| (host, owners.number(Standing::Classified(found), false))));
        let tool = self.parts.consent_tool.iter().flat_map(|tool| tool.cookies.iter().cloned());
        let session = owners.number(self.needed(Rule::Site(super::RuleId(0))), false);
        let services: Vec<_> = self.catalogue.services().iter().enumerate().collect();
        let numbers: Vec<_> = services.iter().map(|(index, _)| owners.of_service(*index)).collect();
        let all = || services.iter().map(|(index, service)| (numbers[*index], *service));
        Tables {
            unknown: match self.parts.unclassified {
                Unclassified::Strip => NEVER,
                Unclassified::Keep => ALWAYS,
                Unclassified::Category(category) => owners.of(Owner { category, service: None }, false),
            },
            cookies: [
                names(tool.map(|pattern| (pattern, ALWAYS))),
                site_cookies,
                names(self.parts.sessions.iter().map(|rule| (rule.pattern.clone(), session))),
                names(all().flat_map(|(n, known)| known.cookies.iter().map(move |rule| (rule.pattern.clone(), n)))),
                names(self.catalogue.parts().sessions.iter().map(|rule| (rule.pattern.clone(), session))),
            ],
            storage: [
                site_storage,
                names(all().flat_map(|(n, known)| known.storage.iter().map(move |rule| (rule.pattern.clone(), n)))),
            ],
            tags: [
                site_tags,
                tags(all().flat_map(|(n, known)| known.tags.iter().map(move |rule| (rule.pattern.clone(), n)))),
            ],
            owners: owners.words,
        }
    }
}

/// Gives each owner a number.
struct Owners<'p> {
    policy: &'p Policy,
    words: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl<'p> Owners<'p> {
    fn new(policy: &'p Policy) -> Self {
        let words = ["", "*", "!", "!*"].map(str::to_owned).to_vec();
        let numbers = words.iter().cloned().zip(0..).collect();
        Self { policy, words, numbers }
    }

    fn number(&mut self, standing: Standing, necessary: bool) -> usize {
        let fixed = usize::from(necessary) * 2;
        match standing {
            Standing::Classified(found) => self.of(found.owner, necessary),
            Standing::Homeless(_) | Standing::Unknown => NEVER + fixed,
            Standing::Needed(_) => ALWAYS + fixed,
        }
    }

    fn of_service(&mut self, service: usize) -> usize {
        let entry = super::catalogue::Entry { service, rule: super::RuleId(0) };
        let (standing, necessary) = (self.policy.adopted_as(entry), self.policy.catalogue.is_necessary(&entry));
        let asked = self.policy.parts.consent_tool.as_ref().is_some_and(|tool| tool.vendors);
        let vendor = self.policy.catalogue.services()[service].iab_vendor.filter(|_| asked);
        match (standing.classified().map(|found| found.owner), vendor) {
            // Refused by number, where it is not declared and so has no name; only a consent tool does that.
            (Some(Owner { category, service: None }), Some(vendor)) if !self.policy.is_required(category) => {
                self.of_words(category, Some(&vendor_word(vendor)), necessary)
            }
            _ => self.number(standing, necessary),
        }
    }

    fn of(&mut self, owner: Owner, necessary: bool) -> usize {
        let service = owner.service.map(|id| &*self.policy.service(id).id);
        self.of_words(owner.category, service, necessary)
    }

    fn of_words(&mut self, category: CategoryId, service: Option<&str>, necessary: bool) -> usize {
        let mut words = if necessary { "!" } else { "" }.to_owned();
        words.push_str(&self.policy.category(category).id);
        if let Some(service) = service {
            words.push(' ');
            words.push_str(service);
        }
        *self.numbers.entry(words).or_insert_with_key(|words| {
            self.words.push(words.clone());
            self.words.len() - 1
        })
    }
}

/// What stands for a vendor of the IAB in the place of a service; no service has such a name.
pub fn vendor_word(vendor: u16) -> String {
    format!("~{vendor}")
}

fn names(rules: impl Iterator<Item = (NamePattern, usize)>) -> Lists {
    let (mut known, mut regexes) = (BTreeMap::new(), Vec::new());
    for (pattern, owner) in rules {
        match pattern {
            NamePattern::Regex(_) if is_portable(&pattern) => regexes.push((owner, pattern.to_string())),
            // What it matches cannot be told there, nor whether what stands behind it is to be asked: that is left to us.
            NamePattern::Regex(_) => regexes.push((ALWAYS, String::new())),
            // The first of equal patterns counts.
            _ => {
                known.entry(bytes(&pattern.to_string())).or_insert(owner);
            }
        }
    }
    // What a shorter prefix says as well need not be said. (Of an escaped name two forms compete by their length.)
    if !known.keys().any(|name: &String| name.contains('%')) {
        let all = known.clone();
        known.retain(|name, owner| shorter_prefix(&all, name) != Some(*owner));
    }
    let mut lists = BTreeMap::<_, Vec<_>>::new();
    for (name, owner) in known {
        lists.entry(owner).or_default().push(name);
    }
    (lists.into_iter().map(|(owner, names)| (owner, names.join("\n"))).collect(), regexes)
}

/// What the longest other prefix of a name, or of a prefix, says.
fn shorter_prefix(known: &BTreeMap<String, usize>, name: &str) -> Option<usize> {
    let (stem, end) = name.strip_suffix('*').map_or((name, name.len() + 1), |stem| (stem, stem.len()));
    let ends = stem.char_indices().map(|(at, c)| at + c.len_utf8()).filter(|at| *at < end);
    ends.rev().find_map(|at| known.get(&format!("{}*", &stem[..at])).copied())
}

fn tags(rules: impl Iterator<Item = (HostPattern, usize)>) -> Hosts {
    let (mut known, mut paths, mut seen) = (BTreeMap::new(), Vec::new(), HashSet::new());
    for (pattern, owner) in rules {
        let host = format!("{}{}", if pattern.subdomains { "" } else { "=" }, pattern.host);
        // The first of equal patterns counts.
        if !seen.insert(format!("{host}{}", pattern.path)) {
            continue;
        }
        if pattern.path.is_empty() {
            known.insert(host, owner);
        } else {
            paths.push((pattern.path_weight(), (owner, format!("{host}{}", pattern.path))));
        }
    }
    // Stable: the order of the file decides between equals.
    paths.sort_by(|(a, _), (b, _)| b.cmp(a));
    let mut lists = BTreeMap::<_, Vec<_>>::new();
    for (host, owner) in &known {
        // What the domain above says as well need not be said.
        if domain_above(&known, host) != Some(*owner) {
            let (name, end) = host.split_at(host.rfind('.').unwrap_or(host.len()));
            lists.entry((*owner, end)).or_default().push(name);
        }
    }
    let lists = lists.into_iter().map(|((owner, end), names)| (owner, names.join(" "), end.to_owned())).collect();
    (lists, paths.into_iter().map(|(_, rule)| rule).collect())
}

/// What the next rule for this host says, from longer to shorter.
fn domain_above(known: &BTreeMap<String, usize>, host: &str) -> Option<usize> {
    let own = host.strip_prefix('=');
    let above = std::iter::successors(host.split_once('.'), |(_, rest)| rest.split_once('.')).map(|(_, rest)| rest);
    own.into_iter().chain(above).find_map(|name| known.get(name).copied())
}

/// Each byte as a character: names are compared as bytes.
fn bytes(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

/// Whether a pattern means in JavaScript what it means here: of a regular expression, the plain part of the syntax does.
pub(super) fn is_portable(pattern: &NamePattern) -> bool {
    if !matches!(pattern, NamePattern::Regex(_)) {
        return true;
    }
    let text = pattern.to_string();
    let mut rest = text.as_bytes();
    let mut class = false;
    while let [byte, after @ ..] = rest {
        rest = after;
        let next = after.first().copied();
        let plain = match (*byte, class) {
            (b'\\', _) => {
                rest = after.get(1..).unwrap_or_default();
                next.is_some_and(|next| b"dDwW.-_/[](){}+*?^$|\\".contains(&next))
            }
            (b'[', true) => false,
            (b'[', false) => {
                class = true;
                let first = if next == Some(b'^') { after.get(1).copied() } else { next };
                first != Some(b']')
            }
            (b']', _) => {
                class = false;
                true
            }
            (b'&' | b'-' | b'~', true) => next != Some(*byte),
            (b'(', false) => next != Some(b'?') || after.get(1) == Some(&b':'),
            (b'{', false) => next.is_some_and(|next| next.is_ascii_digit()),
            // Nothing is repeated twice, nor what has no width.
            (b'*' | b'+' | b'}' | b'^' | b'$', false) => next.is_none_or(|next| !b"*+{".contains(&next)),
            (b'?', false) => next.is_none_or(|next| !b"*+{?".contains(&next)),
            _ => byte.is_ascii_graphic() || *byte == b' ',
        };
        if !plain {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_means_the_same_in_a_browser_goes_there() {
        for text in ["^_gd[0-9]{13}$", "^(?:a|b)\\.x+?$", "^[^a-z_-]*\\d{2,}$", "^a.b$", "^x(-y)?$"] {
            assert!(is_portable(&NamePattern::parse(text).unwrap()), "{text}");
        }
        for text in ["^(?i)a", "^[[:alpha:]]", "^[]a]", "^\\x41", "^a\\b", "^\\s", "^ab**c", "^(?P<n>a)"] {
            assert!(!is_portable(&NamePattern::parse(text).unwrap()), "{text}");
        }
    }
}
