//! The plain page at `/_consent/` and the choice that it posts.

use http::Method;

use crate::support::{Client, HOST, Origin, Proxy, block_on};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const ORIGIN: (&str, &str) = ("origin", "https://shop.example");

#[test]
fn the_page_asks_for_each_category_and_service_and_needs_no_script() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        let page = client.navigate("/_consent/", &[]).await;
        assert_eq!(page.status, 200);
        let text = page.text();
        for part in ["Counter Ltd", "value=\"analytics\"", "value=\"adnet\"", "accept-all", "reject-all", "save"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("<script"), "no script");
        assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert!(page.set_cookies().is_empty(), "no cookie before the choice");
        let style = client.get("/_consent/style.css", &[]).await;
        assert_eq!((style.status.as_u16(), style.header("content-type")), (200, Some("text/css; charset=utf-8")));
        assert_eq!(client.get("/_consent/nothing", &[]).await.status, 404);
        let bare = client.get("/_consent", &[]).await;
        assert_eq!((bare.status.as_u16(), bare.header("location")), (308, Some("/_consent/")));
        assert!(origin.seen().is_empty(), "the origin never sees these paths");
    });
}

#[test]
fn a_choice_is_set_by_the_server_and_shown_again() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h1(&proxy).await;
        let form = "decision=save&category=analytics&service=counter&return_to=%2Fcart%3Fa%3D1";
        let reply = client.send(Method::POST, "/_consent/choice", &[FORM, ORIGIN], form).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some("/cart?a=1")));
        // Pages of the old mind must not come back out of the browser's caches.
        assert_eq!(reply.header("clear-site-data"), Some("\"cache\""));
        let lines = reply.set_cookies();
        assert_eq!(lines.len(), 1);
        for part in ["__Host-consentry=", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age="] {
            assert!(lines[0].contains(part), "{part} in {}", lines[0]);
        }
        assert!(!lines[0].contains("Domain"), "{}", lines[0]);
        assert!(lines[0].len() < 512);
        let cookie = lines[0].split(';').next().unwrap();
        let text = client.navigate("/_consent/", &[("cookie", cookie)]).await.text();
        let checked = |value: &str| {
            let at = text.find(&format!("value=\"{value}\"")).unwrap_or_else(|| panic!("no {value} in {text}"));
            let tag = &text[text[..at].rfind('<').unwrap()..at + text[at..].find('>').unwrap()];
            tag.contains("checked")
        };
        assert!(checked("analytics") && checked("counter") && !checked("marketing") && !checked("adnet"));
    });
}

#[test]
fn only_the_site_itself_may_post_a_choice() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        let same = ("sec-fetch-site", "same-origin");
        let body = "decision=accept-all";
        for (headers, status) in [
            (vec![FORM, ORIGIN, same], 303),
            (vec![FORM, ORIGIN], 303),
            (vec![FORM, same], 303),
            (vec![FORM], 403),
            (vec![FORM, ("origin", "https://evil.example")], 403),
            (vec![FORM, ("origin", "null")], 403),
            // Of a page without a referrer; of a sandboxed one.
            (vec![FORM, ("origin", "null"), same], 303),
            (vec![FORM, ("origin", "null"), ("sec-fetch-site", "cross-site")], 403),
            (vec![FORM, ("origin", "null"), ("origin", "https://evil.example"), same], 403),
            (vec![FORM, ("origin", "http://shop.example")], 403),
            (vec![FORM, ("origin", "https://shop.example.evil.example")], 403),
            (vec![FORM, ORIGIN, ("sec-fetch-site", "cross-site")], 403),
            (vec![FORM, ORIGIN, ("sec-fetch-site", "same-site")], 403),
            (vec![FORM, ORIGIN, ("origin", "https://evil.example")], 403),
            (vec![("content-type", "text/plain"), ORIGIN, same], 415),
            (vec![ORIGIN, same], 415),
        ] {
            let reply = client.send(Method::POST, "/_consent/choice", &headers, body).await;
            assert_eq!(reply.status.as_u16(), status, "{headers:?}");
            assert_eq!(reply.set_cookies().is_empty(), status != 303, "{headers:?}");
        }
        let get = client.get("/_consent/choice?decision=accept-all", &[same]).await;
        assert!(get.status.is_client_error() && get.set_cookies().is_empty(), "never by GET");
    });
}

