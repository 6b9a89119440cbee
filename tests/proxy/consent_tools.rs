//! Sites that run a consent tool of their own: its cookie is the choice, whatever it holds.

use http::Method;

use crate::support::proxy::POLICY;
use crate::support::{Client, HOST, Origin, Proxy, block_on};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const ORIGIN: (&str, &str) = ("origin", "https://shop.example");

/// Key of the site, its `Cookie`, and what the origin is told of the grant.
const CASES: &[(&str, &str, &str)] = &[
    ("onetrust", "OptanonConsent=version=6.20.0&groups=C0001%3A1%2CC0002%3A1%2CC0003%3A1%2CC0004%3A1", "necessary"),
    (
        "onetrust",
        "OptanonConsent=version=6.20.0&groups=C0001%3A1%2CC0002%3A1%2CC0003%3A0%2CC0004%3A0; OptanonAlertBoxClosed=2025-10-28T10:42:10.000Z",
        "necessary, analytics",
    ),
    (
        "onetrust",
        "OptanonConsent=version=6.20.0&groups=C0002%3A1&AwaitingReconsent=true; OptanonAlertBoxClosed=2025-10-28T10:42:10.000Z",
        "necessary",
    ),
    // Tossed at the site by a sub-domain.
    (
        "onetrust",
        "OptanonConsent=version=1&groups=C0002%3A0%2CC0003%3A1; OptanonConsent=version=1&groups=C0002%3A1%2CC0003%3A1; \
         OptanonAlertBoxClosed=2025-10-28T10:42:10.000Z",
        "necessary, functional",
    ),
    (
        "{ format: onetrust, cookie: MyConsent, map: { stats: analytics, ads: marketing } }",
        "MyConsent=version=1&groups=stats%3A1%2Cads%3A0; OptanonAlertBoxClosed=2025-10-28T10:42:10.000Z",
        "necessary, analytics",
    ),
    (
        "cookiebot",
        "CookieConsent={stamp:%27a+b/==%27%2Cnecessary:true%2Cpreferences:true%2Cstatistics:false%2Cmarketing:true\
         %2Cmethod:%27explicit%27%2Cver:1}",
        "necessary, functional, marketing",
    ),
    (
        "cookiebot",
        "CookieConsent={stamp:%27-1%27%2Cnecessary:true%2Cpreferences:true%2Cstatistics:true%2Cmarketing:true\
         %2Cmethod:%27implied%27%2Cver:1}",
        "necessary",
    ),
    (
        "{ format: cookiebot, revision: 2 }",
        "CookieConsent={stamp:%27a%27%2Cnecessary:true%2Cstatistics:true%2Cver:1}",
        "necessary",
    ),
    (
        "cookieyes",
        "cookieyes-consent=consentid:x,consent:yes,action:yes,necessary:yes,functional:no,analytics:yes,advertisement:no",
        "necessary, analytics",
    ),
    (
        "complianz",
        "cmplz_statistics=allow; cmplz_marketing=deny; cmplz_banner-status=dismissed",
        "necessary, analytics",
    ),
    ("complianz", "cmplz_statistics=allow; cmplz_marketing=allow", "necessary"),
    (
        "klaro",
        "klaro=%7B%22matomo%22%3Atrue%2C%22counter%22%3Atrue%2C%22facebook-pixel%22%3Afalse%7D",
        "necessary, analytics",
    ),
    ("klaro", "klaro=%7B%22matomo%22%3Atrue%2C%22hotjar%22%3Afalse%7D", "necessary"),
    (
        "vanilla-cookieconsent",
        "cc_cookie={\"level\": [\"necessary\",\"analytics\", \"targeting\"]}",
        "necessary, analytics, marketing",
    ),
    ("tarteaucitron", "tarteaucitron=!multiplegtag=true!gtag=false!youtube=true", "necessary, functional"),
    ("tcf", "euconsent-v2=CQSU_AAQSU_AAEsAEBENBQFgAIGAAAAAAAYgF5wAgAMgLzAAAAAA.YAAAAAAAAAAA", "necessary, analytics"),
    ("tcf", "euconsent-v2=CQX48QAQX48QAAGABBENB3FgAAAAAAAAAAYgAAAAAAAA.YAAAAAAAAAAA", "necessary"),
    (
        "iubenda",
        "_iub_cs-1=%7B%22purposes%22%3A%7B%221%22%3Atrue%2C%224%22%3Atrue%7D%2C%22id%22%3A1%7D",
        "necessary, analytics",
    ),
    ("drupal", "cookie-agreed=2; cookie-agreed-categories=[%22necessary%22%2C%22marketing%22]", "necessary, marketing"),
    ("drupal", "cookie-agreed=2", "necessary, functional, analytics, marketing"),
    (
        "govuk",
        "cookies_policy={\"essential\":true,\"settings\":false,\"usage\":true}; cookies_preferences_set=true",
        "necessary, analytics",
    ),
    ("govuk", "cookies_policy={\"essential\":true,\"settings\":false,\"usage\":true}", "necessary"),
    (
        "borlabs",
        "borlabs-cookie=%7B%22consents%22%3A%7B%22essential%22%3A%5B%5D%2C%22statistics%22%3A%5B%22x%22%5D%7D%7D",
        "necessary, analytics",
    ),
    ("osano", "osano_consentmanager=Zm9vYmFy", "necessary"),
    // One answer for everything, in whatever order and coding.
    ("tealium", "CONSENTMGR=ts:1653026236856%7Cconsent:true", "necessary, functional, analytics, marketing"),
    ("tealium", "CONSENTMGR=consent:false%7Cts:1653026236856", "necessary"),
    (
        "{ format: tealium, map: { c1: analytics, c2: marketing } }",
        "CONSENTMGR=consent:true%7Cc1:1%7Cc2:0%7Cts:1653026236856",
        "necessary, analytics",
    ),
    (
        "{ format: tealium, map: { c1: analytics, c2: marketing } }",
        "CONSENTMGR=c1:1|c2:0|ts:1653026236856|consent:true",
        "necessary, analytics",
    ),
];

