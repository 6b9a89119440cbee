//! The compiled policy as a whole: a site's lists, the catalogue behind them, and a grant.

use proptest::prelude::*;

use super::*;

const ESSENTIAL: CategoryId = CategoryId(0);
const PERFORMANCE: CategoryId = CategoryId(1);
const MARKETING: CategoryId = CategoryId(2);
const GA: ServiceId = ServiceId(0);
const YEAR: u64 = 365 * 86_400;

fn category(id: &str, required: bool, catalogue: &[&str]) -> Category {
    Category {
        id: id.into(),
        label: id.into(),
        purpose: "".into(),
        required,
        gpc: false,
        dnt: false,
        lifetime: None,
        catalogue: catalogue.iter().map(|word| Box::from(*word)).collect(),
        ..Default::default()
    }
}

/// Numbers rules in the order in which they are made, as `config` does.
#[derive(Default)]
struct Rules(Vec<RuleSource>);

impl Rules {
    fn next(&mut self, text: &str) -> RuleId {
        let line = self.0.len() as u32 + 1;
        self.0.push(RuleSource { file: "policy.yaml".into(), line, text: text.into() });
        RuleId(line - 1)
    }

    fn cookie(&mut self, text: &str, category: Option<CategoryId>, lifetime: Option<u64>) -> CookieRule {
        CookieRule {
            pattern: NamePattern::parse(text).unwrap(),
            category,
            lifetime: lifetime.map(Term::from),
            rule: self.next(text),
        }
    }

    fn cookies(&mut self, texts: &[&str]) -> Vec<CookieRule> {
        texts.iter().map(|text| self.cookie(text, None, None)).collect()
    }

    fn tags(&mut self, texts: &[&str]) -> Vec<TagRule> {
        let tag = |text: &&str| TagRule { pattern: HostPattern::parse(text).unwrap(), rule: self.next(text) };
        texts.iter().map(tag).collect()
    }

    fn snippets(&mut self, texts: &[&str]) -> Vec<SnippetRule> {
        texts.iter().map(|text| SnippetRule { text: (*text).into(), rule: self.next(text) }).collect()
    }

    fn session(&mut self, text: &str, hardening: Option<Hardening>) -> SessionRule {
        SessionRule { pattern: NamePattern::parse(text).unwrap(), hardening, rule: self.next(text) }
    }

    fn known(
        &mut self,
        id: &str,
        category: &str,
        cookies: &[&str],
        tags: &[&str],
        snippets: &[&str],
    ) -> CatalogueService {
        CatalogueService {
            id: id.into(),
            label: id.into(),
            vendor: "".into(),
            purpose: "".into(),
            category: category.into(),
            iab_vendor: None,
            privacy: None,
            opt_out: None,
            cookies: cookies.iter().map(|text| self.cookie(text, None, Some(2 * YEAR))).collect(),
            storage: vec![],
            tags: self.tags(tags),
            snippets: self.snippets(snippets),
        }
    }
}

fn catalogue() -> Arc<Catalogue> {
    let mut rules = Rules::default();
    let ga_tags = ["*.google-analytics.com", "www.googletagmanager.com/gtag/js*"];
    let services = vec![
        rules.known("google-analytics", "analytics", &["_ga", "_ga_*", "_gid", "_gat*"], &ga_tags, &["gtag('config'"]),
        rules.known("google-ads", "marketing", &["_gcl_au"], &["*.doubleclick.net"], &["gtag('config', 'AW-"]),
        rules.known("facebook", "marketing", &["_fbp"], &["connect.facebook.net"], &["fbq('init'"]),
        rules.known("intercom", "functional", &["intercom-*"], &["widget.intercom.io"], &[]),
        rules.known("paddle", "necessary", &["paddle_*"], &["cdn.paddle.com"], &["Paddle.Setup"]),
    ];
    let csrf = Hardening { http_only: false, ..Hardening::FULL };
    let sessions = vec![
        rules.session("PHPSESSID", Some(Hardening::FULL)),
        rules.session("csrftoken", Some(csrf)),
        rules.session(".AspNetCore.Correlation.*", None),
        rules.session("_ga_session", Some(Hardening::FULL)),
    ];
    Arc::new(Catalogue::compile(CatalogueParts { services, sessions, sources: rules.0 }))
}