#[test]
fn a_choice_is_checked() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h1(&proxy).await;
        for (body, status) in [
            ("decision=maybe", 400),
            ("", 400),
            ("decision=save&category=nonsense", 400),
            ("decision=save&service=nonsense", 400),
            (&*format!("decision=save&x={}", "x".repeat(100_000)), 413),
        ] {
            let reply = client.send(Method::POST, "/_consent/choice", &[FORM, ORIGIN], body).await;
            assert_eq!(reply.status.as_u16(), status, "{}", &body[..body.len().min(60)]);
            assert!(reply.set_cookies().is_empty());
            client = Client::h1(&proxy).await;
        }
    });
}

#[test]
fn the_return_address_is_a_path_of_the_same_site() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        for (given, taken) in [
            ("/cart", "/cart"),
            ("//evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("\\\\evil.example", "/"),
            ("https://evil.example/", "/"),
            ("javascript:alert(1)", "/"),
            ("/a\r\nSet-Cookie: x=1", "/"),
            ("/%09/evil.example", "/%09/evil.example"),
            ("/\t/evil.example", "/"),
            ("", "/"),
        ] {
            let given: String = url::form_urlencoded::byte_serialize(given.as_bytes()).collect();
            let form = format!("decision=reject-all&return_to={given}");
            let reply = client.send(Method::POST, "/_consent/choice", &[FORM, ORIGIN], &form).await;
            assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some(taken)), "{given}");
        }
    });
}

#[test]
fn a_forged_doubled_or_foreign_choice_grants_nothing() {
    block_on(async {
        let origin = Origin::fixed(200, &[("set-cookie", "_ga=1")], "").await;
        let proxy = Proxy::builder().site(HOST, origin.address, "").site("other.example", origin.address, "").start();
        let mut client = Client::h1(&proxy).await;
        let all = client.choose("decision=accept-all").await;
        let none = client.choose("decision=reject-all").await;
        let foreign = Client::h1_to(&proxy, "other.example").await.choose("decision=accept-all").await;
        let mut forged = all.clone().into_bytes();
        let last = forged.len() - 1;
        forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        let quoted = format!("__Host-consentry=\"{}\"", all.split_once('=').unwrap().1);
        for (cookie, granted) in [
            (all.clone(), true),
            (format!("{all}; {all}"), true),
            (format!("{all}; {none}"), false),
            (format!("{none}; {all}"), false),
            (format!("{all}; {forged}"), false),
            (forged, false),
            (foreign, false),
            (quoted, false),
            (String::from("__Host-consentry=1"), false),
        ] {
            let lines = client.get("/", &[("cookie", &cookie)]).await.set_cookies();
            assert_eq!(lines == ["_ga=1"], granted, "{cookie}: {lines:?}");
        }
    });
}

#[test]
fn gpc_and_dnt_narrow_as_the_policy_says() {
    block_on(async {
        let cookies = [("set-cookie", "_ga=1"), ("set-cookie", "_fbp=1"), ("set-cookie", "lang=1")];
        let origin = Origin::fixed(200, &cookies, "").await;
        let policy = crate::support::proxy::POLICY.replace("version: 1", "version: 1\nlaw: opt-out");
        let proxy = Proxy::builder().site_with(HOST, &format!("http://{}", origin.address), &policy, "").start();
        let mut client = Client::h1(&proxy).await;
        for (headers, left) in [
            (&[][..], &["_ga=1", "_fbp=1", "lang=1"][..]),
            (&[("sec-gpc", "1")], &["lang=1"]),
            (&[("sec-gpc", "0")], &["_ga=1", "_fbp=1", "lang=1"]),
            (&[("sec-gpc", "true")], &["_ga=1", "_fbp=1", "lang=1"]),
            (&[("dnt", "1")], &["_fbp=1", "lang=1"]),
        ] {
            assert_eq!(client.get("/", headers).await.set_cookies(), left, "{headers:?}");
        }
    });
}