/// Whatever these hold, nobody gets more than without them, even where everything is allowed until refused.
const GARBAGE: &[(&str, &str)] = &[
    ("onetrust", "OptanonConsent=%; OptanonAlertBoxClosed=x"),
    ("onetrust", "OptanonConsent=; OptanonAlertBoxClosed=2025-10-28T10:42:10.000Z"),
    ("cookiebot", "CookieConsent=true"),
    ("cookiebot", "CookieConsent={{{{'"),
    ("klaro", "klaro=%7Bnot-json"),
    ("klaro", "klaro=[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["),
    ("didomi", "didomi_token=accepted"),
    ("tcf", "euconsent-v2=true"),
    ("tcf", "euconsent-v2=CQSU_AAQSU"),
    ("tcf", "euconsent-v2=CQSU_AAQSU_AAEsAEBENBQFgAP_gAAAAAAYgAAAAAAA"),
    ("tcf", "euconsent-v2=CQSU_AAQSU_AAEsAEBENBQFgAP_gAAAAAAYgAAAAAAAA.!!!!"),
    ("tcf", "euconsent-v2=BOaowGWOaoxUeAHABBPLB6-AAAAiyALAAUABAADIAIAAWgAyABoAEUAJgAWwD_g"),
    ("gpp", "__gpp=DBABLA~"),
    ("gpp", "__gpp=DBABIY~BVVVVVVVVVVA.YA"),
    ("usprivacy", "usprivacy=1---N"),
    ("osano", "osano_consentmanager=Zm9vYmFy"),
    ("axeptio", "axeptio_cookies=lzc1.abc"),
    ("drupal", "cookie-agreed=9"),
    ("tarteaucitron", "tarteaucitron=gtag"),
    ("klaro", "=klaro=%7B%22gtag%22%3Atrue%7D"),
    ("klaro", "klaro=%7B%22gtag%22%3Atrue%7D; klaro=x"),
];

fn policy(law: &str) -> String {
    format!("{POLICY}\nlaw: {law}\nchoice: {{ lifetime: 10 years }}\n")
}

