//! Mailjet: the table of its consent tool, with patterns and durations.

use super::*;
use consentry::policy::Law;

fn mailjet() -> Shipped {
    Shipped::load("mailjet")
}

#[test]
fn mailjet_j1_nothing_but_essential_without_a_choice() {
    let mailjet = mailjet();
    assert_eq!(mailjet.labels(), ["Essential", "Marketing", "Personalization", "Analytics"]);
    let grant = mailjet.without_choice(QUIET);
    for name in ["_fbp", "ttclid", "mutiny.user.token", "rl_session", "_ga_KGQ3ZCEQ3Z", "never_heard_of_it"] {
        assert!(!mailjet.passes(&grant, name), "{name}");
    }
    assert!(mailjet.passes(&grant, "PHPSESSID"));
}

#[test]
fn mailjet_j2_the_second_page_is_an_option_that_check_warns_of() {
    let mailjet = mailjet();
    assert_eq!(mailjet.policy.parts().law, Law::Implied);
    assert!(mailjet.warns_of("not valid consent under the GDPR"), "{:?}", mailjet.warnings);
    assert_eq!(consentry::policy::PolicyParts::default().law, Law::OptIn, "off by default");
}

#[test]
fn mailjet_j3_consent_is_for_one_domain() {
    let mailjet = mailjet();
    assert_eq!(*mailjet.policy.parts().domains, [Box::from("www.mailjet.com")]);
    let cookie = &mailjet.config.sites[0].cookie;
    assert!(cookie.domain.is_none() && cookie.name.starts_with("__Host-"), "{cookie:?}");
    // A host that the policy does not name cannot be served under it.
    let text = "listen: 127.0.0.1:0\nsites:\n  - { host: [www.mailjet.com, app.mailjet.com], \
        origin: 'http://127.0.0.1:1', policy: policies/mailjet.yaml, cookie: { domain: mailjet.com } }\n";
    let read = config::parse(text, "two.yaml", &examples(), NOW.0, CertificateFiles::Skip);
    let told: Vec<_> = read.unwrap_err().into_iter().filter(|p| p.key.starts_with("sites[0]")).map(|p| p.key).collect();
    assert_eq!(told, ["sites[0].host[1]", "sites[0].cookie.domain"]);
}

#[test]
fn mailjet_j4_a_service_refused_stays_refused_in_a_granted_category() {
    let mailjet = mailjet();
    let marketing = |refused: &[&str]| mailjet.decide(mailjet.choice(&["marketing"], &[], refused), QUIET).grant;
    assert!(mailjet.passes(&marketing(&[]), "_ttp") && mailjet.passes(&marketing(&[]), "_fbp"));
    let grant = marketing(&["tiktok", "atlassian-marketing"]);
    assert!(!mailjet.passes(&grant, "_ttp") && mailjet.passes(&grant, "_fbp"));
    assert!(!mailjet.allows_url(&grant, "https://analytics.tiktok.com/i18n/pixel/events.js"));
    // One vendor's rows in three categories are three answers.
    let three = ["ajs_user_id", "ajs%3Acookies", "ajs_anonymous_id"];
    assert_eq!(three.map(|name| mailjet.passes(&grant, name)), [false; 3]);
    let grant = mailjet.chose(&["analytics"]);
    assert_eq!(three.map(|name| mailjet.passes(&grant, name)), [false, false, true]);
}

#[test]
fn mailjet_j5_j14_refusals_are_remembered_as_long_as_acceptances() {
    let mailjet = mailjet();
    let id = ConsentId([1; 16]);
    for choice in [Choice::accept_all(&mailjet.policy, id, NOW), Choice::reject_all(&mailjet.policy, id, NOW)] {
        let ask = |days: u64| {
            let record = Record::Choice(choice.clone());
            consent::grant(&mailjet.policy, &record, QUIET, NOW.after(days * DAY)).ask
        };
        assert_eq!([0, 90, 180].map(ask), [const { consent::Ask::Nothing }; 3]);
        assert_eq!(ask(181), consent::Ask::Everything);
    }
}

