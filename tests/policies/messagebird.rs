//! MessageBird: a table of providers, with lifetimes and ways out by region.

use super::*;
use consentry::policy::{Country, LegalBasis, link_for};

fn messagebird() -> Shipped {
    Shipped::load("messagebird")
}

#[test]
fn messagebird_b1_fraud_prevention_of_a_third_party_is_required() {
    let messagebird = messagebird();
    assert_eq!(messagebird.labels(), ["Required", "Functionality", "Performance", "Targeting or Advertising"]);
    let none = messagebird.chose(&[]);
    assert!(messagebird.passes(&none, "__ssid"));
    for url in ["https://cdn.siftscience.com/s.js", "https://cdn.sift.com/s.js"] {
        assert!(messagebird.allows_url(&none, url), "{url}");
    }
}

#[test]
fn messagebird_b2_login_cookies_are_hardened() {
    let messagebird = messagebird();
    let line = messagebird.sets(&messagebird.chose(&[]), "mb_login=encrypted; Path=/; SameSite=None").unwrap();
    assert_hardened(&line, true, true, Some(SameSite::Strict));
}

#[test]
fn messagebird_b3_functionality_lives_a_year_at_most() {
    let messagebird = messagebird();
    let grant = messagebird.chose(&["functionality"]);
    for name in ["language", "location", "intercom-id-abc"] {
        assert_eq!(messagebird.lifetimes(&grant, name), [Some(31_536_000); 3], "{name}");
        // Never longer than the origin asked, and nothing for those that end with the browser.
        for line in ["Max-Age=60; Path=/", "Path=/", "Max-Age=31536000"] {
            let line = format!("{name}=1; {line}");
            assert_eq!(messagebird.sets(&grant, &line).as_deref(), Some(&*line));
        }
    }
    let intercom = messagebird.policy.service(messagebird.service("intercom"));
    assert_eq!(
        (intercom.lifetime.map(|term| term.seconds), intercom.domain.as_deref()),
        (Some(YEAR), Some("MessageBird"))
    );
}

#[test]
fn messagebird_b4_performance_rows_tell_data_duration_domain_sharing_and_opt_out() {
    let messagebird = messagebird();
    let grant = messagebird.chose(&["performance"]);
    for name in ["_ga", "_ga_ABC", "mp_abc_mixpanel"] {
        assert_eq!(messagebird.lifetimes(&grant, name), [Some(YEAR); 3], "{name}");
    }
    for (id, opt_out, sharing) in [
        ("google-analytics", "https://support.google.com/analytics/answer/181881?hl=en", false),
        ("mixpanel", "https://mixpanel.com/optout/", true),
    ] {
        let service = messagebird.policy.service(messagebird.service(id));
        assert_eq!(service.opt_out.as_deref(), Some(opt_out));
        assert_eq!(
            (service.lifetime.map(|term| term.seconds), service.domain.as_deref()),
            (Some(YEAR), Some("MessageBird")),
            "{id}"
        );
        assert_eq!((service.data.is_empty(), service.sharing.is_some()), (false, sharing), "{id}");
    }
    let segment = messagebird.policy.service(messagebird.service("segment"));
    assert!(segment.sharing.as_deref().unwrap().contains("SiftScience"));
    // The hub's tag is what brings the rest.
    let page = "<script src=\"https://cdn.segment.com/analytics.js/v1/KEY/analytics.min.js\"></script>";
    assert_eq!(messagebird.page(&messagebird.chose(&["functionality"]), page), "");
    assert_eq!(messagebird.page(&grant, page), page);
}

#[test]
fn messagebird_b5_advertising_lives_540_days_at_most() {
    let messagebird = messagebird();
    let grant = messagebird.chose(&["targeting"]);
    for name in ["__gads", "_gcl_au", "_gcl_aw", "_twclid", "_fbp"] {
        assert_eq!(messagebird.lifetimes(&grant, name), [Some(46_656_000); 3], "{name}");
    }
    for (service, url) in [
        ("google-doubleclick", "https://securepubads.g.doubleclick.net/tag/js/gpt.js"),
        ("google-analytics-audience", "https://www.google.com/ads/ga-audiences?v=1"),
        ("google-adwords-conversion", "https://www.googleadservices.com/pagead/conversion.js"),
        ("google-dynamic-remarketing", "https://googleads.g.doubleclick.net/pagead/viewthroughconversion/1/"),
        ("twitter-advertising", "https://static.ads-twitter.com/uwt.js"),
    ] {
        let owner = messagebird.policy.tag(&Url::parse(url).unwrap()).unwrap().owner;
        assert_eq!(owner.service, Some(messagebird.service(service)), "{url}");
        assert!(!messagebird.allows_url(&messagebird.chose(&["performance", "functionality"]), url), "{url}");
        assert!(messagebird.allows_url(&grant, url), "{url}");
    }
}

