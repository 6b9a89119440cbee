//! Msgro: four categories by kind of use, twelve services that the catalogue knows.

use super::*;

fn msgro() -> Shipped {
    Shipped::load("msgro")
}

#[test]
fn msgro_m1_essential_is_never_stripped_nor_refused() {
    let msgro = msgro();
    assert_eq!(msgro.labels(), ["Essential", "Performance", "Functional", "Marketing"]);
    let required: Vec<_> = msgro.policy.parts().categories.iter().map(|category| category.required).collect();
    assert_eq!(required, [true, false, false, false]);
    let refused = Choice::reject_all(&msgro.policy, ConsentId([1; 16]), NOW);
    let refused = msgro.decide(refused, Signals { gpc: true, dnt: true }).grant;
    let names = "msgro_session PHPSESSID JSESSIONID csrf_token XSRF-TOKEN _csrf __RequestVerificationToken cart cart_id \
        lang locale region AWSALB AWSALBCORS SERVERID ROUTEID BIGipServerpool";
    for name in names.split_whitespace() {
        assert!(msgro.passes(&refused, name), "{name}");
    }
}

#[test]
fn msgro_m2_m3_m4_optional_categories_are_off_until_chosen() {
    let msgro = msgro();
    let off = msgro.without_choice(QUIET);
    for (category, cookies, urls) in [
        (
            "performance",
            "_ga _ga_ABC _hjSessionUser_1 mp_abc_mixpanel optimizelyEndUserId _vwo_uuid",
            "https://www.google-analytics.com/g/collect https://browser.sentry-cdn.com/8.0.0/bundle.min.js \
             https://js-agent.newrelic.com/nr.js https://cdn.optimizely.com/js/1.js",
        ),
        (
            "functional",
            "intercom-id-abc __zlcmid prefs form_contact",
            "https://widget.intercom.io/widget/abc https://static.zdassets.com/ekr/snippet.js \
             https://assets.calendly.com/assets/external/widget.js https://www.youtube.com/embed/x \
             https://player.vimeo.com/video/1 https://embed.typeform.com/next/embed.js",
        ),
        (
            "marketing",
            "_gcl_au _fbp _fbc li_fat_id _uetsid",
            "https://connect.facebook.net/en_US/fbevents.js https://snap.licdn.com/li.lms-analytics/insight.min.js \
             https://googleads.g.doubleclick.net/pagead/id",
        ),
    ] {
        let on = msgro.chose(&[category]);
        for name in cookies.split_whitespace() {
            assert!(!msgro.passes(&off, name), "{name} before the choice");
            assert!(msgro.passes(&on, name), "{name} with {category}");
            assert_eq!(msgro.declared(name).map(|(category, _)| category), Some(category), "{name}");
        }
        for url in urls.split_whitespace() {
            assert!(!msgro.allows_url(&off, url), "{url} before the choice");
            assert!(msgro.allows_url(&on, url), "{url} with {category}");
        }
    }
}

#[test]
fn msgro_m5_each_named_service_is_refused_by_itself() {
    let msgro = msgro();
    for (service, url) in [
        ("google-analytics", "https://www.google-analytics.com/analytics.js"),
        ("hotjar", "https://static.hotjar.com/c/hotjar-1.js"),
        ("mixpanel", "https://cdn.mxpnl.com/libs/mixpanel-2-latest.min.js"),
        ("google-ads", "https://www.googleadservices.com/pagead/conversion.js"),
        ("facebook-pixel", "https://connect.facebook.net/en_US/fbevents.js"),
        ("linkedin-insight", "https://snap.licdn.com/li.lms-analytics/insight.min.js"),
        ("intercom", "https://widget.intercom.io/widget/abc"),
        ("zendesk", "https://static.zdassets.com/ekr/snippet.js"),
        ("calendly", "https://assets.calendly.com/assets/external/widget.js"),
        ("youtube", "https://www.youtube.com/embed/x"),
        ("vimeo", "https://player.vimeo.com/video/1"),
        ("typeform", "https://embed.typeform.com/next/embed.js"),
    ] {
        let others = ["performance", "functional", "marketing"];
        let without = msgro.decide(msgro.choice(&others, &[], &[service]), QUIET).grant;
        let only = msgro.decide(msgro.choice(&[], &[service], &[]), QUIET).grant;
        assert!(!msgro.allows_url(&without, url), "{service} was refused");
        assert!(msgro.allows_url(&only, url), "{service} was granted");
        let owner = msgro.policy.tag(&Url::parse(url).unwrap()).unwrap().owner;
        assert_eq!(owner.service, Some(msgro.service(service)), "{url}");
    }
}