#[test]
fn the_tools_own_record_is_the_choice() {
    block_on(async {
        let cookies = ["_ga=1; Path=/", "_fbp=1; Path=/", "lang=de; Path=/", "cart=1; Path=/"];
        let answer = cookies.map(|cookie| ("set-cookie", cookie));
        let origin = Origin::fixed(200, &answer, "").await;
        let own = ["analytics", "marketing", "functional", "necessary"];
        for (tool, cookie, granted) in CASES {
            let extra = format!("consent_tool: {tool}");
            let address = format!("http://{}", origin.address);
            let proxy = Proxy::builder().site_with(HOST, &address, &policy("opt-in"), &extra).start();
            let reply = Client::h1(&proxy).await.get("/api", &[("cookie", &format!("cart=1; {cookie}"))]).await;
            let seen = origin.seen().pop().unwrap();
            assert_eq!(seen.header("consent"), Some(*granted), "{tool}: {cookie}");
            assert_eq!(seen.header("cookie"), Some(&*format!("cart=1; {cookie}")), "the tool reads it back");
            let granted = |(_, category): &(&str, &str)| granted.split(", ").any(|known| known == *category);
            let expected = cookies.into_iter().zip(own).filter(granted);
            let expected: Vec<_> = expected.map(|(cookie, _)| cookie.split(';').next().unwrap()).collect();
            let kept: Vec<_> = reply.set_cookies().iter().map(|c| c.split(';').next().unwrap().to_owned()).collect();
            assert_eq!(kept, expected, "{tool}: {cookie}");
        }
    });
}

#[test]
fn single_services_have_their_own_answers() {
    block_on(async {
        let lines = [("set-cookie", "_ga=1"), ("set-cookie", "_fbp=1")];
        let origin = Origin::fixed(200, &lines, "").await;
        for (tool, cookie, kept) in [
            // Of the same name in both.
            ("klaro", "klaro={\"counter\":true,\"adnet\":false}", &["_ga=1"][..]),
            ("klaro", "klaro={\"counter\":false,\"matomo\":true}", &[]),
            // Not in the record: refused, or newer than that.
            ("klaro", "klaro={\"matomo\":true}", &[]),
            ("tarteaucitron", "tarteaucitron=!matomo=true", &[]),
            ("axeptio", "axeptio_authorized_vendors=,matomo,counter,", &["_ga=1"]),
            (
                "{ format: klaro, services: { c1: counter, c2: adnet } }",
                "klaro={\"c1\":false,\"c2\":true}",
                &["_fbp=1"],
            ),
            (
                "{ format: zaraz, map: { eQic: analytics }, services: { vxcT: adnet } }",
                "cf_consent={\"eQic\":true}",
                &["_ga=1"],
            ),
        ] {
            let proxy = Proxy::builder().site(HOST, origin.address, &format!("consent_tool: {tool}")).start();
            let reply = Client::h1(&proxy).await.get("/", &[("cookie", cookie)]).await;
            assert_eq!(reply.set_cookies(), kept, "{tool}: {cookie}");
        }
    });
}

/// Of services that the policy does not declare, the catalogue knows the vendor.
#[test]
fn a_vendor_that_a_tc_string_refuses_stays_refused_in_the_page() {
    block_on(async {
        let page = "<!doctype html><head><script src=https://static.criteo.net/js/ld/ld.js></script>\
                    <script src=https://js.adnet.example/a.js></script></head>";
        let lines = [("content-type", "text/html"), ("set-cookie", "cto_bundle=1"), ("set-cookie", "_fbp=1")];
        let origin = Origin::fixed(200, &lines, page).await;
        let address = format!("http://{}", origin.address);
        let nobody = "euconsent-v2=CQSU_AAQSU_AAEsAEBENBQFgAP_gAAAAAAYgAAAAAAAA.YAAAAAAAAAAA";
        for (gating, criteo) in [
            ("remove", "marketing -~91 -~755"),
            ("neutralise", "<script data-consentry-needs=\"category:marketing service:~91\" type=\"text/plain\""),
            ("client", "<script data-consentry-needs=\"category:marketing service:~91\" type=\"text/plain\""),
        ] {
            let extra = format!("consent_tool: tcf\nguard: true\ngating: {gating}");
            let proxy = Proxy::builder().site_with(HOST, &address, &policy("opt-in"), &extra).start();
            let mut client = Client::h1(&proxy).await;
            let reply = client.navigate("/", &[("cookie", nobody)]).await;
            assert!(reply.text().contains(criteo), "{gating}: {}", reply.text());
            assert_eq!(gating == "remove", !reply.text().contains("criteo"), "{gating}: {}", reply.text());
            assert_eq!(reply.set_cookies(), ["_fbp=1"], "{gating}");
            let state = client.get("/_consent/choice", &[("cookie", nobody)]).await.text();
            assert!(state.contains("\"~91\":false") && state.contains("\"adnet\":true"), "{state}");
        }
    });
}