#[test]
fn messagebird_b6_ways_out_of_advertising_go_by_region() {
    let messagebird = messagebird();
    let targeting = messagebird.policy.category(messagebird.category("targeting"));
    let at = |country: &str| {
        link_for(targeting.opt_out.as_deref(), &targeting.opt_out_by_region, Country::parse(country.as_bytes()))
    };
    assert_eq!(at("US"), Some("https://www.aboutads.info/"));
    assert_eq!(at("NL"), Some("http://www.youronlinechoices.com/"));
    assert_eq!(at("CA"), Some("http://youradchoices.ca/"));
    assert_eq!(at("JP"), None);
}

#[test]
fn messagebird_b7_the_list_has_ways_out_and_a_date() {
    let messagebird = messagebird();
    let parts = messagebird.policy.parts();
    assert_eq!(parts.effective.as_deref(), Some("2017-05-13"));
    for service in parts.services.iter().filter(|service| service.category == messagebird.category("targeting")) {
        assert!(service.opt_out.is_some() && service.privacy.is_some(), "{}", service.id);
    }
    assert_eq!(parts.services.len(), 10);
}

#[test]
fn messagebird_b8_session_cookies_stay_session_cookies() {
    let messagebird = messagebird();
    let line = messagebird.sets(&messagebird.everything(), "mb_login=a; Path=/").unwrap();
    assert_eq!(SetCookie::parse(line.as_bytes()).lifetime(NOW), None);
}

#[test]
fn messagebird_b9_web_beacons_go() {
    let messagebird = messagebird();
    let page = "<img src='https://t.co/i/adsct?p_id=1' width=1 height=1><img src='https://ad.doubleclick.net/ddm/activity/1'>\
        <a ping='https://www.google-analytics.com/collect' href='/'>x</a>";
    assert_eq!(messagebird.page(&messagebird.chose(&[]), page), "<a href='/'>x</a>");
}

#[test]
fn messagebird_b10_do_not_track_is_not_answered() {
    let messagebird = messagebird();
    let choice = || Choice::accept_all(&messagebird.policy, ConsentId([1; 16]), NOW);
    for signals in [DNT, GPC, Signals { gpc: true, dnt: true }] {
        let decision = messagebird.decide(choice(), signals);
        assert!(!decision.narrowed);
        assert!(messagebird.passes(&decision.grant, "_ga") && messagebird.passes(&decision.grant, "__gads"));
    }
    assert!(messagebird.policy.parts().categories.iter().all(|category| !category.dnt && !category.gpc));
}

#[test]
fn messagebird_b11_every_service_names_its_lawful_ground() {
    let messagebird = messagebird();
    for service in &messagebird.policy.parts().services {
        let expected = match &*service.id {
            "siftscience" => LegalBasis::LegitimateInterests,
            _ => LegalBasis::Consent,
        };
        assert_eq!(service.legal_basis, Some(expected), "{}", service.id);
    }
}

#[test]
fn messagebird_b16_plugins_are_chosen_one_by_one() {
    let messagebird = messagebird();
    let grant = messagebird.decide(messagebird.choice(&["performance"], &["intercom"], &["mixpanel"]), QUIET).grant;
    assert!(messagebird.passes(&grant, "_ga") && messagebird.passes(&grant, "intercom-id-abc"));
    assert!(!messagebird.passes(&grant, "mp_abc_mixpanel") && !messagebird.passes(&grant, "language"));
    assert!(!messagebird.allows_url(&grant, "https://cdn.mxpnl.com/libs/mixpanel-2-latest.min.js"));
    assert!(messagebird.warnings.is_empty(), "{:?}", messagebird.warnings);
}

#[test]
fn messagebird_b17_the_site_is_there_without_any_choice() {
    let messagebird = messagebird();
    assert!(messagebird.passes(&messagebird.without_choice(QUIET), "mb_login"));
    assert!(!messagebird.passes(&messagebird.without_choice(QUIET), "language"));
}
