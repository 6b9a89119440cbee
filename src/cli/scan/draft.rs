//! A configuration drafted from what was found, in `observe` mode: what the catalogue knows is declared as seen, the
//! rest stands in comments, for the operator to decide. Nothing is guessed.

use std::fmt::Write as _;

use url::Url;

use super::found::{Cookie, Found, Tag};
use super::show::{self, count};
use crate::cli::init;
use crate::cli::yaml::{quoted, scalar};
use crate::page::texts::Texts;

/// The frame; the capitals are filled in.
const TEMPLATE: &str = include_str!("draft.yaml");

/// Longer names are shown cut: nobody declares them as they are.
const LONGEST_NAME: usize = 128;

/// What the draft says of the site itself.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    /// The hosts by which visitors know it; at least one.
    pub(super) hosts: Vec<String>,
    /// Its own server, where that is known.
    pub(super) origin: Option<&'a Url>,
    pub(super) interrupted: bool,
}

/// The whole file.
pub(super) fn draft(found: &Found<'_>, frame: &Frame<'_>) -> String {
    let hosts: Vec<String> = frame.hosts.iter().map(|host| scalar(host)).collect();
    let listen = init::listen(frame.hosts.iter().map(String::as_str));
    let origin = match frame.origin {
        Some(origin) => scalar(origin[..url::Position::BeforePath].trim_end_matches('/')),
        None => "http://127.0.0.1:8080   # not known from a scan: write where it listens".to_owned(),
    };
    let name = frame.hosts.first().map_or("site", |host| host.trim_matches(['[', ']']));
    let text = TEMPLATE
        .replace("WHOLE", if frame.interrupted { "The scan was interrupted." } else { "" })
        .replace("LIMITS", show::LIMITS)
        .replace("LISTEN", listen)
        .replace("CERTIFICATE", &scalar(&format!("certs/{name}.pem")))
        .replace("HOSTS", &if hosts.len() == 1 { hosts.concat() } else { format!("[{}]", hosts.join(", ")) })
        .replace("ORIGIN", &origin);
    let mut out: String = text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
    services(&mut out, found);
    cookies(&mut out, found);
    out.push_str(
        "\n      # Session cookies of the usual stacks (PHPSESSID, JSESSIONID, ...) get HttpOnly, Secure and \
         SameSite=Strict.\n      sessions:\n        catalogue: true\n",
    );
    out
}

/// What the catalogue knows, then the hosts that it does not.
fn services(out: &mut String, found: &Found<'_>) {
    let known = found.services();
    let unknown: Vec<&Tag<'_>> = found.tags.values().filter(|tag| tag.owner.category.is_none()).collect();
    if known.is_empty() && unknown.is_empty() {
        return;
    }
    out.push_str("\n      # Services that were found. With `uses`, what is left out comes from the catalogue.\n");
    // Without an entry the key would have no mapping.
    out.push_str(if known.is_empty() { "      services: {}\n" } else { "      services:\n" });
    for (service, page) in known {
        let _ = writeln!(out, "        {}:   # first seen on {}", scalar(&service.id), comment(page));
        let _ = writeln!(out, "          uses: {}", scalar(&service.id));
        let _ = writeln!(out, "          category: {}", scalar(&service.category));
        let seen: Vec<(String, u64)> = service
            .cookies
            .iter()
            .filter_map(|rule| {
                let of_rule = found.cookies.values().filter(|cookie| cookie.owner.rule == Some(rule.rule));
                Some((rule.pattern.to_string(), of_rule.map(|cookie| cookie.lifetime).max()?))
            })
            .collect();
        if !seen.is_empty() {
            out.push_str("          cookies:   # with the lifetimes that were seen\n");
        }
        for (pattern, lifetime) in seen {
            let _ = writeln!(out, "            {}: {}", scalar(&pattern), as_yaml(lifetime));
        }
    }
    if !unknown.is_empty() {
        let _ = writeln!(
            out,
            "        # Decide: {} that the catalogue does not know. Until you write a service for it, each\n        \
             # passes, whatever the visitor chose. Such as\n        #counter: {{ category: analytics, purpose: Counts visits., hosts: [counter.example] }}",
            count(unknown.len(), "tag")
        );
    }
    for tag in unknown {
        let host = tag.host.as_deref().unwrap_or_default();
        let (element, page) = (comment(&tag.element), comment(&tag.first_page));
        let _ = writeln!(out, "        #   {}   # unclassified: {element}, first seen on {page}", quoted(host));
    }
}

/// Session cookies of the stack, then those that nobody knows.
fn cookies(out: &mut String, found: &Found<'_>) {
    let (known, unknown): (Vec<&Cookie<'_>>, Vec<&Cookie<'_>>) =
        found.cookies.values().filter(|cookie| cookie.owner.entry.is_none()).partition(|c| c.owner.category.is_some());
    let mut sessions: Vec<(String, &str, u64, &str)> = Vec::new();
    for cookie in known {
        let (Some(pattern), Some(category)) = (cookie.owner.pattern, cookie.owner.category) else { continue };
        let pattern = pattern.to_string();
        match sessions.iter_mut().find(|(known, ..)| *known == pattern) {
            Some((_, _, lifetime, _)) => *lifetime = cookie.lifetime.max(*lifetime),
            None => sessions.push((pattern, category, cookie.lifetime, &cookie.first_page)),
        }
    }
    if sessions.is_empty() && unknown.is_empty() {
        return;
    }
    out.push_str("\n      # Cookies that belong to no service.\n");
    out.push_str(if sessions.is_empty() { "      cookies: {}\n" } else { "      cookies:\n" });
    for (pattern, category, lifetime, page) in sessions {
        let (pattern, category, lifetime) = (scalar(&pattern), scalar(category), as_yaml(lifetime));
        let page = comment(page);
        let _ = writeln!(
            out,
            "        {pattern}: {{ category: {category}, lifetime: {lifetime} }}   # of the site's session, first seen on {page}"
        );
    }
    if !unknown.is_empty() {
        let _ = writeln!(
            out,
            "        # Decide: {} that the catalogue does not know. Until you give one a category and remove its `#`,\n        \
             # `unclassified: strip` holds it back once the policy is enforced.",
            count(unknown.len(), "cookie")
        );
    }
    for cookie in unknown {
        let lifetime = as_yaml(cookie.lifetime);
        let _ = writeln!(
            out,
            "        #{}: {{ category: ?, lifetime: {lifetime} }}   # unclassified: first seen on {}",
            shortened(&cookie.name),
            comment(&cookie.first_page)
        );
    }
}

fn as_yaml(seconds: u64) -> String {
    if seconds == 0 { "session".to_owned() } else { Texts::of("en").duration(seconds) }
}

/// A name in quotes, wherever it may be cut.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        None => quoted(name),
        Some((end, _)) => quoted(&format!("{}*", &name[..end])),
    }
}

/// Text of others in a comment: one line, whatever it holds.
fn comment(text: &str) -> String {
    let text: String = text.chars().take(LONGEST_NAME).collect();
    let text = quoted(&text);
    text[1..text.len() - 1].to_owned()
}
