//! Five published policies that enforce themselves: what each text promises, asked of the functions that the proxy asks.
//!
//! A test is named after the policy and the promise that it holds, e.g. `mailjet_j7_…`: the seventh of Mailjet's.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

mod catalogue;
mod chatsync;
mod mailjet;
mod messagebird;
mod mgs_wa;
mod msgro;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use consentry::config::{self, CertificateFiles, Config, Problem};
use consentry::consent::{self, Answers, Choice, ConsentId, Decision, Record, Signals};
use consentry::cookie::{OwnCookies, SameSite, SetCookie, UnixTime};
use consentry::filter::{self, Address, Body, ConsentHeader, RequestContext, ResponseContext};
use consentry::html::{Gating, Insertions, Limits, OnError, Rewriter, Settings, Speech};
use consentry::policy::{Action, CategoryId, Grant, Policy, ServiceId};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

const NOW: UnixTime = UnixTime(1_795_305_600);
const DAY: u64 = 86_400;
const YEAR: u64 = 365 * DAY;
const FOREVER: &str = "Expires=Fri, 01 Jan 2100 00:00:00 GMT";
const QUIET: Signals = Signals { gpc: false, dnt: false };
const DNT: Signals = Signals { gpc: false, dnt: true };
const GPC: Signals = Signals { gpc: true, dnt: false };

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/examples")
}

/// A shipped configuration, as `check` and `serve` read it.
struct Shipped {
    config: Config,
    policy: Arc<Policy>,
    warnings: Vec<Problem>,
}

impl Shipped {
    fn load(name: &str) -> Self {
        let path = examples().join(name).with_extension("yaml");
        let shipped = config::check(&path, NOW.0, CertificateFiles::Skip);
        let (config, warnings) = shipped.unwrap_or_else(|problems| panic!("{problems:#?}"));
        Self { policy: config.sites[0].policy.clone(), config, warnings }
    }

    /// The shipped policy with another text in one place.
    fn edited(name: &str, from: &str, to: &str) -> Policy {
        let text = fs::read_to_string(examples().join("policies").join(name).with_extension("yaml")).unwrap();
        assert!(text.contains(from), "{from}");
        let policy: String = text.replacen(from, to, 1).lines().map(|line| format!("      {line}\n")).collect();
        let config = format!(
            "listen: 127.0.0.1:0\nsites:\n  - host: {}\n    origin: http://127.0.0.1:1\n    policy:\n{policy}",
            Self::load(name).config.sites[0].hosts[0]
        );
        let read = config::parse(&config, "edited.yaml", Path::new(""), NOW.0, CertificateFiles::Skip);
        let (config, _) = read.unwrap_or_else(|problems| panic!("{problems:#?}"));
        let site = config.sites.into_iter().next().unwrap();
        Arc::into_inner(site).and_then(|site| Arc::into_inner(site.policy)).unwrap()
    }

    fn labels(&self) -> Vec<&str> {
        self.policy.parts().categories.iter().map(|category| &*category.label).collect()
    }

    fn category(&self, id: &str) -> CategoryId {
        self.policy.category_named(id).unwrap_or_else(|| panic!("no category {id}"))
    }

    fn service(&self, id: &str) -> ServiceId {
        self.policy.service_named(id).unwrap_or_else(|| panic!("no service {id}"))
    }

    /// The category of a cookie, and the longest lifetime that the policy allows it.
    fn declared(&self, name: &str) -> Option<(&str, Option<u64>)> {
        let found = self.policy.cookie(name.as_bytes())?;
        Some((&self.policy.category(found.owner.category).id, found.lifetime))
    }

    fn without_choice(&self, signals: Signals) -> Grant {
        consent::grant(&self.policy, &Record::None, signals, NOW).grant
    }

    fn choice(&self, categories: &[&str], granted: &[&str], refused: &[&str]) -> Choice {
        let ids = |names: &[&str]| names.iter().map(|name| self.service(name)).collect::<Vec<_>>();
        let categories: Vec<_> = categories.iter().map(|name| self.category(name)).collect();
        let answers = Answers { categories: &categories, granted: &ids(granted), refused: &ids(refused) };
        Choice::from_answers(&self.policy, &answers, ConsentId([1; 16]), NOW)
    }

    fn decide(&self, choice: Choice, signals: Signals) -> Decision {
        consent::grant(&self.policy, &Record::Choice(choice), signals, NOW)
    }

    /// The grant of a visitor who chose these categories and no others.
    fn chose(&self, categories: &[&str]) -> Grant {
        self.decide(self.choice(categories, &[], &[]), QUIET).grant
    }

    fn everything(&self) -> Grant {
        let choice = Choice::accept_all(&self.policy, ConsentId([1; 16]), NOW);
        self.decide(choice, QUIET).grant
    }

