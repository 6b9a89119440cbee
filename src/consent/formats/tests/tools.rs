//! What becomes of the cookies of a site by what its consent tool has written.

use std::sync::Arc;

use super::tcf::string;
use super::*;
use crate::consent::{Signals, grant};
use crate::cookie::UnixTime;
use crate::policy::{
    Action, Catalogue, CatalogueParts, CatalogueService, Category, CategoryId, CookieRule, NamePattern, Policy,
    PolicyParts, RuleId, RuleSource, Service,
};

const NOW: UnixTime = UnixTime(1_795_305_600);
/// All that the policy below has, with the catalogue's.
const COOKIES: [&str; 8] = ["lang", "_ga", "_hj1", "_other", "_x1", "cto_bundle", "_gcl_au", "_fbp"];

fn cookie(name: &str, category: Option<u8>) -> CookieRule {
    let pattern = NamePattern::parse(name).unwrap();
    CookieRule { pattern, category: category.map(CategoryId), lifetime: None, rule: RuleId(0) }
}

fn known(id: &str, category: &str, iab_vendor: Option<u16>, name: &str, rule: u32) -> CatalogueService {
    CatalogueService {
        id: id.into(),
        label: id.into(),
        vendor: "".into(),
        purpose: "".into(),
        category: category.into(),
        iab_vendor,
        privacy: None,
        opt_out: None,
        cookies: vec![CookieRule { rule: RuleId(rule), ..cookie(name, None) }],
        storage: vec![],
        tags: vec![],
        snippets: vec![],
    }
}

fn policy() -> Policy {
    let service = |id: &str, uses: Option<&str>, category, cookies| Service {
        id: id.into(),
        uses: uses.map(Into::into),
        category: CategoryId(category),
        cookies,
        ..Service::default()
    };
    let source = RuleSource { file: "f".into(), line: 1, text: "".into() };
    let catalogue = CatalogueParts {
        services: vec![
            known("google-analytics", "analytics", None, "_ga", 0),
            known("criteo", "marketing", Some(91), "cto_bundle", 1),
            known("google-ads", "marketing", Some(755), "_gcl_au", 2),
            known("meta-pixel", "marketing", None, "_fbp", 3),
        ],
        sources: vec![source.clone(); 4],
        ..CatalogueParts::default()
    };
    let category = |id: &str| Category { id: id.into(), required: id == "necessary", ..Category::default() };
    let parts = PolicyParts {
        choice_lifetime: 1_000_000_000,
        categories: ["necessary", "functional", "analytics", "marketing"].map(category).to_vec(),
        services: vec![
            service("ga", Some("google-analytics"), 2, vec![]),
            service("hotjar", None, 2, vec![cookie("_hj*", None)]),
            service("rival", None, 3, vec![cookie("_x1", None)]),
            service("criteo", Some("criteo"), 3, vec![]),
        ],
        cookies: vec![cookie("lang", Some(1)), cookie("_other", Some(2))],
        sources: vec![source],
        ..PolicyParts::default()
    };
    Policy::compile(parts, Arc::new(Catalogue::compile(catalogue)))
}

/// The tool as the configuration has it: a word, its cookie, and its groups with the key of a category or service.
fn settings(policy: &Policy, word: &str, cookie: &str, map: &str, services: &str) -> Settings {
    let pairs = |text: &str| -> Vec<(Box<str>, Box<str>)> {
        let pairs = text.split_whitespace().map(|pair| pair.rsplit_once('=').unwrap());
        pairs.map(|(group, key)| (group.into(), key.into())).collect()
    };
    Settings {
        format: Format::named(word).unwrap(),
        cookie: (!cookie.is_empty()).then(|| cookie.into()),
        map: pairs(map).into_iter().map(|(group, key)| (group, policy.category_named(&key).unwrap())).collect(),
        services: pairs(services)
            .into_iter()
            .map(|(group, key)| (group, policy.service_named(&key).unwrap()))
            .collect(),
        revision: None,
    }
}

