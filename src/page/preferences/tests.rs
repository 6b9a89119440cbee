//! What visitors get to see and send, read from the markup.

use std::sync::Arc;

use super::*;
use crate::policy::{
    Catalogue, CatalogueParts, CatalogueService, Category, CookieRule, NamePattern, PolicyParts, RuleId, Service, Term,
};

fn category(id: &str, required: bool, gpc: bool) -> Category {
    Category {
        id: id.into(),
        label: format!("{id} cookies").into(),
        purpose: format!("Why {id}.").into(),
        required,
        gpc,
        dnt: false,
        lifetime: None,
        catalogue: Vec::new(),
        ..Default::default()
    }
}

fn service(id: &str, category: u8, cookies: Vec<CookieRule>) -> Service {
    Service {
        id: id.into(),
        label: format!("{id} service").into(),
        vendor: "Vendor Ltd".into(),
        purpose: "Counts visits.".into(),
        category: CategoryId(category),
        lifetime: Some(Term::from(86_400)),
        privacy: Some(format!("https://{id}.example/privacy").into()),
        opt_out: None,
        uses: None,
        cookies,
        storage: Vec::new(),
        tags: Vec::new(),
        snippets: Vec::new(),
        ..Default::default()
    }
}

fn rule(pattern: NamePattern, lifetime: Option<u64>, category: Option<u8>) -> CookieRule {
    CookieRule { pattern, category: category.map(CategoryId), lifetime: lifetime.map(Term::from), rule: RuleId(0) }
}

pub(super) fn parts() -> PolicyParts {
    PolicyParts {
        categories: vec![
            category("necessary", true, false),
            category("analytics", false, true),
            category("ads", false, true),
        ],
        services: vec![
            service(
                "counter",
                1,
                vec![
                    rule(NamePattern::Exact("_ga".into()), Some(63_072_000), None),
                    rule(NamePattern::Prefix("_ga_".into()), None, None),
                ],
            ),
            service("replay", 1, Vec::new()),
            service("pixel", 2, Vec::new()),
        ],
        cookies: vec![rule(NamePattern::Exact("PHPSESSID".into()), Some(0), Some(0))],
        ..PolicyParts::default()
    }
}

pub(super) fn policy(parts: PolicyParts) -> Policy {
    Policy::compile(parts, Arc::new(Catalogue::compile(CatalogueParts::default())))
}

fn about(site: &str) -> About<'_> {
    About {
        site,
        prefix: "/_consent/",
        language: "en",
        texts: Texts::of("en"),
        country: None,
        keeps_session: true,
        tool: None,
        named: false,
    }
}

fn page(policy: &Policy, grant: &Grant, visit: Visit<'_>) -> String {
    Preferences::new(policy, grant, about("shop.example"), visit).render()
}

fn chosen(at: &str) -> Option<Chosen> {
    Some(Chosen { at: at.into(), version: 1, id: "AAAA".into() })
}

fn necessary() -> Grant {
    let mut grant = Grant::none();
    grant.grant_category(CategoryId(0));
    grant
}

/// All elements of a name with their attributes, in document order.
fn elements<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let open = format!("<{name} ");
    page.match_indices(&open).map(|(at, _)| &page[at..=at + page[at..].find('>').unwrap()]).collect()
}

/// The tick box of a category or service.
fn tick<'a>(page: &'a str, name: &str, value: &str) -> &'a str {
    let wanted = format!("type=\"checkbox\" name=\"{name}\" value=\"{value}\"");
    elements(page, "input").into_iter().find(|element| element.contains(&wanted)).unwrap()
}

#[test]
fn nothing_but_the_required_is_ticked_before_a_choice() {
    let page = page(&policy(parts()), &necessary(), Visit::default());
    let ticked: Vec<_> = elements(&page, "input").into_iter().filter(|element| element.contains("checked")).collect();
    assert_eq!(ticked.len(), 1, "{ticked:?}");
    let required = tick(&page, "category", "necessary");
    assert!(required.contains(" checked") && required.contains(" disabled"), "{required}");
    assert!(page.contains("Always active") && page.contains("You have not chosen yet."));
    assert!(!page.contains("Global Privacy Control") && !page.contains("<details open"));
}