#[test]
fn one_service_is_granted_beside_what_stands_and_nothing_is_refused() {
    block_on(async {
        let cookies = [("set-cookie", "_ga=1"), ("set-cookie", "_fbp=1"), ("set-cookie", "lang=1")];
        let origin = Origin::fixed(200, &cookies, "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h1(&proxy).await;
        let one = "decision=grant&service=adnet&return_to=%2Ffilm%3Fa%3D1";
        for (before, left) in [
            (None, &["_fbp=1"][..]),
            (Some("decision=reject-all"), &["_fbp=1"]),
            (Some("decision=save&category=functional"), &["_fbp=1", "lang=1"]),
            (Some("decision=save&category=analytics&service=counter"), &["_ga=1", "_fbp=1"]),
            (Some("decision=accept-all"), &["_ga=1", "_fbp=1", "lang=1"]),
        ] {
            let mut headers = vec![FORM, ORIGIN];
            let standing;
            if let Some(before) = before {
                standing = client.choose(before).await;
                headers.push(("cookie", &standing));
            }
            let reply = client.send(Method::POST, "/_consent/choice", &headers, one).await;
            assert_eq!((reply.status.as_u16(), reply.header("location")), (303, Some("/film?a=1")));
            let line = reply.set_cookies().remove(0);
            let cookie = [("cookie", line.split(';').next().unwrap())];
            assert_eq!(client.get("/", &cookie).await.set_cookies(), left, "{before:?}");
            // Who was never asked has refused nothing: a cookie of what is still open is not deleted in the browser.
            let held = [("cookie", &*format!("{}; _ga=1", cookie[0].1))];
            let deleted = client.navigate("/", &held).await.set_cookies();
            let refused = before == Some("decision=reject-all") || before == Some("decision=save&category=functional");
            assert_eq!(deleted.iter().any(|line| line.starts_with("_ga=;")), refused, "{before:?}: {deleted:?}");
        }
        for wrong in ["decision=grant", "decision=grant&service=x", "decision=grant&service=adnet&service=counter"] {
            assert_eq!(client.send(Method::POST, "/_consent/choice", &[FORM, ORIGIN], wrong).await.status, 400);
        }
        // The browser's signal holds it off: our own page tells that, instead of a page that has not changed.
        let gpc = [FORM, ORIGIN, ("sec-gpc", "1")];
        let reply = client.send(Method::POST, "/_consent/choice", &gpc, one).await;
        assert_eq!(reply.header("location"), Some("/_consent/?return_to=%2Ffilm%3Fa%3D1"));
    });
}

#[test]
fn scripts_learn_what_holds_now() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        let choice = client.choose("decision=save&category=analytics&service=adnet").await;
        for (headers, chosen, categories, services, grant) in [
            (vec![], false, [true, false, false, false], [false, false], "necessary"),
            (vec![("cookie", &*choice)], true, [true, false, true, false], [true, true], "necessary analytics +adnet"),
            (vec![("cookie", "__Host-consentry=1")], false, [true, false, false, false], [false, false], "necessary"),
        ] {
            let reply = client.get("/_consent/choice", &headers).await;
            assert_eq!(reply.header("content-type"), Some("application/json"));
            assert_eq!(reply.header("cache-control"), Some("no-store"));
            let state: serde_json::Value = serde_json::from_str(&reply.text()).unwrap();
            let [necessary, functional, analytics, marketing] = categories;
            let [counter, adnet] = services;
            assert_eq!(
                state,
                serde_json::json!({
                    "version": 1,
                    "chosen": chosen,
                    "grant": grant,
                    "categories": {
                        "necessary": necessary, "functional": functional,
                        "analytics": analytics, "marketing": marketing,
                    },
                    "services": { "counter": counter, "adnet": adnet },
                })
            );
        }
    });
}

