//! ChatSync: security promises, and a vendor's tier that is always on.

use super::*;

fn chatsync() -> Shipped {
    Shipped::load("chatsync")
}

#[test]
fn chatsync_c1_three_tiers_of_which_paddles_is_essential() {
    let chatsync = chatsync();
    assert_eq!(chatsync.labels(), ["Essential & Functional", "Performance & Analytics", "Secure Transaction (Paddle)"]);
    let none = chatsync.chose(&[]);
    for name in ["theme", "color_mode", "paddle_session", "paddlejs_checkout_variant", "__paddle_x", "chatsync_session"]
    {
        assert!(chatsync.passes(&none, name), "{name}");
    }
    assert_eq!(chatsync.declared("theme"), Some(("essential", Some(YEAR))));
    assert_eq!(chatsync.declared("paddle_session").map(|(category, _)| category), Some("transaction"));
    let checkout = "<script src='https://cdn.paddle.com/paddle/v2/paddle.js'></script>\
        <iframe src='https://buy.paddle.com/checkout/1'></iframe>";
    assert_eq!(chatsync.page(&none, checkout), checkout);
    // "First-Party": comforts and advertising of others have no tier at all, and `check` says so.
    for name in ["intercom-id-abc", "_fbp", "_ga"] {
        assert!(!chatsync.passes(&none, name), "{name}");
    }
    assert!(!chatsync.passes(&chatsync.everything(), "_fbp"));
    assert!(chatsync.warns_of("`functional`") && chatsync.warns_of("`marketing`"), "{:?}", chatsync.warnings);
    assert_eq!(chatsync.warnings.len(), 2);
}

#[test]
fn chatsync_c2_session_cookies_are_secure_http_only_and_strict_whatever_the_origin_says() {
    let chatsync = chatsync();
    let grant = chatsync.without_choice(QUIET);
    for name in ["chatsync_session", "chatsync_admin", "PHPSESSID", "JSESSIONID", "connect.sid", "laravel_session"] {
        for attributes in [
            "",
            "; Path=/; SameSite=Lax",
            "; SameSite=None; Secure",
            "; samesite=none; SECURE; httponly; SameSite=Lax",
            "; HttpOnly; Secure; SameSite=Strict",
            "; Max-Age=3600; SameSite=bogus",
        ] {
            let line = chatsync.sets(&grant, &format!("{name}=abc{attributes}")).unwrap();
            assert!(line.starts_with(&format!("{name}=abc")), "{line}");
            assert_hardened(&line, true, true, Some(SameSite::Strict));
        }
    }
    // Nothing leaves over plain HTTP but the way to HTTPS, and browsers are told to stay there.
    assert!(!chatsync.config.redirect.is_empty());
    let hsts = chatsync.config.sites[0].headers.0.iter().find(|(name, _)| name == "strict-transport-security");
    assert!(hsts.unwrap().1.to_str().unwrap().contains("max-age=31536000"));
}

/// A deletion must reach the cookie, and must not be turned into anything else.
#[test]
fn chatsync_c2_ending_a_session_passes() {
    let chatsync = chatsync();
    let line = chatsync.sets(&chatsync.chose(&[]), "PHPSESSID=; Max-Age=0; Path=/").unwrap();
    assert!(SetCookie::parse(line.as_bytes()).deletes(NOW), "{line}");
}

#[test]
fn chatsync_c3_tokens_that_scripts_must_read_stay_readable() {
    let chatsync = chatsync();
    let grant = chatsync.without_choice(QUIET);
    for name in ["chatsync_csrf", "XSRF-TOKEN", "csrftoken"] {
        let line = chatsync.sets(&grant, &format!("{name}=abc")).unwrap();
        assert_hardened(&line, true, false, Some(SameSite::Strict));
    }
}

#[test]
fn chatsync_c4_sessions_belong_to_one_tenants_host() {
    let chatsync = chatsync();
    let line = chatsync.sets(&chatsync.without_choice(QUIET), "chatsync_session=a; Domain=chatsync.example; Path=/");
    assert_eq!(SetCookie::parse(line.unwrap().as_bytes()).domain(), None);
}

#[test]
fn chatsync_c5_do_not_track_and_gpc_refuse_analytics_without_a_click() {
    let chatsync = chatsync();
    let opt_out = Shipped { policy: Arc::new(Shipped::edited("chatsync", "law: opt-in", "law: opt-out")), ..chatsync };
    assert!(opt_out.passes(&opt_out.without_choice(QUIET), "_ga"));
    for signals in [DNT, GPC] {
        assert!(!opt_out.passes(&opt_out.without_choice(signals), "_ga"), "{signals:?}");
        // Nor does a choice made for all categories weigh more than the browser's word.
        let all = Choice::accept_all(&opt_out.policy, ConsentId([1; 16]), NOW);
        assert!(!opt_out.passes(&opt_out.decide(all, signals).grant, "_ga"), "{signals:?}");
        assert!(opt_out.passes(&opt_out.without_choice(signals), "paddle_session"));
    }
}

#[test]
fn chatsync_c9_essential_cannot_be_refused_and_says_why() {
    let chatsync = chatsync();
    for id in ["essential", "transaction"] {
        let category = chatsync.policy.category(chatsync.category(id));
        assert!(category.required && category.warning.is_some(), "{id}");
    }
    let refused = chatsync.decide(chatsync.choice(&[], &[], &["paddle", "google-analytics"]), QUIET).grant;
    assert!(chatsync.passes(&refused, "paddle_session") && chatsync.passes(&refused, "chatsync_session"));
}

#[test]
fn chatsync_c10_answers_of_the_api_are_filtered_and_hardened_too() {
    let chatsync = chatsync();
    let grant = chatsync.without_choice(QUIET);
    for kind in ["application/json", "text/event-stream", "image/gif", "text/html"] {
        let answer = [("content-type", kind), ("set-cookie", "_ga=1"), ("set-cookie", "chatsync_session=a")];
        let (sent, lines) = chatsync.exchange(&grant, false, "chatsync_session=a; _ga=1; theme=dark", &answer);
        assert_eq!(sent, "chatsync_session=a; theme=dark", "{kind}");
        assert_eq!(lines.len(), 1, "{kind}: {lines:?}");
        assert_hardened(&lines[0], true, true, Some(SameSite::Strict));
    }
}
