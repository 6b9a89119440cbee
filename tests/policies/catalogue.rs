//! The catalogue that the policies lean on: its size, its soundness, and that it knows what the five policies name.

use std::collections::{HashMap, HashSet};

use consentry::consent::formats::Format;
use consentry::policy::NamePattern;

use super::*;

#[test]
fn catalogue_is_as_large_as_promised() {
    let catalogue = config::catalogue();
    let services = catalogue.services();
    let cookies: usize = services.iter().map(|service| service.cookies.len()).sum();
    let hosts: usize = services.iter().map(|service| service.tags.len()).sum();
    assert!(services.len() >= 150 && cookies >= 1_000 && hosts >= 1_000, "{} {cookies} {hosts}", services.len());
    let stacks = fs::read_to_string(folder().join("sessions.yaml")).unwrap();
    let stacks = stacks.lines().filter(|line| line.ends_with(':') && line.starts_with(|c: char| c.is_alphanumeric()));
    assert!(stacks.count() >= 60);
    let notices = fs::read_to_string(folder().join("NOTICES.md")).unwrap();
    assert!(notices.contains("Open Cookie Database") && notices.contains("third-party-web"));
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/catalogue")
}

#[test]
fn no_pattern_stands_twice() {
    let catalogue = config::catalogue();
    let mut twice = Vec::new();
    let mut cookies = HashMap::new();
    let mut tags = HashMap::new();
    for service in catalogue.services() {
        for cookie in &service.cookies {
            twice.extend(
                cookies.insert(cookie.pattern.to_string(), &service.id).map(|id| (id, cookie.pattern.to_string())),
            );
        }
        for tag in &service.tags {
            twice.extend(tags.insert(tag.pattern.to_string(), &service.id).map(|id| (id, tag.pattern.to_string())));
        }
    }
    assert!(cookies.len() > 1_000 && tags.len() > 1_000);
    assert!(twice.is_empty(), "{twice:#?}");
    let mut sessions = HashSet::new();
    let names = catalogue.parts().sessions.iter().map(|s| s.pattern.to_string());
    let twice: Vec<_> = names.filter(|pattern| !sessions.insert(pattern.clone())).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn no_pattern_catches_everything() {
    let catalogue = config::catalogue();
    let cookies = catalogue.services().iter().flat_map(|service| &service.cookies).map(|cookie| &cookie.pattern);
    let sessions = catalogue.parts().sessions.iter().map(|session| &session.pattern);
    let strangers = ["a", "x1", "name", "theme", "0", "some-long-name_of.nothing", "Z", "lang2"];
    let mut regexes = 0;
    for pattern in cookies.chain(sessions) {
        assert!(strangers.iter().all(|name| !pattern.matches(name.as_bytes())), "{pattern}");
        regexes += usize::from(matches!(pattern, NamePattern::Regex(_)));
        if let NamePattern::Prefix(prefix) = pattern {
            assert!(prefix.len() >= 2, "{pattern}");
        }
    }
    assert!(regexes >= 15, "{regexes}");
    let none = [b"a".as_slice(), b"theme", b"name"].map(|name| catalogue.cookie(name).is_none());
    assert_eq!(none, [true; 3]);
}

#[test]
fn every_service_has_a_category_and_a_source() {
    for service in config::catalogue().services() {
        assert!(["necessary", "functional", "analytics", "marketing"].contains(&&*service.category), "{}", service.id);
        assert!(!service.label.is_empty() && !service.purpose.is_empty(), "{}", service.id);
    }
    let mut files = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        files += 1;
        let text = fs::read_to_string(&path).unwrap();
        // Entries begin in the first column; what follows is indented.
        let mut entries: Vec<(&str, bool)> = Vec::new();
        for line in text.lines() {
            if line.starts_with(|c: char| c.is_alphanumeric() || c == '"') {
                entries.push((line, false));
            } else if let (Some(entry), Some(sources)) = (entries.last_mut(), line.strip_prefix("  source: [")) {
                entry.1 = sources.len() > 3;
            }
        }
        let without: Vec<_> = entries.iter().filter(|(_, source)| !source).collect();
        assert!(without.is_empty() && !entries.is_empty(), "{}: {without:?}", path.display());
    }
    assert_eq!(files, 26);
}

