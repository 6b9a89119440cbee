//! The visitor's own record: seen, taken along, deleted.

use http::Method;
use serde_json::Value;

use crate::support::proxy::POLICY;
use crate::support::{Client, HOST, Origin, Proxy, block_on};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const ORIGIN: (&str, &str) = ("origin", "https://shop.example");

async fn post(client: &mut Client, path: &str, cookie: &str, form: &str) -> (u16, Vec<String>) {
    let reply = client.send(Method::POST, path, &[FORM, ORIGIN, ("cookie", cookie)], form).await;
    (reply.status.as_u16(), reply.set_cookies())
}

async fn json(client: &mut Client, cookie: &str) -> Vec<Value> {
    let reply = client.get("/_consent/receipt?format=json", &[("cookie", cookie)]).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, Some("application/json")));
    assert!(reply.header("content-disposition").unwrap().starts_with("attachment"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    serde_json::from_str(&reply.text()).unwrap()
}

fn pair(lines: &[String]) -> String {
    lines[0].split(';').next().unwrap().to_owned()
}

/// MGS WA W1 and W4, MessageBird B12.
#[test]
fn visitors_see_and_export_their_own_record_and_nobody_elses() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        let (_, set) = post(&mut client, "/_consent/choice", "", "decision=accept-all").await;
        let mine = pair(&set);
        let (_, set) = post(&mut client, "/_consent/choice", &mine, "decision=save&category=analytics").await;
        let mine = pair(&set);
        let (_, set) = post(&mut client, "/_consent/choice", &mine, "decision=withdraw").await;
        let mine = pair(&set);
        let other = client.choose("decision=reject-all").await;

        let receipts = json(&mut client, &mine).await;
        let methods: Vec<_> = receipts.iter().map(|receipt| receipt["method"].as_str().unwrap()).collect();
        assert_eq!(methods, ["accept-all", "custom", "withdraw"]);
        assert_eq!(
            receipts[1]["granted"].as_array().unwrap(),
            &["category:analytics", "service:counter"],
            "{receipts:?}"
        );
        assert_eq!(
            receipts[1]["refused"].as_array().unwrap(),
            &["category:functional", "category:marketing", "service:adnet"]
        );
        assert_eq!(receipts[2]["granted"].as_array().unwrap().len(), 0);
        for receipt in &receipts {
            // One visitor, one id: the one that the cookie has.
            assert!(mine.contains(receipt["consent"].as_str().unwrap()));
            assert_eq!((&receipt["site"], &receipt["policy"]["version"]), (&Value::from(HOST), &Value::from(1)));
            assert_eq!(receipt["policy"]["hash"].as_str().unwrap().len(), 64);
            assert!(receipt.get("ip").is_none() && receipt.get("user_agent").is_none(), "{receipt}");
        }
        let theirs = json(&mut client, &other).await;
        assert_eq!(theirs.len(), 1);
        assert_ne!(theirs[0]["consent"], receipts[0]["consent"]);
        assert!(json(&mut client, "").await.is_empty());
        let forged = format!("{}x", &mine[..mine.len() - 1]);
        assert!(json(&mut client, &forged).await.is_empty());

        let csv = client.get("/_consent/receipt?format=csv", &[("cookie", &mine)]).await;
        assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
        let text = csv.text();
        assert_eq!(text.lines().count(), 4, "{text}");
        assert!(text.lines().nth(2).unwrap().contains(",custom,category:analytics service:counter,"), "{text}");

        let page = client.navigate("/_consent/receipt", &[("cookie", &mine)]).await;
        let text = page.text();
        for part in ["You accepted all", "You chose one by one", "You withdrew your consent", "Counter", "Adnet"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(text.contains(receipts[0]["id"].as_str().unwrap()) && !text.contains("<script"), "{text}");
        assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        assert!(client.navigate("/_consent/receipt", &[]).await.text().contains("no record of you"));
        assert_eq!(client.get("/_consent/receipt?format=xml", &[]).await.status, 400);
        let arabic = client.navigate("/_consent/receipt", &[("cookie", &mine), ("accept-language", "ar")]).await;
        assert_eq!(arabic.header("content-language"), Some("ar"));
        let text = arabic.text();
        for part in ["<html lang=\"ar\" dir=\"rtl\">", "قبلتَ الكل", "إحصائية", "Counter"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    });
}

