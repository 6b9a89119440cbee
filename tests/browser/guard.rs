//! The guard in a browser: what scripts of the page may not set, load or send, they do not, and take for a failed network;
//! and it decides on everything as the proxy does.

use std::path::Path;
use std::sync::Arc;

use consentry::config::{self, CertificateFiles};
use consentry::policy::{Action, Grant, NamePattern, Policy};
use consentry::telemetry::findings;
use serde_json::{Value, json};
use url::Url;

use crate::support::origin::{Answer, Origin, respond};
use crate::support::proxy::{POLICY, Proxy};
use crate::visitor::{Scripts, Visitor, eventually, run};

/// What a script of the page does, each to a host of its own.
const WAYS: [&str; 20] = [
    "script",
    "attribute",
    "image",
    "constructed",
    "srcset",
    "frame",
    "inner",
    "innerframe",
    "outer",
    "adjacent",
    "fragment",
    "written",
    "fetched",
    "requested",
    "asked",
    "beacon",
    "socket",
    "events",
    "sheet",
    "video",
];

/// Makes all ways, but for what is written while the page is read, and tells what became of them.
const OWN: &str = r#"
var T = way => 'https://' + way + '.counter' + '.example/' + way, failures = [], fate = {};
addEventListener('error', event => failures.push(event.message));
addEventListener('unhandledrejection', event => failures.push('rejected ' + event.reason));
document.write('<p><img alt="a > b" src="' + T('written') + '"></p>');
document.cookie = '_ga=1; Path=/; Max-Age=1000';
document.cookie = 'cart=1; Path=/';
localStorage.setItem('_count', '1');
localStorage.setItem('own', '1');
sessionStorage._counted = '1';
addEventListener('load', async () => {
  const make = (name, attributes) => Object.assign(document.createElement(name), attributes);
  const add = element => (document.body.append(element), element);
  const element = add(make('script', { src: T('script'), onerror: () => fate.script = 'error', onload: () => fate.script = 'load' }));
  const attribute = document.createElement('script');
  attribute.setAttribute('SRC', T('attribute'));
  add(attribute);
  add(make('img', { src: T('image') }));
  new Image().src = T('constructed');
  add(make('img', { srcset: T('srcset') + ' 1x, /own.svg 2x' }));
  add(make('iframe', { src: T('frame') }));
  add(make('link', { rel: 'stylesheet', href: T('sheet') }));
  add(make('link', { rel: 'canonical', href: T('canonical') }));
  add(make('video', { src: T('video') }));
  add(make('div', { innerHTML: "<b>kept</b><img alt='' src=" + T('inner').replace('https', '&#104;ttps') + '>', id: 'inner' }));
  add(make('div', { innerHTML: '<iframe src="' + T('innerframe') + '"></iframe>' }));
  add(make('i', {})).outerHTML = '<img id=outer src="' + T('outer') + '">';
  document.body.insertAdjacentHTML('beforeend', "<img src='" + T('adjacent') + "'>");
  add(document.createRange().createContextualFragment('<script src="' + T('fragment') + '"></' + 'script>'));
  await fetch(T('fetched'), { mode: 'no-cors' }).then(() => fate.fetch = 'load', error => fate.fetch = error.name);
  await fetch(new Request(T('requested'), { mode: 'no-cors' })).catch(() => {});
  await new Promise(done => {
    const request = new XMLHttpRequest;
    request.onreadystatechange = () => fate.state = request.readyState;
    request.onloadend = done;
    request.onerror = () => fate.request = 'error ' + request.status;
    request.open('POST', T('asked'));
    request.setRequestHeader('content-type', 'text/plain');
    request.send('x');
  });
  fate.beacon = navigator.sendBeacon(T('beacon'), 'x');
  await new Promise(done => {
    const socket = new WebSocket(T('socket').replace('https', 'wss'));
    socket.addEventListener('error', () => fate.socket = 'error');
    socket.onclose = () => done(fate.closed = socket.readyState);
  });
  await new Promise(done => { new EventSource(T('events')).onerror = event => done(event.target.close()); });
  await window.cookieStore?.set('_ga_1', '1');
  await window.cookieStore?.set({ name: 'cart2', value: '1' }).catch(() => {});
  fate.own = await fetch('/own.json').then(answer => answer.json());
  fate.done = true;
});"#;