/// Names, hosts and snippets that Msgro (M5) and Mailjet (J10) name, and whose they are.
#[test]
fn names_of_the_five_policies_lead_to_their_services() {
    let catalogue = config::catalogue();
    for (service, category, cookies, urls) in [
        (
            "google-analytics",
            "analytics",
            "_ga _ga_X _gid _gat __utma __utmz",
            "https://www.google-analytics.com/analytics.js",
        ),
        ("hotjar", "analytics", "_hjSessionUser_1 _hjid", "https://static.hotjar.com/c/hotjar-1.js"),
        ("mixpanel", "analytics", "mp_abc_mixpanel", "https://cdn.mxpnl.com/libs/mixpanel-2-latest.min.js"),
        (
            "google-ads",
            "marketing",
            "_gcl_au _gcl_aw _gac_UA-1-1",
            "https://www.googleadservices.com/pagead/conversion.js",
        ),
        (
            "meta-pixel",
            "marketing",
            "_fbp _fbc",
            "https://connect.facebook.net/en_US/fbevents.js https://www.facebook.com/tr?id=1",
        ),
        ("linkedin-insight", "marketing", "ln_or li_fat_id", "https://snap.licdn.com/li.lms-analytics/insight.min.js"),
        ("intercom", "functional", "intercom-id-a intercom-session-a", "https://widget.intercom.io/widget/a"),
        ("zendesk", "functional", "__zlcmid", "https://static.zdassets.com/ekr/snippet.js"),
        ("calendly", "functional", "_calendly_session", "https://assets.calendly.com/assets/external/widget.js"),
        (
            "youtube",
            "functional",
            "yt-remote-x",
            "https://www.youtube.com/embed/x https://www.youtube-nocookie.com/embed/x",
        ),
        ("youtube-viewers", "marketing", "VISITOR_INFO1_LIVE YSC __Secure-YEC", ""),
        ("vimeo", "functional", "continuous_play_v3", "https://player.vimeo.com/video/1"),
        ("typeform", "functional", "", "https://embed.typeform.com/next/embed.js"),
        (
            "segment",
            "analytics",
            "ajs_anonymous_id ajs_user_id ajs_group_id ajs%3Acookies ajs%3Atest __tld__",
            "https://cdn.segment.com/analytics.js/v1/k/analytics.min.js",
        ),
        ("6sense", "marketing", "_an_uid _gd_visitor _gd_session", "https://j.6sc.co/6si.min.js"),
        ("gainsight-px", "analytics", "apt.sid apt.uid", "https://web-sdk.aptrinsic.com/api/aptrinsic.js"),
        (
            "tiktok-pixel",
            "marketing",
            "_ttp _tt_enable_cookie ttclid",
            "https://analytics.tiktok.com/i18n/pixel/events.js",
        ),
        ("twitter-ads", "marketing", "_twclid", "https://static.ads-twitter.com/uwt.js"),
        ("microsoft-ads", "marketing", "_uetsid _uetvid", "https://bat.bing.com/bat.js"),
        (
            "mutiny",
            "functional",
            "mutiny.user.token mutiny.user.session",
            "https://client-registry.mutinycdn.com/personalize/client/a.js",
        ),
        (
            "vwo",
            "analytics",
            "_vwo _vwo_uuid_v2 _vis_opt_s _vis_opt_test_cookie _vis_opt_exp_1_combi",
            "https://dev.visualwebsiteoptimizer.com/j.php",
        ),
        ("partnerstack", "marketing", "growSumoPartnerKey", "https://js.partnerstack.com/partnerstack.min.js"),
        ("reddit-pixel", "marketing", "_rdt_uuid", "https://www.redditstatic.com/ads/pixel.js"),
        (
            "rudderstack",
            "analytics",
            "rl_user_id rl_session rudder_cookies test_rudder",
            "https://cdn.rudderlabs.com/v1.1/rudder-analytics.min.js",
        ),
        ("osano", "necessary", "osano_consentmanager osano_consentmanager_uuid", "https://cmp.osano.com/a/b/osano.js"),
        ("paddle", "necessary", "paddle_session __paddle_x", "https://cdn.paddle.com/paddle/v2/paddle.js"),
        ("sift", "necessary", "__ssid", "https://cdn.sift.com/s.js https://cdn.siftscience.com/s.js"),
    ] {
        assert_eq!(catalogue.service(service).map(|known| &*known.category), Some(category), "{service}");
        for name in cookies.split_whitespace() {
            let found = catalogue.cookie(name.as_bytes()).map(|(found, _)| &*found.id);
            assert_eq!(found, Some(service), "{name}");
        }
        for url in urls.split_whitespace() {
            let found = catalogue.tag(&Url::parse(url).unwrap()).map(|(found, _)| &*found.id);
            assert_eq!(found, Some(service), "{url}");
        }
    }
}