#[test]
fn what_nobody_can_read_grants_nothing_and_breaks_nothing() {
    block_on(async {
        let origin = Origin::fixed(200, &[("set-cookie", "_ga=1; Path=/")], "").await;
        let address = format!("http://{}", origin.address);
        for (tool, cookie) in GARBAGE {
            let extra = format!("consent_tool: {tool}");
            let proxy = Proxy::builder().site_with(HOST, &address, &policy("opt-out"), &extra).start();
            let mut client = Client::h1(&proxy).await;
            let reply = client.get("/", &[("cookie", cookie)]).await;
            assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (200, 0), "{tool}: {cookie}");
            assert_eq!(origin.seen().pop().unwrap().header("consent"), Some("necessary"), "{tool}: {cookie}");
            let without = client.get("/", &[]).await;
            assert_eq!(without.set_cookies().len(), 1, "the law of the site grants it");
        }
    });
}

#[test]
fn an_opt_out_narrows_what_the_law_grants() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let address = format!("http://{}", origin.address);
        let all = "necessary, functional, analytics, marketing";
        for (tool, cookie, law, granted) in [
            ("usprivacy", "usprivacy=1YYN", "opt-out", "necessary, functional, analytics"),
            ("usprivacy", "usprivacy=1YNN", "opt-out", all),
            ("usprivacy", "usprivacy=1YNN; usprivacy=1YYN", "opt-out", "necessary"),
            ("usprivacy", "us_privacy=1YNN", "opt-in", "necessary"),
            ("gpp", "__gpp=DBABLA~CVQVAAAAAACA.YA", "opt-out", "necessary, functional, analytics"),
            ("gpp", "__gpp=DBABLA~CVQqAAAAAACA.QA", "opt-out", all),
            ("onetrust", "OptanonConsent=version=1&groups=C0002%3A1", "opt-out", all),
        ] {
            let extra = format!("consent_tool: {tool}");
            let proxy = Proxy::builder().site_with(HOST, &address, &policy(law), &extra).start();
            Client::h1(&proxy).await.get("/", &[("cookie", cookie)]).await;
            assert_eq!(origin.seen().pop().unwrap().header("consent"), Some(granted), "{tool} {law}: {cookie}");
        }
    });
}

#[test]
fn the_tools_own_cookies_and_scripts_pass_whoever_refused() {
    block_on(async {
        let page = "<!doctype html><head><script src=https://cdn.cookielaw.org/otSDKStub.js></script>\
                    <script src=https://js.counter.example/c.js></script></head>";
        let lines = [
            ("content-type", "text/html"),
            ("set-cookie", "MyConsent=groups=; Max-Age=31536000; Path=/"),
            ("set-cookie", "OptanonAlertBoxClosed=x; Path=/"),
            ("set-cookie", "_ga=1"),
        ];
        let origin = Origin::fixed(200, &lines, page).await;
        // A policy that would have it otherwise.
        let policy = POLICY.replace("cart: {", "MyConsent: { category: marketing }\n  cart: {");
        let policy = policy.replace("services:", "services:\n  banner: { uses: onetrust, category: marketing }");
        let extra = "consent_tool: { format: onetrust, cookie: MyConsent }";
        let proxy = Proxy::builder().site_with(HOST, &format!("http://{}", origin.address), &policy, extra).start();
        let reply = Client::h2(&proxy).await.navigate("/", &[]).await;
        assert_eq!(reply.set_cookies(), [lines[1].1, lines[2].1], "byte for byte");
        assert!(reply.text().contains("cookielaw") && !reply.text().contains("counter"), "{}", reply.text());
    });
}

#[test]
fn only_one_of_two_tools_takes_decisions() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::builder().site(HOST, origin.address, "consent_tool: cookiebot").start();
        let mut client = Client::h1(&proxy).await;
        let reply = client.send(Method::POST, "/_consent/choice", &[FORM, ORIGIN], "decision=accept-all").await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (409, 0));
        assert!(reply.text().contains("cookie settings"), "{}", reply.text());
        let reply = client.send(Method::DELETE, "/_consent/choice", &[ORIGIN], "").await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (409, 0), "nor takes them back");
        assert_eq!(client.get("/_consent/bridge.js", &[]).await.status, 404);
    });
}