fn page(head: &str) -> String {
    format!(
        "<!doctype html><html><head><meta charset=utf-8><title>Shop</title><link rel=icon href=data:,>{head}</head>\
         <body><h1>Tea</h1></body></html>"
    )
}

/// Pages that run [`OWN`]; those under `/csp/` with a policy of their own, those under `/bare/` run nothing.
fn pages(target: &str) -> Answer {
    let html = ("content-type", "text/html");
    let script = "<script src=/own.js></script>";
    match target {
        "/own.js" => respond(200, &[("content-type", "text/javascript")], OWN),
        "/own.json" => respond(200, &[("content-type", "application/json")], "7"),
        "/csp/self" => {
            respond(200, &[html, ("content-security-policy", "default-src 'self'; img-src data:")], page(""))
        }
        "/csp/nonce" => {
            let policy =
                "script-src 'nonce-page' 'strict-dynamic'; connect-src 'self'; require-trusted-types-for 'script'";
            respond(200, &[html, ("content-security-policy", policy)], page("<script nonce=page>1</script>"))
        }
        "/csp/quiet" => respond(200, &[html, ("content-security-policy", "connect-src 'none'")], page("")),
        "/csp/none" => respond(200, &[html, ("content-security-policy", "script-src 'sha256-AAAA'")], page("")),
        _ if target.starts_with("/bare") => respond(200, &[html], page("")),
        _ => respond(200, &[html], page(script)),
    }
}

/// Two hosts have rules of their own: of the names of one rule, findings keep a few, whichever come first.
fn policy() -> String {
    POLICY
        .replace("inline: ['counter(']  }", "inline: ['counter('], storage: ['_count*'] }")
        .replace("['*.counter.example']", "['*.counter.example', script.counter.example, fetched.counter.example]")
}

/// A visitor of a guarded site with these further keys.
fn guarded<F: Future<Output = ()>>(policy: &str, extra: &str, test: impl FnOnce(Visitor, Proxy) -> F) {
    run(async {
        let origin = Origin::start(|seen| pages(&seen.target)).await;
        let to = format!("http://{}", origin.address);
        let proxy = Proxy::builder().site_with("localhost", &to, policy, extra).start();
        let site = format!("https://localhost:{}", proxy.address.port());
        let visitor = Visitor::at(site, None, tempfile::tempdir().unwrap(), Scripts::On).await;
        test(visitor, proxy).await;
    });
}

fn hosts() -> Vec<String> {
    WAYS.iter().map(|way| format!("{way}.counter.example")).collect()
}

/// What the page's script says of itself, once it is through.
async fn fate(visitor: &Visitor) -> Value {
    eventually("the script is through", async || (visitor.value("fate.done").await == true).then_some(())).await;
    visitor.settle().await;
    visitor.value("{ ...fate, failures, keys: Object.keys(localStorage).sort().join() }").await
}

/// Which of the ways led anywhere.
fn led(visitor: &Visitor) -> Vec<String> {
    let hosts = hosts();
    let all: Vec<&str> = hosts.iter().map(String::as_str).collect();
    visitor.elsewhere.greeted(&all).into_iter().map(str::to_owned).collect()
}

/// Waits until all of them have.
async fn all_lead(visitor: &Visitor) {
    let missing = || hosts().into_iter().filter(|host| !led(visitor).contains(host)).collect::<Vec<_>>();
    let patience = async { eventually("all ways", async || missing().is_empty().then_some(())).await };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(10), patience).await;
    assert!(waited.is_ok(), "{:?} lead nowhere", missing());
}

/// Kind, name and whether it was applied, of what the state folder knows was removed.
fn found(proxy: &Proxy) -> Vec<(String, String, bool)> {
    let rows = findings::read(&proxy.folder.path().join("state").join(findings::FILE)).unwrap_or_default();
    let stopped = rows.into_iter().filter(|row| row.action.word() == "strip");
    stopped.map(|row| (row.kind.word().to_owned(), row.name.to_string(), row.applied)).collect()
}