#[test]
fn a_choice_as_json_is_answered_with_what_then_holds() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h2(&proxy).await;
        let json = ("content-type", "application/json");
        let body = r#"{"decision":"save","categories":{"analytics":true},"services":{"counter":false}}"#;
        let reply = client.send(Method::POST, "/_consent/choice", &[json, ORIGIN], body).await;
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, Some("application/json")));
        assert_eq!(reply.set_cookies().len(), 1);
        let state: serde_json::Value = serde_json::from_str(&reply.text()).unwrap();
        assert_eq!((&state["chosen"], &state["categories"]["analytics"]), (&true.into(), &true.into()));
        assert_eq!(state["services"]["counter"], false);
        for body in ["{}", "[]", "{", r#"{"decision":"save","categories":["nonsense"]}"#, r#"{"decision":"maybe"}"#] {
            let reply = client.send(Method::POST, "/_consent/choice", &[json, ORIGIN], body).await;
            assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (400, 0), "{body}");
        }
    });
}

#[test]
fn withdrawing_deletes_what_the_browser_sent_and_spares_the_session() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::to(origin.address).await;
        let mut client = Client::h1(&proxy).await;
        let choice = client.choose("decision=accept-all").await;
        let cookies = format!("{choice}; _ga=1; PHPSESSID=s; =_gid=2");
        let form = "decision=withdraw&return_to=%2Fshop%2Fcart";
        let headers = [FORM, ORIGIN, ("cookie", &*cookies)];
        let reply = client.send(Method::POST, "/_consent/choice", &headers, form).await;
        assert_eq!(reply.status, 303);
        assert_eq!(reply.header("location"), Some("/_consent/withdrawn?return_to=%2Fshop%2Fcart"));
        let lines = reply.set_cookies();
        for place in ["Path=/", "Path=/; Domain=shop.example", "Path=/shop", "Path=/_consent", "Path=/shop/cart"] {
            let line = format!("_ga=; Max-Age=0; {place}");
            assert!(lines.contains(&line), "{line} in {lines:?}");
        }
        assert!(lines[0].starts_with("__Host-consentry=") && !lines[0].contains("Max-Age=0"), "{}", lines[0]);
        assert!(!lines.iter().any(|line| line.starts_with("PHPSESSID")), "{lines:?}");
        let path = "/_consent/withdrawn?return_to=%2Fshop%2Fcart";
        let withdrawn = lines[0].split(';').next().unwrap();
        let page = client.navigate(path, &[("cookie", withdrawn)]).await;
        assert!(page.text().contains("<a href=\"/shop/cart\">"), "{}", page.text());
        assert!(page.header("content-security-policy").unwrap().contains("script-src 'self'"));

        // Who only follows a link has withdrawn nothing, and is not told so.
        for cookie in [&*choice, "a=b"] {
            let reply = client.navigate(path, &[("cookie", cookie)]).await;
            let to = Some("/_consent/?return_to=%2Fshop%2Fcart");
            assert_eq!((reply.status.as_u16(), reply.header("location")), (303, to), "{cookie}");
        }

        // The same by DELETE, for scripts.
        let reply = client.send(Method::DELETE, "/_consent/choice", &[ORIGIN, ("cookie", &*cookies)], "").await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(reply.text().contains("\"analytics\":false") && reply.set_cookies().len() > 3);
        let reply = client.send(Method::DELETE, "/_consent/choice", &[("cookie", &*cookies)], "").await;
        assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (403, 0));
    });
}

#[test]
fn withdrawing_may_take_the_session_and_the_storage() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let extra = "withdraw: { keep_session: false, clear_site_data: [storage] }";
        let proxy = Proxy::builder().site(HOST, origin.address, extra).start();
        let mut client = Client::h2(&proxy).await;
        let headers = [FORM, ORIGIN, ("cookie", "PHPSESSID=s")];
        let reply = client.send(Method::POST, "/_consent/choice", &headers, "decision=withdraw").await;
        assert_eq!(reply.header("clear-site-data"), Some("\"cache\", \"storage\""));
        assert!(reply.set_cookies().iter().any(|line| line.starts_with("PHPSESSID=; Max-Age=0")));
    });
}