/// MGS WA W3.
#[test]
fn visitors_delete_their_record_and_are_asked_again() {
    block_on(async {
        let origin = Origin::fixed(200, &[("set-cookie", "_ga=1")], "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        let mine = client.choose("decision=accept-all").await;
        let other = client.choose("decision=accept-all").await;
        // Not by a link, not from elsewhere, not by accident.
        let path = "/_consent/receipt";
        for (headers, form, status) in [
            (vec![FORM, ("origin", "https://evil.example")], "action=delete", 403),
            (vec![FORM], "action=delete", 403),
            (vec![FORM, ORIGIN, ("sec-fetch-site", "cross-site")], "action=delete", 403),
            (vec![("content-type", "text/plain"), ORIGIN], "action=delete", 415),
            (vec![FORM, ORIGIN], "", 400),
            (vec![FORM, ORIGIN], "action=nothing", 400),
        ] {
            let headers = [headers, vec![("cookie", &*mine)]].concat();
            let reply = client.send(Method::POST, path, &headers, form).await;
            assert_eq!(reply.status.as_u16(), status, "{headers:?}");
            assert!(reply.set_cookies().is_empty(), "{headers:?}");
        }
        assert_eq!(json(&mut client, &mine).await.len(), 1);

        let (status, set) = post(&mut client, path, &format!("{mine}; _ga=1"), "action=delete").await;
        assert_eq!(status, 303);
        assert!(set.contains(&"_ga=; Max-Age=0; Path=/; Domain=shop.example".to_owned()), "{set:?}");
        assert!(set[0].starts_with("__Host-consentry=;") && set[0].contains("Max-Age=0"), "{set:?}");
        assert!(json(&mut client, &mine).await.is_empty(), "also for whoever kept the cookie");
        assert_eq!(json(&mut client, &other).await.len(), 1);
        assert!(client.get("/", &[]).await.set_cookies().is_empty(), "asked again");
        let page = client.navigate("/_consent/receipt?deleted=1", &[]).await;
        assert!(page.text().contains("was deleted") && page.text().contains("asked again"), "{}", page.text());
        assert!(page.text().contains("src=\"/_consent/forget.js\""), "what is stored goes: {}", page.text());
        assert!(page.header("content-security-policy").unwrap().contains("script-src 'self'"));
    });
}

/// C6: to delete what was proven is no consent to everything, which no choice would be under `opt-out`.
#[test]
fn deleting_a_record_leaves_a_nameless_refusal_where_the_law_would_grant() {
    block_on(async {
        let origin = Origin::fixed(200, &[("set-cookie", "_ga=1")], "").await;
        let policy = POLICY.replace("version: 1", "version: 1\nlaw: opt-out");
        let proxy = Proxy::builder().site_with(HOST, &format!("http://{}", origin.address), &policy, "").start();
        let mut client = Client::h1(&proxy).await;
        assert_eq!(client.get("/", &[]).await.set_cookies(), ["_ga=1"]);
        for decision in ["decision=reject-all", "decision=accept-all"] {
            let mine = client.choose(decision).await;
            let page = client.navigate("/_consent/receipt", &[("cookie", &mine)]).await.text();
            assert!(page.contains("A refusal that does not name you stays"), "{page}");
            let (status, set) = post(&mut client, "/_consent/receipt", &mine, "action=delete").await;
            assert_eq!(status, 303);
            let left = pair(&set);
            let none = ".AAAAAAAAAAAAAAAAAAAAAA.";
            assert!(left.contains(none) && !mine.contains(none), "{left}");
            assert!(client.get("/", &[("cookie", &left)]).await.set_cookies().is_empty());
            assert!(json(&mut client, &left).await.is_empty());
            let page = client.navigate("/_consent/receipt?deleted=1", &[("cookie", &left)]).await.text();
            assert!(page.contains("keeps a refusal") && !page.contains("asked again"), "{page}");
            // Whoever chooses again gets a name of their own.
            for form in ["decision=grant&service=counter", "decision=accept-new", "decision=save"] {
                let (_, set) = post(&mut client, "/_consent/choice", &left, form).await;
                assert!(!pair(&set).contains(none), "{form}: {set:?}");
            }
        }
    });
}

#[test]
fn address_and_browser_are_kept_only_where_asked_for_and_truncated() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::builder()
            .top("receipts: { ip: truncated, user_agent: true }\ntrusted_proxies: [127.0.0.1]")
            .site_with(HOST, &format!("http://{}", origin.address), POLICY, "")
            .start();
        let mut client = Client::h1(&proxy).await;
        let agent = ("user-agent", "=Browser/1");
        let headers = [FORM, ORIGIN, agent, ("x-forwarded-for", "203.0.113.77")];
        let reply = client.send(Method::POST, "/_consent/choice", &headers, "decision=accept-all").await;
        let mine = pair(&reply.set_cookies());
        let receipts = json(&mut client, &mine).await;
        assert_eq!(receipts[0]["ip"], "203.0.113.0");
        assert_eq!(receipts[0]["user_agent"], "=Browser/1");
        let csv = client.get("/_consent/receipt?format=csv", &[("cookie", &mine)]).await.text();
        assert!(csv.contains("\"'=Browser/1\"") && csv.contains("203.0.113.0"), "{csv}");
    });
}