#[test]
fn what_is_not_granted_leads_nowhere_and_looks_like_a_failed_network() {
    guarded(&policy(), "guard: true", async |visitor, proxy| {
        visitor.open("/").await;
        let expected = json!({
            "script": "error", "fetch": "TypeError", "state": 4, "request": "error 0", "beacon": true, "socket": "error",
            "closed": 3, "own": 7, "done": true, "failures": [], "keys": "own",
        });
        assert_eq!(fate(&visitor).await, expected);
        assert_eq!(led(&visitor), [""; 0]);
        assert_eq!(visitor.cookies().await, ["cart"]);
        assert_eq!(visitor.value("document.querySelector('#inner b').textContent").await, "kept");
        assert_eq!(visitor.value("document.querySelector('link[rel=canonical]').href.length > 9").await, true);
        // What was set as a property goes with the visitor.
        visitor.open("/bare").await;
        assert_eq!(visitor.value("Object.keys(sessionStorage).length").await, 0);
        for (kind, name) in [
            ("cookie", "_ga"),
            ("storage", "_count"),
            ("tag", "script.counter.example"),
            ("tag", "fetched.counter.example"),
        ] {
            let row = (kind.to_owned(), name.to_owned(), true);
            eventually(name, async || found(&proxy).contains(&row).then_some(())).await;
        }

        assert_eq!(led(&visitor), [""; 0]);
        visitor.choose(&["analytics"], "save").await;
        visitor.open("/").await;
        let fate = fate(&visitor).await;
        assert_eq!(fate["failures"], json!([]));
        assert_eq!(
            (&fate["script"], &fate["fetch"], &fate["keys"]),
            (&json!("load"), &json!("load"), &json!("_count,own"))
        );
        all_lead(&visitor).await;
        assert_eq!(visitor.cookies().await, ["__Host-consentry", "_ga", "_ga_1", "cart"]);
    });
}

#[test]
fn a_guard_that_only_reports_stops_nothing() {
    guarded(&policy(), "guard: report", async |visitor, proxy| {
        visitor.open("/").await;
        assert_eq!(fate(&visitor).await["keys"], "_count,own");
        all_lead(&visitor).await;
        visitor.open("/bare").await;
        assert_eq!(visitor.value("sessionStorage._counted").await, "1");
        let row = ("tag".to_owned(), "fetched.counter.example".to_owned(), false);
        eventually("the finding", async || found(&proxy).contains(&row).then_some(())).await;
    });
}

#[test]
fn the_guard_runs_under_strict_policies_and_is_left_out_where_it_may_not() {
    guarded(&policy(), "guard: true", async |visitor, _proxy| {
        for (page, guards) in [("/csp/self", true), ("/csp/nonce", true), ("/csp/quiet", true), ("/csp/none", false)] {
            visitor.open(page).await;
            assert_eq!(
                visitor.value("document.querySelectorAll('script[src*=guard]').length").await,
                u8::from(guards),
                "{page}"
            );
            visitor.value("document.cookie = '_ga=1'").await;
            let kept = visitor.value("document.cookie.includes('_ga=')").await;
            assert_eq!(kept, !guards, "{page}");
            visitor.value("document.cookie = '_ga=; Max-Age=0'").await;
            assert_eq!(visitor.value("document.cookie.includes('_ga=')").await, false, "{page}: deletion passes");
            visitor.idle().await;
            assert_eq!(visitor.complaints().await, [""; 0], "{page}");
        }
    });
}

#[test]
fn what_is_granted_on_the_page_itself_follows_in_order() {
    for extra in ["guard: true\ngating: neutralise", "guard: true\ngating: client"] {
        guarded(&policy(), extra, async |visitor, _proxy| {
            visitor.open("/bare").await;
            visitor
                .value(
                    "void [document.cookie = '_ga=1', document.cookie = '_ga=2', document.cookie = '_ga_x=1',
                      document.cookie = '_ga_x=1; expires=Thu, 01 Jan 1970 00:00:00 GMT', localStorage.setItem('_count', 'b'),
                      window.image = new Image(), image.src = 'https://image.counter.example/i',
                      window.other = new Image(), other.src = 'https://srcset.counter.example/i', other.src = '/own.svg']",
                )
                .await;
            assert_eq!(
                visitor.value("[document.cookie, localStorage.length, image.src]").await,
                json!(["", 0, ""]),
                "{extra}"
            );
            visitor
                .value(
                    "fetch('/_consent/choice', { method: 'POST', body: new URLSearchParams('decision=save&category=analytics&service=counter'),
                      redirect: 'manual' }).then(() => document.dispatchEvent(new CustomEvent('consentry:change')))",
                )
                .await;
            eventually("what was held", async || {
                let now = visitor
                    .value("[document.cookie, localStorage._count, image.src, other.src.endsWith('/own.svg')]")
                    .await;
                (now == json!(["_ga=2", "b", "https://image.counter.example/i", true])).then_some(())
            })
            .await;
            eventually("the image", async || {
                (visitor.elsewhere.requested().into_iter().collect::<Vec<_>>() == ["image.counter.example"])
                    .then_some(())
            })
            .await;
        });
    }
}