    /// What reaches the origin of a `Cookie` line, and the `Set-Cookie` lines of the answer, after both filters.
    fn exchange(&self, grant: &Grant, refused: bool, cookie: &str, answer: &[(&str, &str)]) -> (String, Vec<String>) {
        let consent = ConsentHeader::new(&self.policy);
        let mut head = HeaderMap::new();
        head.insert("sec-fetch-mode", HeaderValue::from_static("navigate"));
        head.insert("sec-fetch-dest", HeaderValue::from_static("document"));
        if !cookie.is_empty() {
            head.insert(COOKIE, cookie.parse().unwrap());
        }
        let context = RequestContext {
            apply: true,
            method: &Method::GET,
            fetch: filter::Fetch::read(&head),
            own: &OwnCookies::default(),
            consent: &consent,
            refused,
            pages: grant,
            salt: 0,
        };
        let requested = filter::request(&self.policy, grant, &mut head, &context, &mut ());
        let sent = head.get(COOKIE).map(|line| line.to_str().unwrap().to_owned()).unwrap_or_default();
        let mut head = HeaderMap::new();
        for (name, value) in answer {
            head.append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let authority = self.config.sites[0].hosts[0].name();
        let context = ResponseContext {
            salt: 0,
            apply: true,
            now: NOW,
            status: StatusCode::OK,
            body: Body::Plain,
            address: Address { authority, target: "/" },
            requested: &requested,
            keyed: false,
            marker: None,
            told_by: &[],
            pages: None,
        };
        filter::response(&self.policy, grant, &mut head, &context, &mut ());
        (sent, head.get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap().to_owned()).collect())
    }

    /// What a `Set-Cookie` line leaves as; `None` if it does not.
    fn sets(&self, grant: &Grant, line: &str) -> Option<String> {
        let (_, mut lines) = self.exchange(grant, false, "", &[("set-cookie", line)]);
        assert!(lines.len() < 2, "{lines:?}");
        lines.pop()
    }

    /// Whether a cookie of this name passes, in both directions.
    fn passes(&self, grant: &Grant, name: &str) -> bool {
        let set = self.sets(grant, &format!("{name}=1; Path=/")).is_some();
        let (sent, _) = self.exchange(grant, false, &format!("{name}=1"), &[]);
        assert_eq!(set, !sent.is_empty(), "{name} passes in one direction only");
        set
    }

    fn allows_url(&self, grant: &Grant, url: &str) -> bool {
        self.policy.judge_tag(grant, &Url::parse(url).unwrap()).action == Action::Keep
    }

    /// A page as the visitor gets it.
    fn page(&self, grant: &Grant, html: &str) -> String {
        let settings = Settings {
            policy: self.policy.clone(),
            grant: grant.clone(),
            url: Url::parse(&format!("https://{}/", self.config.sites[0].hosts[0])).unwrap(),
            charset: None,
            limits: Limits::default(),
            on_error: OnError::Abort,
            preferences: "/_consent/".into(),
            csp: Default::default(),
            speech: Speech::default(),
            asks: true,
            insert: Insertions::default(),
            gating: Gating::Remove,
            xml: false,
        };
        let (mut rewriter, mut out) = (Rewriter::new(settings), Vec::new());
        rewriter.write(html.as_bytes(), &mut out).unwrap();
        rewriter.end(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The lifetimes of a cookie that the origin sets for ever: with `Max-Age`, with `Expires`, and with both.
    fn lifetimes(&self, grant: &Grant, name: &str) -> [Option<u64>; 3] {
        let forms = ["Max-Age=999999999", FOREVER, "Expires=Fri, 01 Jan 2100 00:00:00 GMT; Max-Age=999999999; Path=/"];
        forms.map(|form| {
            let line = self.sets(grant, &format!("{name}=1; {form}")).unwrap_or_else(|| panic!("{name} was stripped"));
            SetCookie::parse(line.as_bytes()).lifetime(NOW)
        })
    }

    fn warns_of(&self, text: &str) -> bool {
        self.warnings.iter().any(|warning| warning.what.contains(text))
    }
}

fn assert_hardened(line: &str, secure: bool, http_only: bool, same_site: Option<SameSite>) {
    let cookie = SetCookie::parse(line.as_bytes());
    assert_eq!(
        (cookie.is_secure(), cookie.is_http_only(), cookie.same_site()),
        (secure, http_only, same_site),
        "{line}"
    );
    for attribute in ["secure", "httponly", "samesite"] {
        assert!(line.to_ascii_lowercase().matches(attribute).count() <= 1, "{line}");
    }
}

#[test]
fn five_policies_are_shipped() {
    let mut names: Vec<_> = fs::read_dir(examples().join("policies"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["chatsync.yaml", "mailjet.yaml", "messagebird.yaml", "mgs-wa.yaml", "msgro.yaml", "shop.yaml"]);
    for name in ["chatsync", "mailjet", "messagebird", "mgs-wa", "msgro"] {
        let shipped = Shipped::load(name);
        let parts = shipped.policy.parts();
        assert!(parts.categories.iter().all(|c| !c.label.is_empty() && !c.purpose.is_empty()), "{name}");
        assert!(parts.services.iter().all(|s| !s.label.is_empty()), "{name}");
    }
}