#[test]
fn msgro_m6_pixels_noscript_and_snippets_go_and_storage_is_known() {
    let msgro = msgro();
    let page = "<p>Hello</p><img width=1 height=1 src='https://www.facebook.com/tr?id=1&ev=PageView'>\
        <noscript><img src='//px.ads.linkedin.com/collect/?pid=1'></noscript><script>fbq('init', '1')</script>\
        <img src='/logo.png'>";
    let clean = msgro.page(&msgro.without_choice(QUIET), page);
    assert_eq!(clean, "<p>Hello</p><noscript></noscript><script></script><img src='/logo.png'>");
    assert_eq!(msgro.page(&msgro.everything(), page), page);
    for service in ["hotjar", "intercom", "meta-pixel", "linkedin-insight", "mixpanel"] {
        assert!(!msgro.policy.catalogue().service(service).unwrap().storage.is_empty(), "{service}");
    }
}

#[test]
fn msgro_m7_choices_are_per_category_and_rejecting_all_is_one_of_them() {
    let msgro = msgro();
    let all = msgro.everything();
    let none = msgro.chose(&[]);
    let ids: Vec<_> = msgro.policy.parts().categories.iter().map(|category| msgro.category(&category.id)).collect();
    assert!(ids.iter().all(|id| all.has_category(*id)));
    assert_eq!(ids.iter().map(|id| none.has_category(*id)).collect::<Vec<_>>(), [true, false, false, false]);
    // "Learn more about each cookie type."
    assert!(msgro.policy.parts().categories.iter().all(|category| category.warning.is_some()));
}

#[test]
fn msgro_m12_each_service_links_to_its_vendors_policy() {
    let msgro = msgro();
    for service in &msgro.policy.parts().services {
        assert!(service.privacy.is_some(), "{}", service.id);
        assert!(!service.vendor.is_empty() && !service.purpose.is_empty(), "{}", service.id);
    }
    for service in ["google-analytics", "hotjar", "mixpanel", "google-ads", "facebook-pixel", "linkedin-insight"] {
        assert!(msgro.policy.service(msgro.service(service)).opt_out.is_some(), "{service}");
    }
}

#[test]
fn msgro_m13_a_new_service_is_asked_for_and_not_granted_by_an_old_choice() {
    let before = msgro();
    let choice = Choice::accept_all(&before.policy, ConsentId([1; 16]), NOW);
    let mut after = msgro();
    let policy = Shipped::edited(
        "msgro",
        "\nservices:\n",
        "\nservices:\n  tiktok: { uses: tiktok-pixel, purpose: Advertising on TikTok. }\n",
    );
    after.policy = Arc::new(policy);
    let decision = after.decide(choice.clone(), QUIET);
    assert!(!after.passes(&decision.grant, "_ttp"));
    assert!(after.passes(&decision.grant, "_fbp"), "what was granted before holds");
    assert_eq!(decision.ask, consent::Ask::New(vec![], vec![after.service("tiktok")]));
    assert_eq!(before.decide(choice, QUIET).ask, consent::Ask::Nothing);
    // What has changed is told, version by version.
    let changes = &before.policy.parts().changes;
    assert!(changes.iter().all(|change| !change.text.is_empty() && change.version <= before.policy.parts().version));
    assert!(!changes.is_empty());
}

#[test]
fn msgro_m14_disabling_says_what_it_costs() {
    let msgro = msgro();
    assert!(msgro.policy.category(msgro.category("functional")).warning.as_deref().unwrap().contains("videos"));
    assert!(msgro.warnings.is_empty(), "{:?}", msgro.warnings);
}
