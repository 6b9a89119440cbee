//! One entry of `sites`.

use std::sync::Arc;

use http::HeaderValue;
use http::header::{HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};

use super::certificate_file::Certificates;
use super::pages::{ConsentMode, Guarding, Withdraw};
use super::policy_cache::Policies;
use super::reading::Item;
use super::section::Section;
use super::site::{ConsentCookie, Gating, Mode, OnRewriteError, SecurityHeaders, SharedCache, Site};
use super::{HostName, across, consent_tool, origin_file, pages_file, visitor_file};
use crate::page::guard::Guard;
use crate::page::texts::SiteTexts;
use crate::page::theme::Theme;
use crate::policy::Policy;

/// `cookie.name` where there is no `cookie.domain`: the browser then keeps it for this host over TLS alone.
const COOKIE_NAME: &str = "__Host-consentry";

/// `cookie.name` where there is one, for `__Host-` forbids it.
const DOMAIN_COOKIE_NAME: &str = "__Secure-consentry";

/// Reads a site; `default_certificate` is what the file says for all sites.
pub(super) fn read(
    s: &Section<'_>,
    default_certificate: &(Option<Item<'_>>, Option<Item<'_>>),
    certificates: &Certificates,
    policies: &Policies,
) -> Option<Site> {
    let hosts = s.need("host", |item| {
        let hosts: Vec<_> = item.one_or_many().iter().filter_map(|item| item.parse(HostName::parse)).collect();
        (!hosts.is_empty()).then_some(hosts)
    });
    let origins = origin_file::read(s, certificates);
    let own = (s.get("certificate"), s.get("key"));
    if let (None, Some(key)) = &own {
        key.fail_with::<()>("a key without its certificate", "write `certificate:` beside it");
    }
    let (chain, key) = if own.0.is_some() { &own } else { default_certificate };
    let certificate = match chain {
        Some(chain) => certificates.load(chain, key.as_ref()),
        None if certificates.are_skipped() => None,
        None => {
            s.item.fail_with("`certificate` is missing", "write it here, or once for all sites at the top of the file")
        }
    };
    if let (Some(certificate), Some(item)) = (&certificate, s.get("host")) {
        across::certificate_covers(certificate, &item);
    }
    let policy = s.need("policy", |item| policies.of_site(item));
    let cookie = s.read("cookie", |item| item.section(|s| cookie(s, hosts.as_deref().unwrap_or_default())));
    if let Some(policy) = &policy {
        across::consent_applies(s, policy.parts(), cookie.as_ref().and_then(|cookie| cookie.domain.as_deref()));
    }
    let consent_tool =
        policy.as_ref().and_then(|policy| s.read("consent_tool", |item| consent_tool::read(item, policy)));
    let policy = policy.map(|policy| match &consent_tool {
        Some(tool) => tool.beside(&policy),
        None => policy,
    });
    let modes = [("off", Mode::Off), ("observe", Mode::Observe), ("enforce", Mode::Enforce)];
    let gatings = [("remove", Gating::Remove), ("neutralise", Gating::Neutralise), ("client", Gating::Client)];
    let on_errors = [("abort", OnRewriteError::Abort), ("pass", OnRewriteError::Pass)];
    let caches = [("private", SharedCache::Private), ("keyed", SharedCache::Keyed)];
    let site = Site {
        name: "".into(),
        hosts: Vec::new(),
        mode: s.or("mode", Mode::default(), |item| item.word(&modes)),
        prefix: s.or("prefix", "/_consent/".into(), prefix),
        cookie: cookie.unwrap_or_else(|| ConsentCookie { name: COOKIE_NAME.into(), domain: None }),
        neighbours: Box::default(),
        consent_tool: consent_tool.map(consent_tool::Named::into_tool),
        gating: s.or("gating", Gating::default(), |item| item.word(&gatings)),
        on_rewrite_error: s.or("on_rewrite_error", OnRewriteError::default(), |item| item.word(&on_errors)),
        strict_bounce: s.or("strict_bounce", true, Item::bool),
        shared_cache: s.or("shared_cache", SharedCache::default(), |item| item.word(&caches)),
        server_timing: s.or("server_timing", false, Item::bool),
        headers: s.or("headers", SecurityHeaders::default(), |item| item.section(headers)),
        language: s
            .read("language", visitor_file::language)
            .or_else(|| policy_language(policy.as_ref()?))
            .unwrap_or_default(),
        offered: Arc::default(),
        texts: s.or("texts", SiteTexts::default(), visitor_file::texts),
        theme: s.or("theme", Theme::default(), visitor_file::theme),
        withdraw: s.or("withdraw", Withdraw::default(), visitor_file::withdraw),
        app_origins: s.or("app_origins", Vec::new(), visitor_file::app_origins),
        banner: s.or("banner", true, Item::bool),
        policy_page: s.read("policy_page", pages_file::path),
        settings_link: s.or("settings_link", Some(pages_file::footer()), pages_file::settings_link),
        consent_mode: s.or("consent_mode", ConsentMode::default(), pages_file::consent_mode),
        consent_types: s.or("consent_types", Vec::new(), |item| {
            item.section(|s| pages_file::consent_types(s, policy.as_ref().map(|policy| policy.parts())))
        }),
        guarding: s.or("guard", Guarding::default(), pages_file::guard),
        guard: Guard::new(policy.as_ref()?),
        certificate,
        // What must be there comes last, so that its lack hides no other mistake.
        origins: origins?,
        effective: policy.as_ref()?.parts().effective.clone(),
        policy: policy?,
    };
    let hosts = hosts?;
    let offered = offered(&site);
    Some(Site { name: hosts.first()?.to_string().into(), hosts, offered, ..site })
}