#[test]
fn mailjet_j7_every_row_has_its_pattern_category_and_duration() {
    let mailjet = mailjet();
    let all = mailjet.everything();
    const YEARS: u64 = 2 * YEAR;
    let mut rows = 0;
    for (names, category, lifetime) in [
        (
            "_ga _ga_3J7PP9VX3Q _gac_UA-154350063-1 _gac_UA-16849338-1 _gac_UA-33652774-3 _ga_PZB2JSMCGC _gat \
             _gat_gtag_UA_106855065_21 _gat_gtag_UA_127560459_1 _gat_gtag_UA_16849338_8 _gat_gtag_UA_173140157_1 \
             _gat_UA-1 _gat_UA- _gcl_au _gcl_aw _gid",
            "essential",
            Some(YEARS),
        ),
        ("osano_consentmanager_tattles", "essential", None),
        (
            "visitor_id visitor_id1-hash _vis_opt_s _vis_opt_test_cookie _vwo _vwo_referrer _vwo_sn _vwo_ssm _vwo_uuid \
             _vwo_uuid_v2",
            "essential",
            Some(YEARS),
        ),
        ("osano_consentmanager osano_consentmanager_expdate osano_consentmanager_uuid", "essential", Some(YEAR)),
        ("ajs_group_id ajs_user_id", "marketing", Some(YEAR)),
        ("_an_uid", "marketing", Some(7 * DAY)),
        ("apt.sid ln_or ttclid _tt_enable_cookie _ttp _twclid", "marketing", None),
        ("_fbc _fbp _uetsid _uetvid", "marketing", Some(YEARS)),
        ("ajs%3Acookies ajs%3Atest", "personalization", Some(YEAR)),
        ("mutiny.user.session mutiny.user.session_number mutiny.user.token", "personalization", None),
        ("_vis_opt_exp_", "personalization", Some(YEARS)),
        ("ajs_anonymous_id", "analytics", Some(YEAR)),
        (
            "_ga_KGQ3ZCEQ3Z _gd _gdx_visitor __utma __utmb __utmc __utmd __utmt __utmv __utmz __tld__ rudder_cookies \
             test_rudder",
            "analytics",
            Some(YEARS),
        ),
        ("growSumoPartnerKey", "analytics", Some(DAY)),
        (
            "_rdt_uuid rl_group_id rl_group_trait rl_page_init_referrer rl_page_init_referring_domain rl_session rl_trait \
             rl_user_id",
            "analytics",
            None,
        ),
    ] {
        for name in names.split_whitespace() {
            rows += 1;
            assert_eq!(mailjet.declared(name), Some((category, lifetime)), "{name}");
            match lifetime {
                Some(seconds) => assert_eq!(mailjet.lifetimes(&all, name), [Some(seconds); 3], "{name}"),
                None => {
                    let line = format!("{name}=1; {FOREVER}");
                    assert_eq!(mailjet.sets(&all, &line).as_deref(), Some(&*line));
                }
            }
            assert_eq!(mailjet.passes(&mailjet.chose(&[]), name), category == "essential", "{name}");
        }
    }
    assert_eq!(rows, 72);
}

#[test]
fn mailjet_j7_patterns_are_anchored_and_mind_dots_and_case() {
    let mailjet = mailjet();
    // What Mailjet's own lines do not match falls to the catalogue, or to nobody; never into essential.
    for name in ["_ga2", "x_ga", "_GA", "_gid2", "_fbp2", "_vis_opt_s2", "mutinyXuserXtoken", "aptXsid", "ajs_user_id2"]
    {
        assert_ne!(mailjet.declared(name).map(|(category, _)| category), Some("essential"), "{name}");
        assert!(!mailjet.passes(&mailjet.chose(&[]), name), "{name}");
    }
}

#[test]
fn mailjet_j8_the_same_family_in_two_categories_and_a_warning_for_each() {
    let mailjet = mailjet();
    let none = mailjet.chose(&[]);
    assert!(mailjet.passes(&none, "_ga") && mailjet.passes(&none, "_ga_3J7PP9VX3Q"));
    assert!(!mailjet.passes(&none, "_ga_KGQ3ZCEQ3Z") && !mailjet.passes(&none, "_ga_OTHER"));
    assert!(mailjet.passes(&mailjet.chose(&["analytics"]), "_ga_KGQ3ZCEQ3Z"));
    for pattern in
        ["^_ga$", "_ga_3J7PP9VX3Q", "^_gid$", "^_gat_UA-.*", "^_gcl_au$", "_gac_UA-16849338-1", "^_vis_opt_s$"]
    {
        assert!(mailjet.warns_of(&format!("cookie `{pattern}` is in the required category")), "{pattern}");
    }
    assert!(!mailjet.warns_of("osano") && !mailjet.warns_of("_ga_KGQ3ZCEQ3Z"));
    // Each at its line of the policy.
    let text = fs::read_to_string(examples().join("policies/mailjet.yaml")).unwrap();
    for warning in mailjet.warnings.iter().filter(|warning| warning.what.starts_with("cookie `")) {
        let name = warning.what.split('`').nth(1).unwrap();
        let line = text.lines().nth(warning.line as usize - 1).unwrap();
        assert!(line.trim_start().starts_with(name), "{}: {line}", warning.what);
    }
}

#[test]
fn mailjet_j9_the_consent_tool_that_is_there_keeps_its_cookies() {
    let mailjet = mailjet();
    for name in [
        "osano_consentmanager",
        "osano_consentmanager_uuid",
        "osano_consentmanager_tattles-1",
        "osano_consentmanager_x",
    ] {
        assert!(mailjet.passes(&mailjet.chose(&[]), name), "{name}");
    }
}

#[test]
fn mailjet_j12_embeds_of_third_parties_wait_behind_a_placeholder() {
    let mailjet = mailjet();
    let page = "<iframe width=\"560\" height=\"315\" src=\"https://www.youtube.com/embed/x\"></iframe>";
    let blocked = mailjet.page(&mailjet.chose(&["analytics"]), page);
    assert!(!blocked.contains("youtube.com/embed") && blocked.contains("YouTube") && blocked.contains("/_consent/"));
    assert_eq!(mailjet.page(&mailjet.chose(&["personalization"]), page), page);
}

#[test]
fn mailjet_j13_withdrawing_deletes_what_was_granted() {
    let mailjet = mailjet();
    let withdrawn = mailjet.decide(Choice::reject_all(&mailjet.policy, ConsentId([1; 16]), NOW), QUIET);
    let (sent, lines) = mailjet.exchange(&withdrawn.grant, withdrawn.refused, "_fbp=1; _ga=2; ajs%3Atest=3", &[]);
    assert_eq!(sent, "_ga=2");
    for start in ["_fbp=; Max-Age=0", "ajs%3Atest=; Max-Age=0"] {
        assert_eq!(lines.iter().filter(|line| line.starts_with(start)).count(), 3, "{lines:?}");
    }
}
