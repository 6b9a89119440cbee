//! The guard's script, and what it tells: names of cookies, keys and tags that it has stopped in a browser.

use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, REFERER, VARY};
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode};
use url::Url;

use super::{JAVASCRIPT, Visit, choice, path_of};
use crate::body::{Body, Received};
use crate::config::Mode;
use crate::filter::Coding;
use crate::filter::accept_encoding::Accepted;
use crate::filter::forwarded::client_address;
use crate::own;
use crate::policy::{Action, Finding, FindingAction, FindingKind, Grant, Policy};
use crate::telemetry::findings::Scene;

/// The most bytes of what is told at once.
const MOST_BYTES: usize = 16 << 10;

/// The most things.
const MOST: usize = 64;

/// The longest address that is looked at, in bytes: host and path of a rule.
const LONGEST: usize = 512;

/// How often one network may tell something in a minute.
pub const A_MINUTE: u32 = 60;

/// `GET guard.js`: its address changes with it, so that it may be kept; under an old address it may not.
pub(super) fn script(visit: &Visit<'_>, head: &Parts) -> Response<Body> {
    let guard = &visit.site.guard;
    let zipped = Accepted::read(&head.headers).takes(Coding::Gzip);
    let policy = &visit.site.policy;
    let body = if zipped { Body::full(guard.zipped(policy)) } else { Body::full(guard.text(policy)) };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    own::headers(headers);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JAVASCRIPT));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    if zipped {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if head.uri.query() == Some(&guard.mark()) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    }
    response
}

/// `POST guard`: takes down what was stopped. Nobody reads the answer.
pub(super) async fn report(visit: &Visit<'_>, headers: &HeaderMap, body: Received) -> Response<Body> {
    let client = client_address(headers, visit.peer, visit.trusted);
    if !visit.reports.take(client, A_MINUTE, visit.now) {
        return super::failed(visit, StatusCode::TOO_MANY_REQUESTS);
    }
    let limited = Visit { limit: visit.limit.min(MOST_BYTES), ..*visit };
    let body = match choice::form(&limited, headers, body).await {
        Ok(body) => body,
        Err(status) => return super::failed(visit, status),
    };
    let site = visit.site;
    let page = headers.get(REFERER).and_then(|r| path_of(r.to_str().ok()?, visit.authority));
    let scene = Scene {
        site: &site.name,
        policy: &site.policy,
        page: page.and_then(|page| page.split(['?', '#']).next()).unwrap_or("/"),
        applied: site.mode == Mode::Enforce && site.guards() == Some(false),
        now: visit.now,
    };
    visit.findings.found(scene, &stopped(&site.policy, &visit.decision.grant, &body));
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    own::headers(response.headers_mut());
    response
}

/// What the fields of a form name that this grant does not allow: `cookie`, `storage` and `tag`, the last with a host and the
/// path of the rule. Anybody can send anything: what the policy lets pass, or nobody has heard of, is not taken.
pub fn stopped(policy: &Policy, grant: &Grant, form: &[u8]) -> Vec<Finding> {
    let fields = url::form_urlencoded::parse(form).take(MOST);
    fields.filter_map(|(kind, name)| finding(policy, grant, &kind, &name)).collect()
}