#[test]
fn a_rule_of_the_catalogue_leads_to_its_service() {
    let catalogue = catalogue();
    let owner = |rule| catalogue.service_of(rule).map(|service| &*service.id);
    for (name, id) in [("_ga", "google-analytics"), ("_fbp", "facebook"), ("paddle_x", "paddle")] {
        assert_eq!(owner(catalogue.cookie(name.as_bytes()).unwrap().1), Some(id));
    }
    let tag = catalogue.tag(&Url::parse("https://widget.intercom.io/x").unwrap()).unwrap();
    assert_eq!(owner(tag.1), Some("intercom"));
    assert_eq!(owner(catalogue.session(b"PHPSESSID").unwrap().1), None);
    assert_eq!(owner(RuleId(u32::MAX)), None, "a rule of nobody's");
}

fn service(id: &str, uses: Option<&str>, category: CategoryId) -> Service {
    Service {
        id: id.into(),
        label: id.into(),
        vendor: "".into(),
        purpose: "".into(),
        category,
        lifetime: None,
        privacy: None,
        opt_out: None,
        uses: uses.map(Box::from),
        cookies: vec![],
        storage: vec![],
        tags: vec![],
        snippets: vec![],
        ..Default::default()
    }
}

/// Categories under a site's own names; no category takes in the catalogue's `functional`.
fn parts() -> PolicyParts {
    PolicyParts {
        categories: vec![
            category("essential", true, &[]),
            category("performance", false, &["analytics"]),
            category("marketing", false, &[]),
        ],
        catalogue_sessions: true,
        ..PolicyParts::default()
    }
}

fn compile(parts: PolicyParts) -> Policy {
    Policy::compile(parts, catalogue())
}

