use super::*;

const MAY: May = May { form: true, style: true, fetch: true };

fn banner<'a>(asked: Asked<'a>, may: May) -> Banner<'a> {
    Banner {
        site: "shop.example",
        words: Texts::of("en"),
        named: None,
        asked,
        signal: false,
        prefix: "/_consent/",
        policy: "/_consent/policy",
        return_to: "/tea?a=1&b=2",
        may,
    }
}

#[test]
fn asks_in_order_and_comes_back() {
    let html = banner(Asked::Everything(&["Statistics", "Marketing"]), MAY).render();
    let parts = [
        "<section id=\"consentry\" role=\"region\" aria-label=\"Cookies on shop.example\" lang=\"en\" dir=\"ltr\"",
        "Statistics and Marketing",
        "<a href=\"/_consent/policy\">",
        "<form class=\"consentry-buttons\" method=\"post\" action=\"/_consent/choice\" data-fetch=\"\">",
        "name=\"return_to\" value=\"/tea?a=1&amp;b=2\"/>",
        "<button class=\"consentry-button\" name=\"decision\" value=\"accept-all\">Accept all</button>",
        "<button class=\"consentry-button\" name=\"decision\" value=\"reject-all\">Reject all</button>",
        "<a class=\"consentry-button\" href=\"/_consent/?return_to=%2Ftea%3Fa%3D1%26b%3D2\">Choose</a></form>",
    ];
    let found: Vec<_> =
        parts.iter().map(|part| html.find(part).unwrap_or_else(|| panic!("{part} in {html}"))).collect();
    assert!(found.is_sorted(), "{found:?} in {html}");
    assert!(!html.contains("checked") && !html.contains(" style="));
}

#[test]
fn keeps_to_what_the_page_may() {
    let asked = Asked::Everything(&["Statistics"]);
    let without_form = banner(asked, May { form: false, ..MAY }).render();
    assert!(
        !without_form.contains("<form") && !without_form.contains("<button") && without_form.contains("return_to=")
    );
    assert!(!banner(asked, May { fetch: false, ..MAY }).render().contains("data-fetch"));
    assert!(banner(asked, May { style: false, ..MAY }).render().contains("<dialog open=\"\""));
}

#[test]
fn asks_only_what_is_new_and_says_what_changed() {
    let html = banner(Asked::New(&["Hotjar"], &["We now record sessions."]), MAY).render();
    for part in ["Something new on shop.example", "Hotjar", "We now record sessions.", "accept-new", "reject-new"] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(!html.contains("accept-all"));
}

#[test]
fn nothing_of_the_site_escapes_from_it() {
    let evil = "\"><script>&\u{e9}{site}</script>";
    for asked in [Asked::Everything(&[evil]), Asked::New(&[evil], &[evil])] {
        let banner = Banner { site: evil, prefix: evil, policy: evil, return_to: evil, ..banner(asked, MAY) };
        let way = link::Way { prefix: evil, return_to: evil, named: Some(evil), label: evil };
        for html in [banner.render(), way.in_footer(), way.at_end()] {
            assert!(html.is_ascii() && !html.contains("<script"), "{html}");
        }
    }
}

#[test]
fn assets_of_another_release_have_another_address() {
    assert!(style_path().starts_with("banner.css?") && style_path().len() == "banner.css?".len() + 8);
    assert_ne!(version("a"), version("b"));
}