fn finding(policy: &Policy, grant: &Grant, kind: &str, name: &str) -> Option<Finding> {
    let url = (kind == "tag" && name.len() <= LONGEST).then(|| Url::parse(&format!("https://{name}")).ok()).flatten();
    let (kind, name, verdict) = match (kind, &url) {
        ("tag", Some(url)) => (FindingKind::Tag, url.host_str()?, policy.judge_tag(grant, url)),
        _ if name.is_empty() || name.len() > Finding::MAX_NAME => return None,
        ("cookie", _) => (FindingKind::Cookie, name, policy.judge_cookie(grant, name.as_bytes())),
        ("storage", _) => (FindingKind::Storage, name, policy.judge_storage(grant, name)),
        _ => return None,
    };
    let owner = verdict.classified.map(|classified| classified.owner);
    let found = || Finding::new(kind, name.as_bytes(), owner, verdict.rule, FindingAction::Strip);
    (verdict.action == Action::Strip).then(found)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::config::{CertificateFiles, parse};
    use crate::consent::required;

    fn policy(extra: &str) -> std::sync::Arc<Policy> {
        let text = format!(
            "listen: 127.0.0.1:0\nsites: [{{ host: shop.example, origin: 'http://b', policy: {{ {extra} services: {{ \
             counter: {{ category: analytics, cookies: {{ _ga: session }}, storage: ['_c*'], \
             hosts: ['*.counter.example', 'cdn.example/count/*'] }} }} }} }}]"
        );
        let (config, _) = parse(&text, "t.yaml", std::path::Path::new(""), 0, CertificateFiles::Skip).unwrap();
        config.sites[0].policy.clone()
    }

    static POLICY: LazyLock<std::sync::Arc<Policy>> = LazyLock::new(|| policy(""));

    fn told(policy: &Policy, grant: &Grant, form: &str) -> Vec<(FindingKind, String)> {
        stopped(policy, grant, form.as_bytes()).into_iter().map(|found| (found.kind, found.name.into())).collect()
    }

    #[test]
    fn only_what_the_policy_stops_is_taken() {
        let form = "cookie=_ga&cookie=lang&storage=_c1&storage=theme&tag=js.counter.example/&tag=cdn.example/count/*\
            &tag=cdn.example/tea.js&tag=other.example/&snippet=x&cookie=&tag=&=";
        let mut grant = required(&POLICY);
        let cookies =
            |names: &[&str]| names.iter().map(|name| (FindingKind::Cookie, (*name).to_owned())).collect::<Vec<_>>();
        let all = [
            cookies(&["_ga", "lang"]),
            vec![
                (FindingKind::Storage, "_c1".to_owned()),
                (FindingKind::Tag, "js.counter.example".to_owned()),
                (FindingKind::Tag, "cdn.example".to_owned()),
            ],
        ];
        assert_eq!(told(&POLICY, &grant, form), all.concat());
        assert_eq!(told(&policy("unclassified: keep,"), &grant, form).len(), 4);
        grant.grant_category(POLICY.category_named("analytics").unwrap());
        // What nobody has declared is nobody's to grant.
        assert_eq!(told(&POLICY, &grant, form), cookies(&["lang"]));
    }

    #[test]
    fn nothing_long_is_taken_and_not_much() {
        let grant = required(&POLICY);
        let long = "a".repeat(Finding::MAX_NAME + 1);
        assert_eq!(told(&POLICY, &grant, &format!("cookie={long}&tag={}.counter.example", "a.".repeat(300))), []);
        let many: String = (0..1000).map(|n| format!("cookie=c{n}&")).collect();
        assert_eq!(told(&POLICY, &grant, &many).len(), MOST);
    }

    proptest! {
        #[test]
        fn no_form_panics_or_tells_of_what_passes(form in "(cookie=|tag=|storage=|&|_ga|_c|%[0-9a-f]{2}|counter.example|//|:|@|\\PC){0,40}") {
            let grant = required(&POLICY);
            for found in stopped(&POLICY, &grant, form.as_bytes()) {
                prop_assert!(found.name.len() <= Finding::MAX_NAME && !found.name.contains(char::is_control));
                let judged = match found.kind {
                    FindingKind::Storage => POLICY.judge_storage(&grant, &found.name).action,
                    FindingKind::Tag => Action::Strip,
                    _ => POLICY.judge_cookie(&grant, found.name.as_bytes()).action,
                };
                prop_assert_eq!(judged, Action::Strip);
                prop_assert_eq!(found.action, FindingAction::Strip);
            }
        }
    }
}
