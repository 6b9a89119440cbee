//! Answers for people: what was done, why, whose it is, and where that is written.

use std::fmt::{self, Display, Formatter};

use super::answer::{Answer, Source};
use super::input::Kind;
use crate::page::texts::Texts;
use crate::policy::{Action, Grant, Hardening, Policy, SameSite, Unclassified, Verdict};

/// Why a deleting line passes.
pub(crate) const DELETES: &str = "the line deletes the cookie, which always passes";
/// Why a cookie of ours does not reach the origin.
pub(crate) const OWN: &str = "it is Consentry's own, which the origin never sees";
/// Why a plain session cookie does not reach the origin.
pub(crate) const TWIN: &str = "it stands beside its `__Host-` twin, so it is from before that or forged";

/// Why something passes or does not.
pub(crate) fn why(policy: &Policy, grant: &Grant, verdict: &Verdict, kind: Kind, service: Option<&str>) -> String {
    let keeps = verdict.action == Action::Keep;
    let Some(found) = verdict.classified else {
        return match (verdict.rule, keeps, policy.parts().unclassified) {
            (Some(rule), true, _) if policy.is_of_consent_tool(rule) => {
                "it belongs to the consent tool that the site runs, and always passes".into()
            }
            (Some(_), true, _) => "it is a session cookie, which nobody needs to grant".into(),
            (Some(_), false, _) => {
                format!(
                    "the catalogue knows it ({}), but no category of the policy takes it in",
                    service.unwrap_or("?")
                )
            }
            (None, _, _) if kind == Kind::Url => "neither the policy nor the catalogue knows this address".into(),
            (None, _, Unclassified::Category(id)) => format!(
                "neither the policy nor the catalogue knows it, so that it counts as `{}`, which is {}granted",
                policy.category(id).id,
                if keeps { "" } else { "not " }
            ),
            (None, true, _) => "neither the policy nor the catalogue knows it, and `unclassified` is `keep`".into(),
            (None, false, _) => "neither the policy nor the catalogue knows it, and `unclassified` is `strip`".into(),
        };
    };
    let category = policy.category(found.owner.category);
    let by_name = found.owner.service.filter(|_| keeps != grant.has_category(found.owner.category));
    match (by_name, keeps) {
        _ if category.required => format!("`{}` is always granted", category.id),
        (Some(service), true) => format!("the service `{}` is granted by name", policy.service(service).id),
        (Some(service), false) => format!("the service `{}` is refused by name", policy.service(service).id),
        (None, true) => format!("`{}` is granted", category.id),
        (None, false) => format!("`{}` is not granted", category.id),
    }
}

/// What was changed of a cookie that passes.
pub(crate) fn edited(hardening: Option<Hardening>, cap: Option<u64>) -> String {
    let hardened = hardening.map(|hardening| {
        let same_site = match hardening.same_site {
            Some(SameSite::Strict) => Some("SameSite=Strict"),
            Some(SameSite::Lax) => Some("SameSite=Lax"),
            Some(SameSite::None) => Some("SameSite=None"),
            None => None,
        };
        let gets = [hardening.http_only.then_some("HttpOnly"), hardening.secure.then_some("Secure"), same_site];
        let mut changes = Vec::new();
        let gets: Vec<_> = gets.into_iter().flatten().collect();
        if !gets.is_empty() {
            changes.push(format!("gets {}", gets.join(", ")));
        }
        if hardening.readable {
            changes.push("loses `HttpOnly`".into());
        }
        if hardening.host_only || hardening.host_prefix {
            changes.push("loses `Domain`".into());
        }
        if hardening.host_prefix {
            changes.push("is renamed to `__Host-…` towards the browser".into());
        }
        format!("it is a session cookie: it {}", changes.join(", "))
    });
    let capped = cap.map(|cap| match cap {
        0 => "the policy lets it live only until the browser is closed".to_owned(),
        cap => format!("the policy lets it live {} at most", Texts::of("en").duration(cap)),
    });
    hardened.into_iter().chain(capped).collect::<Vec<_>>().join("; ")
}

/// Somebody else's text on somebody's terminal.
pub(crate) fn printable(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// An answer as a few lines of text.
pub(crate) struct Words<'a>(pub(crate) &'a Answer<'a>);

impl Display for Words<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let answer = self.0;
        writeln!(f, "{}", printable(answer.input))?;
        if answer.kind == Kind::Cookie {
            row(f, "cookie", &answer.name)?;
        }
        let done = answer.action.iter().map(|action| past(action)).collect::<Vec<_>>().join(" and ");
        writeln!(f, "  {done}: {}", printable(&answer.because))?;
        match &answer.output {
            Some(output) if output != answer.input => row(f, "becomes", output)?,
            None if answer.kind == Kind::Cookie => {
                row(f, "becomes", "nothing is left, so that no Cookie line is sent")?
            }
            _ => {}
        }
        for line in &answer.set_cookie {
            row(f, "browser gets", line)?;
        }
        match (answer.service_label, answer.service, answer.category) {
            (Some(label), Some(id), Some(category)) => {
                row(f, "belongs to", &format!("{label} (`{id}`), category `{category}`"))?;
            }
            (Some(label), Some(id), None) => row(f, "belongs to", &format!("{label} (`{id}`)"))?,
            (_, _, Some(category)) => row(f, "belongs to", &format!("category `{category}`, no service"))?,
            _ => row(f, "belongs to", "nobody known")?,
        }
        for source in answer.rule.iter().chain(&answer.cap_rule) {
            rule(f, source)?;
        }
        Ok(())
    }
}

fn row(f: &mut Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    writeln!(f, "  {label:<12} {}", printable(text))
}

fn rule(f: &mut Formatter<'_>, source: &Source<'_>) -> fmt::Result {
    row(f, "rule", &format!("{}:{}: {}", source.file, source.line, source.text))
}

fn past(action: &str) -> &'static str {
    match action {
        "keep" => "kept",
        "strip" => "stripped",
        "harden" => "hardened",
        "cap" => "shortened",
        _ => "expired",
    }
}