#[test]
fn an_app_that_the_site_names_may_ask_and_choose_and_no_other() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let extra = "app_origins: https://app.shop.example";
        let proxy = Proxy::builder().site(HOST, origin.address, extra).start();
        let mut client = Client::h2(&proxy).await;
        let app = ("origin", "https://app.shop.example");
        let (site, json) = (("sec-fetch-site", "same-site"), ("content-type", "application/json"));
        let all = r#"{"decision":"accept-all"}"#;
        let reply = client.send(Method::POST, "/_consent/choice", &[app, site, json], all).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("access-control-allow-origin"), Some("https://app.shop.example"));
        assert_eq!(reply.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(client.send(Method::OPTIONS, "/_consent/choice", &[app], "").await.status, 204);
        // A form would lead its visitor away.
        assert_eq!(
            client.send(Method::POST, "/_consent/choice", &[app, FORM], "decision=accept-all").await.status,
            415
        );
        for other in ["https://evil.example", "https://app.shop.example.evil", "http://app.shop.example", "null"] {
            let other = ("origin", other);
            for (method, body) in [(Method::POST, all), (Method::DELETE, ""), (Method::OPTIONS, "")] {
                let reply = client.send(method, "/_consent/choice", &[other, json], body).await;
                assert_eq!((reply.status.as_u16(), reply.set_cookies().len()), (403, 0), "{other:?}");
                assert_eq!(reply.header("access-control-allow-origin"), None);
            }
        }
    });
}

#[test]
fn a_network_that_chooses_too_often_waits() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let proxy = Proxy::builder().top("limits: { choices_a_minute: 3 }").site(HOST, origin.address, "").start();
        let mut client = Client::h2(&proxy).await;
        for n in 0..5 {
            let reply = client.send(Method::POST, "/_consent/choice", &[FORM, ORIGIN], "decision=reject-all").await;
            assert_eq!(reply.status.as_u16(), if n < 3 { 303 } else { 429 }, "{n}");
            assert_eq!(reply.header("retry-after"), (n >= 3).then_some("20"), "{n}");
        }
    });
}

#[test]
fn global_privacy_control_is_announced_where_it_is_honoured() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "theirs").await;
        let deaf = "{ categories: { necessary: , analytics: { gpc: false } } }";
        let url = format!("http://{}", origin.address);
        let builder = Proxy::builder().site(HOST, origin.address, "");
        let proxy = builder.site_with("deaf.example", &url, deaf, "").start();
        let reply = Client::h2(&proxy).await.get("/.well-known/gpc.json", &[]).await;
        assert_eq!(reply.header("content-type"), Some("application/json"));
        let said: serde_json::Value = serde_json::from_str(&reply.text()).unwrap();
        assert_eq!(said["gpc"], true);
        let reply = Client::h2_to(&proxy, "deaf.example").await.get("/.well-known/gpc.json", &[]).await;
        assert_eq!(reply.text(), "theirs");
    });
}

#[test]
fn pages_speak_the_language_and_the_words_that_are_asked_for() {
    block_on(async {
        let origin = Origin::fixed(200, &[], "").await;
        let extra = "language: fr\ntexts: { de: { save: Los } }\ntheme: { accent: '#7a0019', radius: 4px }";
        let proxy = Proxy::builder().site(HOST, origin.address, extra).start();
        let mut client = Client::h2(&proxy).await;
        for (asked, open, said) in [
            ("de", "<html lang=\"de\" dir=\"ltr\">", ">Los</button>"),
            ("ar, en;q=0.5", "<html lang=\"ar\" dir=\"rtl\">", "قبول الكل"),
            ("ja", "<html lang=\"fr\" dir=\"ltr\">", "Tout accepter"),
        ] {
            let page = client.navigate("/_consent/", &[("accept-language", asked)]).await.text();
            assert!(page.contains(open) && page.contains(said), "{asked}: {page}");
        }
        let page = client.navigate("/_consent/nothing", &[("accept-language", "pl")]).await.text();
        assert!(page.contains("Nie ma takiej strony"), "{page}");
        let style = client.get("/_consent/style.css", &[]).await.text();
        assert!(style.contains("--button:#7a0019") && style.contains("--radius:4px"), "{style}");
    });
}