#[test]
fn shared_pages_carry_no_grant_and_the_guard_asks() {
    guarded(&policy(), "guard: true\ngating: client", async |visitor, _proxy| {
        visitor.choose(&["analytics"], "save").await;
        visitor.open("/bare").await;
        assert_eq!(visitor.value("document.querySelector('script').outerHTML.includes('granted')").await, false);
        eventually("the answer", async || {
            visitor.value("document.cookie = '_ga=1'").await;
            (visitor.value("document.cookie.includes('_ga=1')").await == true).then_some(())
        })
        .await;
    });
}

/// The policy of a site, as the proxy reads it.
fn compiled(yaml: &str) -> Arc<Policy> {
    let indented: String = yaml.lines().map(|line| format!("      {line}\n")).collect();
    let text = format!(
        "listen: 127.0.0.1:0\nsites:\n  - host: shop.example\n    origin: http://127.0.0.1:1\n    policy:\n{indented}"
    );
    let (config, _) = config::parse(&text, "policy", Path::new(""), 0, CertificateFiles::Skip).unwrap();
    Arc::clone(&config.sites[0].policy)
}

/// Names that patterns of the policy and the catalogue match, or nearly.
fn names<'p>(patterns: impl Iterator<Item = &'p NamePattern>, random: &mut impl FnMut(usize) -> usize) -> Vec<String> {
    let mut names = Vec::new();
    for pattern in patterns {
        let name = match pattern {
            NamePattern::Exact(name) => name.to_string(),
            NamePattern::Prefix(prefix) => format!("{prefix}{}", random(1000)),
            NamePattern::Regex(_) => {
                pattern.to_string().replace(['^', '$', '\\', '(', ')'], "").replace("[0-9a-f]{32}", &"0a".repeat(16))
            }
        };
        names.push(format!("__Secure-{name}"));
        names.push(name.replacen('_', "%5F", 1));
        names.push(name[..name.len() - name.len().min(1)].to_owned());
        names.push(name);
    }
    names.retain(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && !b"=;".contains(&b)));
    names.extend((0..500).map(|_| (0..1 + random(12)).map(|_| b"_-abgs019.%"[random(11)] as char).collect()));
    names.retain(|name: &String| {
        !name.to_ascii_lowercase().starts_with("__host-") && !name.to_ascii_lowercase().starts_with("__http-")
    });
    names.sort();
    names.dedup();
    names
}

fn urls(policy: &Policy, random: &mut impl FnMut(usize) -> usize) -> Vec<String> {
    let known = policy.catalogue().services().iter().flat_map(|service| &service.tags);
    let own = policy.parts().services.iter().flat_map(|service| &service.tags);
    let mut urls = Vec::new();
    for pattern in own.chain(known).map(|tag| &tag.pattern) {
        let host = if pattern.host.is_empty() { "any.example" } else { &*pattern.host };
        let path = if pattern.path.is_empty() { "/x".to_owned() } else { pattern.path.replace('*', "z9") };
        urls.push(format!("https://{host}{path}"));
        urls.push(format!("wss://a.{host}.:8443{path}?q=1#f"));
        urls.push(format!("http://user:pw@{host}/%67{}", random(50)));
        urls.push(format!("https://x{host}{}", path.replace('a', "%61")));
        if let Some((_, parent)) = host.split_once('.') {
            urls.push(format!("https://{parent}{path}"));
        }
    }
    urls.extend(
        [
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://2130706433/",
            "data:,x",
            "blob:x",
            "/own",
            "//",
            "https://",
        ]
        .map(str::to_owned),
    );
    urls.sort();
    urls.dedup();
    urls
}