/// No form of ours leads to that answer: the page says what holds, who asks, and how to get there.
#[test]
fn where_the_sites_tool_asks_our_pages_tell_and_do_not_ask() {
    block_on(async {
        let frame = "<!doctype html><html><body><iframe src=https://x.adnet.example/1></iframe></body></html>";
        let origin = Origin::fixed(200, &[("content-type", "text/html")], frame).await;
        let record = "OptanonConsent=groups=C0002%3A1%2CC0004%3A0; OptanonAlertBoxClosed=2026-10-28T10:42:10.000Z";
        for (tool, name, cookie) in [
            ("onetrust", "The window is that of OneTrust.", record),
            ("usprivacy", "a window of its own", ""),
            ("osano", "The window is that of Osano.", ""),
        ] {
            let proxy = Proxy::builder().site(HOST, origin.address, &format!("consent_tool: {tool}")).start();
            let mut client = Client::h1(&proxy).await;
            let text = client.navigate("/_consent/?return_to=/tea", &[("cookie", cookie)]).await.text();
            assert!(
                text.contains(name) && text.contains("href=\"/tea\">Back to shop.example</a></p>"),
                "{tool}: {text}"
            );
            for part in ["<form", "<input", "<button", "New since"] {
                assert!(!text.contains(part), "{tool}: {part} in {text}");
            }
            let allowed = text.matches(">Allowed</span>").count();
            // The category, and the service in it.
            assert_eq!(allowed, if cookie.is_empty() { 0 } else { 2 }, "{tool}: {text}");
            assert!(text.contains(">Not allowed</span>") && text.contains("Always active"), "{tool}: {text}");
            let page = client.navigate("/", &[("cookie", cookie)]).await.text();
            assert!(page.contains("is not loaded") && !page.contains("&lt;form"), "{tool}: {page}");
        }
    });
}

#[test]
fn the_bridge_tells_what_no_server_can_read() {
    block_on(async {
        let page = "<!doctype html><head><title>Shop</title></head>";
        let origin = Origin::fixed(200, &[("content-type", "text/html"), ("set-cookie", "_ga=1")], page).await;
        let proxy = Proxy::builder().site(HOST, origin.address, "consent_tool: osano").start();
        let mut client = Client::h1(&proxy).await;
        let script = client.get("/_consent/bridge.js", &[]).await;
        assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
        let tag = "<head><script async=\"\" src=\"/_consent/bridge.js\" data-tool=\"osano\"></script><title>";
        let first = client.navigate("/", &[]).await;
        assert!(first.text().contains(tag) && first.set_cookies().is_empty(), "{}", first.text());

        let told = "decision=tool&granted=ANALYTICS&granted=ESSENTIAL&refused=MARKETING&refused=STORAGE";
        let reply = client.send(Method::POST, "/_consent/choice", &[FORM, ORIGIN], told).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (204, None));
        let line = reply.set_cookies().pop().unwrap();
        let cookie = format!("osano_consentmanager=Zm9v; {}", line.split(';').next().unwrap());
        let page = client.navigate("/", &[("cookie", &cookie)]).await;
        assert_eq!(page.set_cookies(), ["_ga=1"]);
        assert!(page.text().contains(tag), "a withdrawal has to be told too");
        let seen = origin.seen().pop().unwrap();
        assert_eq!(seen.header("consent"), Some("necessary, analytics"));
        assert_eq!(seen.header("cookie"), Some("osano_consentmanager=Zm9v"));

        // Each page tells it; once is enough.
        let again = client.send(Method::POST, "/_consent/choice", &[FORM, ORIGIN, ("cookie", &cookie)], told).await;
        assert_eq!((again.status.as_u16(), again.set_cookies().len()), (204, 0));
        for (form, origin, status) in [("decision=tool", ORIGIN.1, 400), (told, "https://evil.example", 403)] {
            let reply = client.send(Method::POST, "/_consent/choice", &[FORM, ("origin", origin)], form).await;
            assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (status, 0), "{form}");
        }
    });
}

#[test]
fn the_bridge_stands_only_where_the_page_lets_it_run() {
    block_on(async {
        for (csp, stands) in [
            ("script-src 'nonce-abc'", "data-tool=\"termly\" nonce=\"abc\"></script>"),
            ("script-src 'sha256-AAAA'", ""),
            ("connect-src 'none'", ""),
        ] {
            let headers = [("content-type", "text/html"), ("content-security-policy", csp)];
            let origin = Origin::fixed(200, &headers, "<!doctype html><head><title>Shop</title>").await;
            let proxy = Proxy::builder().site(HOST, origin.address, "consent_tool: termly").start();
            let text = Client::h1(&proxy).await.navigate("/", &[]).await.text();
            assert_eq!(text.contains("bridge.js"), !stands.is_empty(), "{csp}: {text}");
            assert!(text.contains(stands), "{csp}: {text}");
        }
    });
}