/// A cookie that the catalogue gives to a service for tracking or comfort must not also be a known session cookie by
/// its very name; where only a pattern takes both in, the service is what counts.
#[test]
fn trackers_are_no_session_cookies() {
    let catalogue = config::catalogue();
    let both: Vec<_> = catalogue
        .parts()
        .sessions
        .iter()
        .filter_map(|session| match &session.pattern {
            NamePattern::Exact(name) => Some(name),
            _ => None,
        })
        .filter_map(|name| Some((name, catalogue.cookie(name.as_bytes())?.0)))
        .filter(|(_, service)| &*service.category != "necessary")
        .map(|(name, service)| format!("{name}: {}", service.id))
        .collect();
    assert!(both.is_empty(), "{both:#?}");
    let msgro = Shipped::load("msgro");
    for name in ["_gd_session", "_calendly_session", "_vimeo_session"] {
        assert_eq!(msgro.policy.session(name.as_bytes()), None, "{name}");
        assert!(!msgro.passes(&msgro.chose(&[]), name), "{name}");
    }
    // Zendesk's own, which its frames take along to other sites.
    assert_eq!(msgro.policy.session(b"_zendesk_session"), None);
    assert!(msgro.passes(&msgro.chose(&[]), "_zendesk_session"));
    assert!(msgro.policy.session(b"_shop_session").is_some(), "a Rails application's own");
}

/// What a consent tool keeps is the visitor's own choice, whether the site has named the tool to us or not (Mailjet J9).
#[test]
fn cookies_of_consent_tools_pass_on_any_site() {
    let minimal = Shipped::load("minimal");
    let nothing = minimal.chose(&[]);
    let mut stripped = Vec::new();
    for format in Format::all() {
        for pattern in format.owned(None) {
            let name = pattern.replace('*', "x_");
            if !minimal.passes(&nothing, &name) {
                stripped.push(format!("{format:?} {pattern}"));
            }
        }
    }
    assert!(stripped.is_empty(), "{stripped:#?}");
}

/// Consents, sign-in and protection that stood under a service for comfort, or nowhere.
#[test]
fn what_a_site_works_by_passes_before_any_choice() {
    let minimal = Shipped::load("minimal");
    let nothing = minimal.chose(&[]);
    for name in [
        ".AspNet.Consent",
        "anonymous-consents",
        "uc_x",
        "_cs_c",
        "CMSCookieLevel",
        "MATOMO_SESSID",
        "_gh_sess",
        "buid",
        "fastly_uid",
        "GRECAPTCHA",
        "_zendesk_shared_session",
        "_zendesk_authenticated",
        "_help_center_session",
        "_zdsession_x",
        "mage-cache-sessid",
        "mage-messages",
        "guest-view",
    ] {
        assert!(minimal.passes(&nothing, name), "{name}");
    }
    let functional = minimal.chose(&["functional"]);
    for name in ["_zdshared_user_session_analytics", "vuid", "tracking_session_id", "f5_cspm", "YSC"] {
        assert!(!minimal.passes(&functional, name), "{name}");
    }
    let analytics = minimal.chose(&["functional", "analytics"]);
    for name in ["_opt_awcid", "_opt_utmc", "AMP_MKTG_x", "VISITOR_INFO1_LIVE", "__Secure-YNID"] {
        assert!(!minimal.passes(&analytics, name), "{name}");
    }
}

/// `SameSite=None` without `Secure` is refused by browsers, so that nobody can ask for it.
#[test]
fn check_refuses_same_site_none_without_secure() {
    let text = "listen: 127.0.0.1:0\nsites:\n  - host: a.example\n    origin: http://127.0.0.1:1\n    policy:\n      \
        sessions: { cookies: { sid: { same_site: none, secure: false } } }\n";
    let problems = config::parse(text, "a.yaml", Path::new(""), NOW.0, CertificateFiles::Skip).unwrap_err();
    assert!(problems.iter().any(|p| p.what.contains("`same_site: none` needs `secure`")), "{problems:?}");
}

#[test]
fn the_guard_with_all_tables_is_small() {
    use consentry::page::guard::Guard;

    let policy = Shipped::load("minimal").policy;
    let guard = Guard::new(&policy);
    let (text, zipped) = (guard.text(&policy).len(), guard.zipped(&policy).len());
    assert!(zipped < 38 << 10, "{text} bytes, {zipped} compressed");
}