#[test]
fn the_guard_decides_on_everything_as_the_proxy_does() {
    const SERVICES: &str = "  odd: { category: marketing, cookies: { '^odd[0-9]+$': session }, storage: ['^od.$'] }\n  \
        ga: { uses: google-analytics, category: analytics }\n  \
        mixed: { category: marketing, cookies: { mix_: { category: analytics }, 'mix*': session, '^mi[xy]': session }, \
        hosts: ['own.example/a*b', '*.own.example', '*/anywhere/*.js?v=*', '10.0.0.1'] }\n";
    let yaml = policy().replace("services:\n", &format!("services:\n{SERVICES}"));
    let compiled = compiled(&yaml);
    // xorshift: the same on every machine.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let (parts, known) = (compiled.parts(), compiled.catalogue().parts());
    let cookies = parts.services.iter().flat_map(|s| &s.cookies).chain(known.services.iter().flat_map(|s| &s.cookies));
    let sessions = parts.sessions.iter().chain(&known.sessions).map(|rule| &rule.pattern);
    let cookies = names(cookies.chain(&parts.cookies).map(|rule| &rule.pattern).chain(sessions), &mut random);
    let keys = parts.services.iter().flat_map(|s| &s.storage).chain(known.services.iter().flat_map(|s| &s.storage));
    let keys = names(keys.map(|rule| &rule.pattern), &mut random);
    let urls = urls(&compiled, &mut random);
    assert!(
        cookies.len() > 5000 && urls.len() > 8000 && keys.len() > 500,
        "{} {} {}",
        cookies.len(),
        urls.len(),
        keys.len()
    );

    for ticks in [&[][..], &["analytics"], &["marketing"]] {
        guarded(&yaml, "guard: true", async |visitor, _proxy| {
            if !ticks.is_empty() {
                visitor.choose(ticks, "save").await;
            }
            visitor.open("/bare").await;
            let words = visitor
                .value("fetch('/_consent/choice').then(answer => answer.json()).then(({ grant }) => grant)")
                .await;
            let grant = granted(&compiled, words.as_str().unwrap());
            assert!(ticks.iter().all(|key| grant.has_category(compiled.category_named(key).unwrap())), "{words}");
            let ask = async |script: &str, things: &[String]| {
                let given = vec![json!(things)];
                visitor.browser.execute(script, given).await.unwrap().json().clone()
            };
            let passes = |action: Action| action == Action::Keep;
            let asked = ask(
                "return arguments[0].map(name => {
                   const before = document.cookie;
                   document.cookie = name + '=2; Secure; Path=/';
                   const kept = document.cookie !== before;
                   document.cookie = name + '=; Max-Age=0; Secure; Path=/';
                   return kept;
                 })",
                &cookies,
            )
            .await;
            same(&cookies, &asked, |name| passes(compiled.judge_cookie(&grant, name.as_bytes()).action));
            let asked = ask(
                "return arguments[0].map(key => {
                   localStorage.setItem(key, '1');
                   const kept = localStorage.getItem(key) === '1';
                   localStorage.removeItem(key);
                   return kept;
                 })",
                &keys,
            )
            .await;
            same(&keys, &asked, |key| passes(compiled.judge_storage(&grant, key).action));
            let asked = ask(
                "return arguments[0].map(url => {
                   const image = document.createElement('source');
                   image.setAttribute('src', url);
                   return image.hasAttribute('src');
                 })",
                &urls,
            )
            .await;
            let base = Url::parse(&visitor.site).unwrap();
            same(&urls, &asked, |url| {
                base.join(url).map_or(true, |url| passes(compiled.judge_tag(&grant, &url).action))
            });
        });
    }
}

/// The grant of which these are the words.
fn granted(policy: &Policy, words: &str) -> Grant {
    let mut grant = Grant::none();
    for word in words.split(' ') {
        match (word.strip_prefix('+'), word.strip_prefix('-')) {
            (Some(service), _) => grant.grant_service(policy.service_named(service).unwrap()),
            (_, Some(service)) => grant.refuse_service(policy.service_named(service).unwrap()),
            _ => grant.grant_category(policy.category_named(word).unwrap()),
        }
    }
    grant
}

/// Holds the browser's answers to the policy's.
fn same(things: &[String], asked: &Value, expected: impl Fn(&str) -> bool) {
    let asked = asked.as_array().unwrap();
    assert_eq!(asked.len(), things.len());
    let wrong: Vec<_> = things.iter().zip(asked).filter(|(thing, kept)| **kept != json!(expected(thing))).collect();
    assert!(wrong.is_empty(), "{} of {}, such as {:?}", wrong.len(), things.len(), &wrong[..wrong.len().min(12)]);
    // A test in which all is stopped, or nothing, shows nothing.
    assert!(asked.iter().any(|kept| *kept == json!(true)) && asked.iter().any(|kept| *kept == json!(false)));
}