fn grant(categories: &[CategoryId]) -> Grant {
    let mut grant = Grant::none();
    categories.iter().for_each(|id| grant.grant_category(*id));
    grant
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn mailjet_j7_j8_one_family_in_two_categories_with_published_lifetimes() {
    let mut rules = Rules::default();
    let mut parts = parts();
    let (day, analytics) = (86_400, PERFORMANCE);
    for (pattern, category, lifetime) in [
        ("^_ga_.*", ESSENTIAL, Some(2 * YEAR)),
        ("^_ga$", ESSENTIAL, Some(2 * YEAR)),
        ("^_gat_UA-.*", ESSENTIAL, Some(day)),
        ("_ga_KGQ3ZCEQ3Z", analytics, Some(2 * YEAR)),
        ("__utm*", analytics, Some(2 * YEAR)),
        ("^ajs%3Acookies$", MARKETING, Some(YEAR)),
        ("_vis_opt_test_cookie", MARKETING, None),
        ("apt.sid", MARKETING, Some(0)),
    ] {
        parts.cookies.push(rules.cookie(pattern, Some(category), lifetime));
    }
    parts.sources = rules.0;
    let policy = compile(parts);
    for (name, category, lifetime) in [
        ("_ga", ESSENTIAL, Some(2 * YEAR)),
        ("_ga_3J7PP9VX3Q", ESSENTIAL, Some(2 * YEAR)),
        ("_ga_KGQ3ZCEQ3Z", analytics, Some(2 * YEAR)),
        ("_gat_UA-1", ESSENTIAL, Some(day)),
        ("__utma", analytics, Some(2 * YEAR)),
        ("ajs%3Acookies", MARKETING, Some(YEAR)),
        ("_vis_opt_test_cookie", MARKETING, None),
        ("apt.sid", MARKETING, Some(0)),
        // Not in the site's list: the catalogue's kind, but not its lifetime.
        ("_gid", analytics, None),
        ("_gcl_au", MARKETING, None),
    ] {
        let found = policy.cookie(name.as_bytes()).unwrap_or_else(|| panic!("{name} is unknown"));
        assert_eq!((found.owner.category, found.lifetime), (category, lifetime), "{name}");
    }
    assert_eq!(policy.cookie(b"apt_sid"), None);
    assert_eq!(policy.cookie(b"_GA"), None);
    let source = policy.source(policy.cookie(b"_ga_KGQ3ZCEQ3Z").unwrap().rule);
    assert_eq!((&*source.file, source.line, &*source.text), ("policy.yaml", 4, "_ga_KGQ3ZCEQ3Z"));

    let lints = policy.lints();
    let warned: Vec<_> = lints.iter().filter_map(|lint| lint.rule).collect();
    assert_eq!(warned, [RuleId(0), RuleId(1), RuleId(2)], "{lints:#?}");
}

#[test]
fn lifetime_is_the_cookies_own_then_the_services_and_never_above_the_categorys() {
    for (cookie, service_cap, category_cap, expected) in [
        (None, None, None, None),
        (Some(9), None, None, Some(9)),
        (Some(9), Some(5), None, Some(9)),
        (None, Some(5), None, Some(5)),
        (None, None, Some(7), Some(7)),
        (Some(9), Some(5), Some(7), Some(7)),
        (None, Some(9), Some(7), Some(7)),
        (Some(0), Some(9), Some(7), Some(0)),
    ] {
        let mut rules = Rules::default();
        let mut parts = parts();
        parts.categories[1].lifetime = category_cap.map(Term::from);
        let mut ga = service("ga", Some("google-analytics"), PERFORMANCE);
        ga.lifetime = service_cap.map(Term::from);
        ga.cookies.push(rules.cookie("_own", None, cookie));
        parts.services.push(ga);
        let policy = compile(parts);
        assert_eq!(policy.cookie(b"_own").unwrap().lifetime, expected);
        let of_catalogue = policy.cookie(b"_gid").unwrap().lifetime;
        assert_eq!(of_catalogue, service_cap.into_iter().chain(category_cap).min());
    }
}

#[test]
fn catalogue_services_belong_to_the_service_that_uses_them_else_to_a_category() {
    let mut parts = parts();
    parts.services.push(service("ga", Some("google-analytics"), MARKETING));
    let policy = compile(parts);
    let owner = |name: &str| policy.cookie(name.as_bytes()).map(|found| found.owner);
    assert_eq!(owner("_ga"), Some(Owner { category: MARKETING, service: Some(GA) }));
    assert_eq!(owner("_fbp"), Some(Owner { category: MARKETING, service: None }));
    assert_eq!(owner("paddle_x"), Some(Owner { category: ESSENTIAL, service: None }));
    assert_eq!(owner("intercom-id"), None);
    let tag = policy.tag(&url("https://www.googletagmanager.com/gtag/js?id=G-1")).unwrap();
    assert_eq!(tag.owner.service, Some(GA));

    let mut all = grant(&[MARKETING]);
    all.refuse_service(GA);
    assert_eq!(policy.judge_cookie(&all, b"_ga").action, Action::Strip);
    assert_eq!(policy.judge_cookie(&all, b"_fbp").action, Action::Keep);
}

#[test]
fn what_no_category_takes_in_is_never_granted() {
    for unclassified in [Unclassified::Strip, Unclassified::Keep, Unclassified::Category(ESSENTIAL)] {
        let policy = compile(PolicyParts { unclassified, ..parts() });
        let everything = grant(&[ESSENTIAL, PERFORMANCE, MARKETING]);
        let cookie = policy.judge_cookie(&everything, b"intercom-id");
        assert_eq!((cookie.action, cookie.classified), (Action::Strip, None));
        assert_eq!(&*policy.source(cookie.rule.unwrap()).text, "intercom-*");
        assert_eq!(policy.judge_tag(&everything, &url("https://widget.intercom.io/w/1")).action, Action::Strip);
        assert!(policy.lints().iter().any(|lint| lint.text.contains("`functional`")));
    }
}

#[test]
fn unclassified_is_about_cookies_and_never_about_tags() {
    let (none, some) = (grant(&[ESSENTIAL]), grant(&[ESSENTIAL, MARKETING]));
    for (unclassified, refused, granted) in [
        (Unclassified::Strip, Action::Strip, Action::Strip),
        (Unclassified::Keep, Action::Keep, Action::Keep),
        (Unclassified::Category(MARKETING), Action::Strip, Action::Keep),
    ] {
        let mut parts = PolicyParts { unclassified, ..parts() };
        parts.categories[2].lifetime = Some(Term::from(60));
        let policy = compile(parts);
        assert_eq!(policy.judge_cookie(&none, b"who").action, refused);
        let verdict = policy.judge_cookie(&some, b"who");
        assert_eq!(verdict.action, granted);
        assert_eq!(verdict.lifetime.is_some(), matches!(unclassified, Unclassified::Category(_)));
        assert_eq!(policy.judge_tag(&none, &url("https://shop.example/logo.png")).action, Action::Keep);
        assert_eq!(policy.judge_snippet(&none, "var a = 1;").action, Action::Keep);
    }
}

#[test]
fn session_cookies_are_necessary_and_hardened_unless_the_site_says_otherwise() {
    let mut rules = Rules::default();
    let mut parts = parts();
    parts.cookies.push(rules.cookie("_ga_session", Some(PERFORMANCE), None));
    parts.cookies.push(rules.cookie("csrftoken", Some(ESSENTIAL), None));
    parts.sessions.push(rules.session("SHOPSID", Some(Hardening { host_prefix: true, ..Hardening::FULL })));
    parts.sessions.push(rules.session("legacy", None));
    let policy = compile(parts.clone());
    let hardened = |name: &str| policy.session(name.as_bytes()).map(|(hardening, _)| hardening);
    assert_eq!(hardened("PHPSESSID"), Some(Hardening::FULL));
    assert_eq!(hardened("__Host-PHPSESSID"), Some(Hardening::FULL));
    assert_eq!(hardened("__secure-SHOPSID").map(|h| h.host_prefix), Some(true));
    assert_eq!(hardened("csrftoken").map(|h| h.http_only), Some(false));
    for name in ["phpsessid", "legacy", ".AspNetCore.Correlation.x", "_ga_session", "_ga", "other"] {
        assert_eq!(hardened(name), None, "{name}");
    }
    for name in ["PHPSESSID", "__Host-PHPSESSID", "SHOPSID", "legacy", ".AspNetCore.Correlation.x", "csrftoken"] {
        assert_eq!(policy.judge_cookie(&grant(&[ESSENTIAL]), name.as_bytes()).action, Action::Keep, "{name}");
    }
    assert_eq!(policy.judge_cookie(&grant(&[ESSENTIAL]), b"_ga_session").action, Action::Strip);

    // Not hardened, but a login that the catalogue knows still works.
    parts.catalogue_sessions = false;
    let policy = compile(parts.clone());
    assert_eq!(policy.session(b"PHPSESSID"), None);
    assert_eq!(policy.judge_cookie(&grant(&[ESSENTIAL]), b"PHPSESSID").action, Action::Keep);

    parts.categories[0].required = false;
    let verdict = compile(parts).judge_cookie(&Grant::none(), b"PHPSESSID");
    assert_eq!((verdict.action, verdict.classified), (Action::Keep, None));
}

#[test]
fn a_cookie_that_a_service_lists_as_essential_is_not_asked_about() {
    let mut rules = Rules::default();
    let mut parts = parts();
    let mut ga = service("ga", Some("google-analytics"), PERFORMANCE);
    ga.cookies = vec![rules.cookie("_ga", Some(ESSENTIAL), None), rules.cookie("_ga_*", None, None)];
    parts.services.push(ga);
    let policy = compile(parts);
    let mut refused = grant(&[ESSENTIAL, PERFORMANCE]);
    refused.refuse_service(GA);
    assert_eq!(policy.judge_cookie(&refused, b"_ga").action, Action::Keep);
    assert_eq!(policy.judge_cookie(&refused, b"_ga_1").action, Action::Strip);
}

#[test]
fn the_sites_rules_come_before_the_catalogues_and_by_their_place_in_the_file() {
    let mut rules = Rules::default();
    let mut parts = parts();
    parts.cookies.push(rules.cookie("_shared*", Some(ESSENTIAL), None));
    let mut own = service("own", None, PERFORMANCE);
    own.cookies = rules.cookies(&["_shared*", "^_f"]);
    own.tags = rules.tags(&["*.facebook.net"]);
    own.snippets = rules.snippets(&["fbq("]);
    parts.services.push(own);
    let policy = compile(parts);
    assert_eq!(policy.cookie(b"_shared1").unwrap().owner.category, ESSENTIAL);
    assert_eq!(policy.cookie(b"_fbp").unwrap().owner.category, PERFORMANCE);
    assert_eq!(policy.tag(&url("https://connect.facebook.net/x.js")).unwrap().owner.category, PERFORMANCE);
    assert_eq!(policy.snippet("fbq('init', 1)").unwrap().owner.category, PERFORMANCE);
    assert_eq!(policy.judge_snippet(&grant(&[PERFORMANCE]), "fbq('init', 1)").action, Action::Keep);
}

#[test]
fn a_script_goes_if_any_part_of_it_is_not_granted() {
    let policy = compile(parts());
    let both = "gtag('config', 'G-1'); fbq(\"init\", '2');";
    for (categories, text, action) in [
        (&[PERFORMANCE][..], both, Action::Strip),
        (&[MARKETING], both, Action::Strip),
        (&[PERFORMANCE, MARKETING], both, Action::Keep),
        (&[MARKETING], "gtag('config','AW-1')", Action::Keep),
        (&[PERFORMANCE], "gtag('config','AW-1')", Action::Strip),
        (&[], "s=d.createElement('script');s.src='//connect.facebook.net/en/x.js'", Action::Strip),
        (&[MARKETING], "s=d.createElement('script');s.src='//connect.facebook.net/en/x.js'", Action::Keep),
        (
            &[],
            "ga.src = ('https:' == document.location.protocol ? 'https://ssl' : 'http://www') + '.google-analytics.com/ga.js';",
            Action::Strip,
        ),
        (&[], "share('https://connect.facebook.net/')", Action::Keep),
        (&[], "gtag('js', new Date)", Action::Keep),
    ] {
        assert_eq!(policy.judge_snippet(&grant(categories), text).action, action, "{text} under {categories:?}");
    }
    let blocked = policy.judge_snippet(&grant(&[PERFORMANCE]), both).classified.unwrap();
    assert_eq!(blocked.owner.category, MARKETING);
    assert_eq!(policy.snippet(both).unwrap().owner.category, PERFORMANCE);
    assert_eq!(policy.snippet("nothing()"), None);
}

#[test]
fn fingerprint_changes_with_what_visitors_can_notice() {
    let print = |change: fn(&mut PolicyParts)| {
        let mut parts = parts();
        change(&mut parts);
        let policy = compile(parts);
        (policy.fingerprint(), policy.digest())
    };
    let same = print(|_| ());
    assert_eq!(same, print(|_| ()));
    let changed = [
        print(|p| p.version = 2),
        print(|p| p.categories[1].label = "Other".into()),
        print(|p| p.categories[1].lifetime = Some(Term::from(0))),
        print(|p| p.cookies = Rules::default().cookies(&["a"])),
        print(|p| p.cookies = Rules::default().cookies(&["a*"])),
        print(|p| p.unclassified = Unclassified::Keep),
    ];
    let bare = Policy::compile(parts(), Arc::new(Catalogue::compile(CatalogueParts::default())));
    let all = || changed.iter().chain([&same]);
    let distinct: std::collections::HashSet<_> = all().map(|print| print.0).chain([bare.fingerprint()]).collect();
    assert_eq!(distinct.len(), changed.len() + 2);
    let distinct: std::collections::HashSet<_> = all().map(|print| print.1).chain([bare.digest()]).collect();
    assert_eq!(distinct.len(), changed.len() + 2);
}

#[test]
fn lints_warn_of_trackers_in_required_categories_and_of_idle_signals() {
    let mut rules = Rules::default();
    let mut parts = PolicyParts { law: Law::Implied, ..parts() };
    parts.categories[0].gpc = true;
    let cookies = ["_ga_KGQ3ZCEQ3Z", "_fb*", "PHPSESSID", "lang"];
    parts.cookies = cookies.iter().map(|text| rules.cookie(text, Some(ESSENTIAL), None)).collect();
    parts.cookies.push(rules.cookie("_gid", Some(PERFORMANCE), None));
    parts.services.push(service("ga", Some("google-analytics"), ESSENTIAL));
    let lints = compile(parts).lints();
    let of_rules: Vec<_> = lints.iter().filter_map(|lint| lint.rule).collect();
    assert_eq!(of_rules, [RuleId(0), RuleId(1)], "{lints:#?}");
    let whole = lints.iter().filter(|l| l.rule.is_none()).map(|l| &*l.text).collect::<Vec<_>>().join("\n");
    for part in ["GDPR", "do nothing", "service `ga`", "`functional`"] {
        assert!(whole.contains(part), "{part} in {whole}");
    }
}

/// `_gd_session` of 6sense looks like the session of a Rails application.
#[test]
fn what_the_catalogue_gives_to_a_tracker_is_no_session_cookie() {
    let policy = compile(parts());
    assert_eq!(policy.session(b"_ga_session"), None);
    assert_eq!(policy.session(b"__Secure-_ga_session"), None);
    assert_eq!(policy.cookie(b"_ga_session").map(|c| c.owner.category), Some(PERFORMANCE));
    // Nor is it let through as one where no category takes trackers in.
    let mut homeless = parts();
    homeless.categories.remove(1);
    assert_eq!(compile(homeless).judge_cookie(&grant(&[ESSENTIAL]), b"_ga_session").action, Action::Strip);
    // The site knows its own cookies better.
    let mut own = parts();
    own.sessions = vec![Rules::default().session("_ga_session", Some(Hardening::FULL))];
    assert!(compile(own).session(b"_ga_session").is_some());
}

#[test]
fn names_lead_to_ids() {
    let mut parts = parts();
    parts.services.push(service("ga", None, PERFORMANCE));
    let policy = compile(parts);
    assert_eq!(policy.category_named("marketing"), Some(MARKETING));
    assert_eq!(policy.category_named("analytics"), None);
    assert_eq!(policy.service_named("ga"), Some(GA));
    assert_eq!((&*policy.category(MARKETING).id, &*policy.service(GA).id), ("marketing", "ga"));
    assert_eq!(policy.catalogue().service("facebook").map(|s| &*s.category), Some("marketing"));
}

proptest! {
    #[test]
    fn no_input_panics(name in any::<Vec<u8>>(), text in "\\PC{0,80}", tail in "[ -~é]{0,20}") {
        let policy = compile(parts());
        for name in [&name[..], text.as_bytes(), &[b"__Host-", &name[..]].concat()] {
            policy.judge_cookie(&Grant::none(), name);
            policy.session(name);
        }
        policy.judge_snippet(&Grant::none(), &format!("{text}createElement('script').src='//{tail}'"));
        if let Some(url) = resolve(&url("https://shop.example/"), &text) {
            policy.judge_tag(&Grant::none(), &url);
        }
    }
}

#[test]
fn a_vendor_without_consent_has_nothing_but_what_is_required() {
    let mut known = catalogue().parts().clone();
    known.services[1].iab_vendor = Some(755);
    let mut rules = Rules::default();
    let mut parts = parts();
    parts.services = vec![service("meta", Some("facebook"), MARKETING)];
    parts.cookies =
        vec![rules.cookie("_gcl_au", Some(PERFORMANCE), None), rules.cookie("_gcl_x", Some(ESSENTIAL), None)];
    parts.sources = rules.0;
    let compile = |parts: &PolicyParts| Policy::compile(parts.clone(), Arc::new(Catalogue::compile(known.clone())));
    let source = RuleSource { file: "c".into(), line: 1, text: "".into() };
    let policy = compile(&parts).with_consent_tool(vec![], None, true, source);
    let mut grant = grant(&[ESSENTIAL, PERFORMANCE, MARKETING]);
    let tag = url("https://ad.doubleclick.net/x");
    assert_eq!(policy.judge_tag(&grant, &tag).action, Action::Keep);
    let before = grant.digest(1);
    grant.refuse_vendors(&[91, 755]);
    assert!(grant.digest(1) != before && !policy.grants_everything(&grant));
    assert_eq!(policy.judge_tag(&grant, &tag).action, Action::Strip);
    assert_eq!(policy.judge_snippet(&grant, "gtag('config', 'AW-1')").action, Action::Strip);
    // The site puts it elsewhere, which makes it no other vendor's.
    assert_eq!(policy.judge_cookie(&grant, b"_gcl_au").action, Action::Strip);
    for name in ["_gcl_x", "_fbp", "_ga"] {
        assert_eq!(policy.judge_cookie(&grant, name.as_bytes()).action, Action::Keep, "{name}");
    }
    grant.refuse_vendors(&[91]);
    assert_eq!(policy.judge_cookie(&grant, b"_gcl_au").action, Action::Keep);
    // To the guard a vendor is a service of that number.
    let tables = |policy: &Policy| serde_json::to_string(&policy.tables()).unwrap();
    assert!(tables(&policy).contains("\"marketing ~755\""), "{}", tables(&policy));
    assert!(!tables(&compile(&parts)).contains('~'), "without a consent tool nobody refuses one");
}