#[test]
fn what_is_granted_is_ticked_service_by_service() {
    let mut grant = necessary();
    grant.grant_category(CategoryId(1));
    grant.refuse_service(ServiceId(1));
    let visit = Visit { chosen: chosen("1 May 2026"), ..Visit::default() };
    let page = page(&policy(parts()), &grant, visit);
    for (name, value, ticked) in [
        ("category", "analytics", true),
        ("service", "counter", true),
        ("service", "replay", false),
        ("category", "ads", false),
        ("service", "pixel", false),
    ] {
        let tick = tick(&page, name, value);
        assert_eq!(tick.contains(" checked"), ticked, "{tick}");
        assert!(!tick.contains(" disabled"), "{tick}");
        let shown = format!("<input type=\"hidden\" name=\"shown_{name}\" value=\"{value}\">");
        assert_eq!(page.contains(&shown), ticked, "{value}");
    }
    // The category that is granted in part lies open; the other does not.
    assert_eq!(page.matches("<details open").count(), 1);
    assert!(page.contains("Your last choice: 1 May 2026"));
}

#[test]
fn a_signal_locks_what_no_tick_could_change() {
    let visit = Visit { gpc: true, ..Visit::default() };
    let locked = page(&policy(parts()), &necessary(), visit.clone());
    assert!(locked.contains("Global Privacy Control"));
    for (name, value) in [("category", "analytics"), ("service", "counter"), ("category", "ads"), ("service", "pixel")]
    {
        let tick = tick(&locked, name, value);
        assert!(tick.contains(" disabled") && !tick.contains(" checked"), "{tick}");
    }
    let free = page(&policy(PolicyParts { choice_beats_signals: true, ..parts() }), &necessary(), visit.clone());
    assert!(free.contains("Global Privacy Control") && !tick(&free, "category", "ads").contains(" disabled"));
    let mut deaf = parts();
    deaf.categories.iter_mut().for_each(|category| category.gpc = false);
    assert!(free.contains("unless you choose otherwise") && !locked.contains("unless you choose otherwise"));
    let deaf = page(&policy(deaf), &necessary(), visit);
    assert!(!deaf.contains("Global Privacy Control") && !tick(&deaf, "category", "ads").contains(" disabled"));
}

#[test]
fn cookies_stand_with_their_durations() {
    let page = page(&policy(parts()), &necessary(), Visit::default());
    for row in [
        "<td><code dir=\"ltr\">_ga</code></td><td>2 years</td>",
        "<td><code dir=\"ltr\">_ga_…</code></td><td>1 day</td>",
        "<td><code dir=\"ltr\">PHPSESSID</code></td><td>until you close the browser</td>",
    ] {
        assert!(page.contains(row), "{row}\n{page}");
    }
}

#[test]
fn the_three_answers_have_the_same_markup() {
    let page = page(&policy(parts()), &necessary(), Visit::default());
    let buttons = elements(&page, "button");
    let values = ["accept-all", "reject-all", "save"];
    let (answers, [withdraw]) = buttons.split_at(3) else { panic!("{buttons:?}") };
    assert!(withdraw.contains("value=\"withdraw\""), "{withdraw}");
    for (button, value) in answers.iter().zip(values) {
        let form = if value == "save" { "choice" } else { "all" };
        assert_eq!(*button, format!("<button form=\"{form}\" name=\"decision\" value=\"{value}\">"));
    }
    // No rule of the style sheet singles one of them out.
    let selectors = crate::page::STYLE.lines().filter_map(|line| Some(line.split_once('{')?.0));
    let mut seen = 0;
    for selector in selectors.filter(|selector| selector.contains(".choices button")) {
        seen += 1;
        for odd in ["nth", "first", "last", "[", "#", "+", "~"] {
            assert!(!selector.contains(odd), "{selector}");
        }
    }
    assert_eq!(seen, 3);
    for form in elements(&page, "form") {
        assert!(form.contains("method=\"post\" action=\"/_consent/choice\""), "{form}");
    }
}