fn kept(settings: Settings, policy: &Policy, line: &str) -> String {
    let record = Tool::new(settings, policy).read([line.as_bytes()], policy, NOW);
    let grant = grant(policy, &record, Signals::default(), NOW).grant;
    let passes = |name: &&str| policy.judge_cookie(&grant, name.as_bytes()).action == Action::Keep;
    COOKIES.into_iter().filter(passes).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(cases: &[(&str, &str, &str, &str, &str)]) {
    let policy = policy();
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|(word, map, services, line, expected)| {
            let kept = kept(settings(&policy, word, "", map, services), &policy, line);
            (kept != *expected).then(|| format!("{word} {map} {services} {line}\n  {kept:?}, not {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_service_that_is_missing_among_services_is_not_granted() {
    check(&[
        ("klaro", "", "", "klaro={\"matomo\":true}", "_other"),
        ("klaro", "", "", "klaro={\"ga\":true}", "_ga _other"),
        ("klaro", "", "", "klaro={\"hotjar\":true,\"googleAnalytics\":true}", "_ga _hj1 _other"),
        ("klaro", "", "heat=hotjar", "klaro={\"matomo\":true}", "_other"),
        ("klaro", "", "heat=hotjar", "klaro={\"matomo\":true,\"heat\":true}", "_hj1 _other"),
        ("klaro", "", "heat=hotjar also=hotjar", "klaro={\"matomo\":true,\"heat\":true}", "_other"),
        ("klaro", "matomo=analytics", "", "klaro={\"matomo\":true}", "_other"),
        // These answer for categories as such.
        ("klaro", "counting=analytics", "", "klaro={\"counting\":true}", "_ga _hj1 _other"),
        ("klaro", "", "", "klaro={\"statistics\":true}", "_ga _hj1 _other"),
        ("klaro", "", "", "klaro={\"statistics\":true,\"hotjar\":false}", ""),
        ("klaro", "", "", "klaro={\"analytics\":true}", "_ga _hj1 _other"),
        ("klaro", "", "", "klaro={\"Analytics\":true,\"marketing\":false}", "_ga _hj1 _other"),
        ("klaro", "", "", "klaro={\"analytics\":true,\"ga\":false}", ""),
        ("klaro", "", "", "klaro={\"analytics\":false,\"hotjar\":true}", "_hj1"),
        ("klaro", "analytics=analytics", "", "klaro={\"analytics\":true}", "_ga _hj1 _other"),
        ("klaro", "statistics=marketing", "", "klaro={\"statistics\":true}", "_x1 cto_bundle _gcl_au _fbp"),
        ("tarteaucitron", "analytics=analytics", "", "tarteaucitron=!analytics=true", "_ga _hj1 _other"),
        // To this tool it is a service, unless the site says otherwise.
        ("tarteaucitron", "", "", "tarteaucitron=!analytics=true", "_ga _other"),
        ("axeptio", "", "", "axeptio_authorized_vendors=,analytics,", "_ga _hj1 _other"),
        ("tarteaucitron", "", "", "tarteaucitron=!matomo=true", "_other"),
        ("tarteaucitron", "", "", "tarteaucitron=!gtag=true!youtube=true", "lang _ga _other"),
        ("tarteaucitron", "", "", "tarteaucitron=!multiplegtag=true!gtag=false", ""),
        ("axeptio", "", "", "axeptio_authorized_vendors=,matomo,", "_other"),
        ("axeptio", "", "", "axeptio_authorized_vendors=,google_analytics,", "_ga _other"),
        ("axeptio", "", "", "axeptio_authorized_vendors=,matomo,; axeptio_all_vendors=,matomo,hotjar,", ""),
        ("axeptio", "", "", "axeptio_cookies={\"$$completed\":true,\"matomo\":true}", "_other"),
        ("zaraz", "eQic=analytics", "vxcT=hotjar", "cf_consent={\"eQic\":true}", "_ga _other"),
    ]);
}

#[test]
fn a_list_of_services_in_a_category_counts() {
    let v3 =
        |services: &str| format!("cc_cookie={{\"categories\":[\"necessary\",\"analytics\"],\"services\":{services}}}");
    let (part, none, other) = (v3("{\"analytics\":[\"ga\"]}"), v3("{\"analytics\":[]}"), v3("{\"analytics\":[\"x\"]}"));
    let refused = v3("{\"analytics\":[\"ga\",\"hotjar\"],\"marketing\":[\"rival\"]}");
    let borlabs = |name: &str| format!("borlabs-cookie={{\"consents\":{{\"statistics\":[\"{name}\"]}}}}");
    let (google, unknown) = (borlabs("google-analytics"), borlabs("x"));
    let word = "vanilla-cookieconsent";
    check(&[
        (word, "", "", &part, "_ga _other"),
        (word, "", "analytics/hotjar=hotjar", &part, "_ga _other"),
        (word, "", "analytics/hotjar=hotjar", &none, "_ga _other"),
        (word, "", "", &refused, "_ga _hj1 _other"),
        // Categories and nothing else, or names that say nothing to us.
        (word, "", "", &none, "_ga _hj1 _other"),
        (word, "", "", &other, "_ga _hj1 _other"),
        (word, "", "", "cc_cookie={\"level\":[\"analytics\"]}", "_ga _hj1 _other"),
        ("borlabs", "", "statistics/hotjar=hotjar", &google, "_ga _other"),
        ("borlabs", "", "", &google, "_ga _other"),
        ("borlabs", "", "", &unknown, "_ga _hj1 _other"),
        ("borlabs", "", "statistics/x=hotjar", &unknown, "_ga _hj1 _other"),
    ]);
}

#[test]
fn a_vendor_needs_the_purposes_and_the_purposes_the_vendor() {
    const ALL: [u32; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    let tc = |purposes: &[u32], vendors: &[u16]| format!("euconsent-v2={}", string(purposes, vendors));
    let (only_first, nobody) = (tc(&[1], &[91, 755]), tc(&ALL, &[]));
    let (google, both, ninth) = (tc(&ALL, &[755]), tc(&ALL, &[91, 755]), tc(&ALL, &[9]));
    check(&[
        ("tcf", "", "vendor-91=criteo", &only_first, ""),
        ("tcf", "", "", &only_first, ""),
        ("tcf", "", "vendor-91=criteo", &google, "lang _ga _hj1 _other _x1 _gcl_au _fbp"),
        ("tcf", "", "", &google, "lang _ga _hj1 _other _x1 _gcl_au _fbp"),
        ("tcf", "", "vendor-91=criteo", &nobody, "lang _ga _hj1 _other _x1 _fbp"),
        ("tcf", "", "", &nobody, "lang _ga _hj1 _other _x1 _fbp"),
        ("tcf", "", "vendor-91=criteo", &both, "lang _ga _hj1 _other _x1 cto_bundle _gcl_au _fbp"),
        ("tcf", "", "", &both, "lang _ga _hj1 _other _x1 cto_bundle _gcl_au _fbp"),
        ("tcf", "", "vendor-9=rival", &google, "lang _ga _hj1 _other _gcl_au _fbp"),
        ("tcf", "", "vendor-9=rival", &ninth, "lang _ga _hj1 _other _x1 _fbp"),
        ("tcf", "vendor-91=marketing", "", &google, "lang _ga _hj1 _other"),
        ("tcf", "vendor-91=marketing", "", &only_first, ""),
    ]);
}

#[test]
fn a_tc_string_inside_another_record_counts_as_well() {
    let tc = string(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], &[755]);
    let (gpp, didomi) = (format!("__gpp=DBABMA~{tc}"), format!("didomi_token=eyJ2ZXJzaW9uIjoyfQ==; euconsent-v2={tc}"));
    let nobody = "didomi_token=eyJwdXJwb3NlcyI6eyJlbmFibGVkIjpbInNlbGVjdF9iYXNpY19hZHMiXX19";
    check(&[
        ("gpp", "", "", &gpp, "lang _ga _hj1 _other _x1 _gcl_au _fbp"),
        ("didomi", "", "vendor-91=criteo", &didomi, "lang _ga _hj1 _other _x1 _gcl_au _fbp"),
        ("didomi", "", "vendor-91=criteo", nobody, "_x1 _gcl_au _fbp"),
        ("didomi", "", "vendor:c:x=rival", nobody, "cto_bundle _gcl_au _fbp"),
    ]);
}

#[test]
fn what_stands_beside_a_renamed_record_is_found() {
    let policy = policy();
    let all = COOKIES.join(" ");
    let (agreed, list) = ("site-cookie-agreed=2", "site-cookie-agreed-categories=");
    for (cookie, line, expected) in [
        ("site-cookie-agreed", format!("{agreed}; {list}%5B%5D"), ""),
        ("site-cookie-agreed", format!("{agreed}; {list}[\"functional\"]"), "lang"),
        ("site-cookie-agreed", format!("{agreed}; {list}x"), ""),
        ("site-cookie-agreed", agreed.to_owned(), &*all),
        ("site-cookie-agreed", "site-cookie-agreed=0".to_owned(), ""),
        ("site-cookie-agreed*", format!("{list}[\"functional\"]; {agreed}"), "lang"),
        ("*cookie-agreed", format!("{list}[\"functional\"]; {agreed}"), "lang"),
        ("site-cookie-agreed*", agreed.to_owned(), &*all),
        // That of another site below the same domain.
        ("site-cookie-agreed", format!("{agreed}; {list}[]; cookie-agreed=2"), ""),
        ("", "cookie-agreed=2; cookie-agreed-categories=[]".to_owned(), ""),
    ] {
        assert_eq!(kept(settings(&policy, "drupal", cookie, "", ""), &policy, &line), expected, "{cookie}: {line}");
    }
    let renamed =
        Settings { revision: Some("1.1.0".into()), ..settings(&policy, "drupal", "site-cookie-agreed", "", "") };
    let old = format!("{agreed}; site-cookie-agreed-version=1.0.0");
    assert_eq!(kept(renamed.clone(), &policy, &old), "");
    let tool = Tool::new(renamed, &policy);
    let names: Vec<_> = tool.cookies().collect();
    for name in ["site-cookie-agreed", "site-cookie-agreed-categories", "site-cookie-agreed-version"] {
        assert!(names.iter().any(|known| known == name), "{names:?}");
    }
}

#[test]
fn one_answer_is_one_for_every_service() {
    let all = COOKIES.join(" ");
    check(&[
        ("tealium", "", "", "CONSENTMGR=ts:1790000000000%7Cconsent:true", &all),
        ("tealium", "c1=analytics", "c1=hotjar", "CONSENTMGR=consent:true", &all),
        ("tealium", "c1=analytics", "", "CONSENTMGR=consent:true%7Cc1:1%7Cc2:1", "_ga _hj1 _other"),
        ("tealium", "c1=analytics", "c2=hotjar", "CONSENTMGR=consent:true|c1:1|c2:0", "_ga _other"),
        ("drupal", "", "", "cookie-agreed=2", &all),
    ]);
}