/// The languages in which a visitor can be spoken to. Who reads Portuguese reads what the policy says in Brazil's; our own
/// texts are found by `pt-br` as well.
fn offered(site: &Site) -> Arc<[Box<str>]> {
    let theirs = site.policy.parts().languages();
    let ours = site.texts.languages().filter(|ours| {
        let nearer = |tag: &&str| tag.strip_prefix(ours).is_some_and(|rest| rest.starts_with('-'));
        !theirs.iter().any(nearer)
    });
    let all = std::iter::once(&*site.language).chain(theirs.iter().copied()).chain(ours);
    let mut offered: Vec<Box<str>> = Vec::new();
    for tag in all {
        if !offered.iter().any(|known| **known == *tag) {
            offered.push(tag.into());
        }
    }
    offered.into()
}

/// Whoever wrote the policy writes the site.
fn policy_language(policy: &Policy) -> Option<Box<str>> {
    policy.parts().languages().first().map(|language| (*language).into())
}

fn prefix(item: &Item<'_>) -> Option<Box<str>> {
    let text = item.text()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'~');
    if text.len() > 1
        && text.starts_with('/')
        && text.ends_with('/')
        && text.bytes().all(plain)
        && !text.contains("//")
        && !text.split('/').any(|part| matches!(part, "." | ".."))
    {
        return Some(text.into());
    }
    let hint = "a path that begins and ends with `/`, e.g. `/_consent/`";
    item.fail_with(format!("`{text}` cannot be the path of our pages"), hint)
}

fn cookie(s: &Section<'_>, hosts: &[HostName]) -> ConsentCookie {
    let domain = s.read("domain", |item| {
        let domain = item.text()?.trim_start_matches('.').to_ascii_lowercase();
        if psl::domain(domain.as_bytes()).is_none() {
            return item.fail(format!("browsers refuse cookies for `{domain}`"));
        }
        if let Some(host) = hosts.iter().find(|host| !host.is_below(&domain)) {
            return item.fail(format!("`{host}` is not below `{domain}`"));
        }
        Some(domain.into())
    });
    let wide = s.get("domain").is_some();
    let default = if wide { DOMAIN_COOKIE_NAME } else { COOKIE_NAME };
    let name = s.or("name", default.into(), |item| {
        let name = item.text()?;
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if !name.bytes().all(token) {
            return item.fail(format!("`{name}` cannot name a cookie"));
        }
        if wide && name.to_ascii_lowercase().starts_with("__host-") {
            let hint = format!("write e.g. `{DOMAIN_COOKIE_NAME}`, or leave out `domain`");
            return item.fail_with("browsers refuse a `__Host-` cookie with a domain", hint);
        }
        Some(name.into())
    });
    ConsentCookie { name, domain }
}

fn headers(s: &Section<'_>) -> SecurityHeaders {
    let policies = [
        "no-referrer",
        "no-referrer-when-downgrade",
        "origin",
        "origin-when-cross-origin",
        "same-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
        "unsafe-url",
    ]
    .map(|policy| (policy, policy));
    let hsts = s.read("hsts", hsts).and_then(|value| HeaderValue::from_str(&value).ok());
    let nosniff = s.or("nosniff", false, Item::bool).then(|| HeaderValue::from_static("nosniff"));
    let referrer = s.read("referrer_policy", |item| item.word(&policies)).and_then(|v| HeaderValue::from_str(v).ok());
    let permissions = s.read("permissions_policy", |item| item.parse(HeaderValue::from_str));
    let all = [
        (STRICT_TRANSPORT_SECURITY, hsts),
        (X_CONTENT_TYPE_OPTIONS, nosniff),
        (REFERRER_POLICY, referrer),
        (HeaderName::from_static("permissions-policy"), permissions),
    ];
    SecurityHeaders(all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

/// `hsts: 1 year`, or a mapping that says more.
fn hsts(item: &Item<'_>) -> Option<String> {
    let max_age = |item: &Item<'_>| {
        let term = item.lifetime()?;
        term.map(|term| term.seconds).or_else(|| item.fail("HSTS needs a duration"))
    };
    if !item.is_map() {
        return max_age(item).map(|seconds| format!("max-age={seconds}"));
    }
    item.section(|s| {
        let seconds = s.need("max_age", max_age)?;
        let below = if s.or("include_subdomains", false, Item::bool) { "; includeSubDomains" } else { "" };
        let preload = if s.or("preload", false, Item::bool) { "; preload" } else { "" };
        Some(format!("max-age={seconds}{below}{preload}"))
    })
    .flatten()
}