#[test]
fn hostile_text_stays_text() {
    const HOSTILE: &str = "\"><script>alert('1')</script>&lt;";
    let mut hostile = parts();
    for category in &mut hostile.categories {
        (category.label, category.purpose) = (HOSTILE.into(), HOSTILE.into());
    }
    for service in &mut hostile.services {
        (service.label, service.vendor, service.purpose) = (HOSTILE.into(), HOSTILE.into(), HOSTILE.into());
        service.privacy = Some("javascript:alert(1)".into());
        service.opt_out = Some("https://vendor.example/?a=\"><script>".into());
        service.cookies = vec![rule(NamePattern::Exact(HOSTILE.into()), None, None)];
    }
    let hostile = policy(hostile);
    let visit = Visit { return_to: "/\"><script>", gpc: true, chosen: chosen(HOSTILE), ..Visit::default() };
    let page = Preferences::new(&hostile, &necessary(), about(HOSTILE), visit).render();
    assert!(!page.contains("<script") && !page.contains("javascript:"), "{page}");
    let escaped = "&#34;&#62;&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;&#38;lt;";
    assert!(page.matches(escaped).count() > 10, "{page}");
    assert_eq!(page.matches("value=\"/&#34;&#62;&#60;script&#62;\"").count(), 2, "{page}");
}

#[test]
fn return_address_is_always_of_this_site() {
    for (received, kept) in
        [("/cart?a=1", "/cart?a=1"), ("//evil.example", "/"), ("https://evil.example/", "/"), ("", "/")]
    {
        let page = page(&policy(parts()), &necessary(), Visit { return_to: received, ..Visit::default() });
        let field = format!("name=\"return_to\" value=\"{kept}\"");
        assert_eq!(page.matches(&field).count(), 2, "{received}");
        assert!(page.contains(&format!("<a href=\"{kept}\">")), "{received}");
    }
}

#[test]
fn page_runs_under_our_own_policy() {
    let page = page(&policy(parts()), &necessary(), Visit::default());
    for forbidden in ["<script", "<style", " style=", " onclick", "<img", "<iframe"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

#[test]
fn a_service_from_the_catalogue_shows_the_cookies_that_it_brings() {
    let exact = |name: &str| rule(NamePattern::Exact(name.into()), Some(60), None);
    let known = CatalogueService {
        id: "known".into(),
        label: "Known".into(),
        vendor: "Known Ltd".into(),
        purpose: "".into(),
        category: "analytics".into(),
        iab_vendor: None,
        privacy: None,
        opt_out: None,
        cookies: vec![exact("_brought"), exact("_ga")],
        storage: Vec::new(),
        tags: Vec::new(),
        snippets: Vec::new(),
    };
    let sources = vec![crate::policy::RuleSource { file: "c.yaml".into(), line: 1, text: "".into() }];
    let catalogue = Catalogue::compile(CatalogueParts { services: vec![known], sources, ..Default::default() });
    let mut parts = parts();
    parts.services.push(Service { uses: Some("known".into()), ..service("fresh", 1, Vec::new()) });
    let policy = Policy::compile(parts, Arc::new(catalogue));
    let page = Preferences::new(&policy, &Grant::none(), about("shop.example"), Visit::default());
    let fresh = page.categories[1].services.iter().find(|service| service.about.id == "fresh").unwrap();
    // `_ga` is the policy's own business.
    assert_eq!(fresh.about.cookies.iter().map(|cookie| &*cookie.name).collect::<Vec<_>>(), ["_brought"]);
}

#[test]
fn what_is_new_is_marked_and_told() {
    let mut parts = parts();
    parts.changes = [(1, "The first."), (2, "Now with replays.")]
        .map(|(version, text)| crate::policy::Change { version, date: None, text: text.into(), texts: Vec::new() })
        .into();
    let mut grant = necessary();
    grant.grant_category(CategoryId(1));
    grant.refuse_service(ServiceId(1));
    let new = [ServiceId(1)];
    let visit = Visit { chosen: chosen("3 March 2026"), new: (&[], &new), ..Visit::default() };
    let page = page(&policy(parts), &grant, visit);
    assert_eq!(page.matches("New since 3 March 2026").count(), 1, "{page}");
    assert!(page.contains("Now with replays.") && !page.contains("The first."), "{page}");
    let (before, after) = page.split_once("New since").unwrap();
    assert!(before.contains("for=\"service-replay\"") && after.contains("value=\"replay\""), "{page}");
    assert!(!tick(&page, "service", "replay").contains(" checked"));
}

#[test]
fn the_page_speaks_arabic_from_right_to_left() {
    let arabic = About { language: "ar", texts: Texts::of("ar"), ..about("shop.example") };
    let page = Preferences::new(&policy(parts()), &necessary(), arabic, Visit::default()).render();
    assert!(page.contains("<html lang=\"ar\" dir=\"rtl\">"), "{page}");
    assert!(page.contains(&*Texts::of("ar").always_active));
}
