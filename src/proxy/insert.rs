//! What a visitor gets in addition to a page: the banner where a choice is missing, our script, the way back to the
//! settings. Prepared once for a site as far as it is the same for all visitors.

use std::sync::Arc;

use url::Url;

use crate::api::banner::{Question, script as script_of};
use crate::config::{ConsentMode, Gating, Site};
use crate::consent::{Basis, Decision};
use crate::filter::{Csp, Leave};
use crate::fnv;
use crate::html::{self, Insertions, Spot};
use crate::page::banner::script::{self, Tag};
use crate::page::banner::{self, May, link};
use crate::page::{escape, forget, free, guard, way_back};
use crate::policy::Grant;

/// What is the same on all pages of a site.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Paths of style sheet and script, marks included.
    style: String,
    script: String,
    guard: String,
    mark: u64,
    /// Services of the policy keep data in browsers.
    stores: bool,
}

impl Prepared {
    pub(super) fn new(site: &Site) -> Self {
        let style = format!("{}{}", site.prefix, banner::style_path());
        let script = format!("{}{}", site.prefix, script::path(&script_of(site)));
        let guard = format!("{}{}", site.prefix, site.guard.path());
        let own = format!(
            "{style} {script} {guard} {:?} {:?} {:?} {} {:?}",
            site.guards(),
            site.settings_link,
            site.policy_page,
            site.banner,
            site.consent_mode
        );
        let release = env!("CARGO_PKG_VERSION");
        let mark = fnv::add(fnv::START, own.bytes().chain(release.bytes()));
        Self { style, script, guard, mark, stores: forget::is_needed(&site.policy, &Grant::none()) }
    }
}

/// What one visitor gets in addition to a page.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// It is shown in a frame, or in place of a page: only the guard has something to do.
    guard_only: bool,
    /// What is asked on it.
    pub(super) question: Option<Question>,
    /// Whether a choice stands.
    chosen: bool,
    /// It answers a form.
    posted: bool,
    /// What refused services have stored in the browser goes.
    forgets: bool,
    /// The tag of the language to speak on a page that does not say its own.
    language: Box<str>,
}

impl Plan {
    /// `None` if the site wants nothing added.
    pub(super) fn new(
        site: &Site,
        prepared: &Prepared,
        decision: &Decision,
        question: Option<Question>,
        posted: bool,
        language: &str,
    ) -> Option<Self> {
        let forgets = prepared.stores
            && decision.refused
            && !site.shares_pages()
            && forget::is_needed(&site.policy, &decision.grant);
        let wanted = site.adds_to_pages() || forgets;
        let question = question.filter(|_| site.banner && !site.shares_pages());
        let chosen = decision.basis == Basis::Choice;
        wanted.then(|| Self { guard_only: false, question, chosen, posted, forgets, language: language.into() })
    }

    /// The guard alone.
    pub(super) fn guard_only() -> Self {
        Self { guard_only: true, question: None, chosen: false, posted: false, forgets: false, language: "".into() }
    }

    /// Stands for all of it in validators.
    pub(super) fn salt(&self, site: &Site, prepared: &Prepared) -> u64 {
        if site.shares_pages() {
            return prepared.mark;
        }
        let question = self.question.as_ref().map_or(0, |question| question.mark(site, &self.language));
        let bytes = question
            .to_le_bytes()
            .into_iter()
            .chain([self.chosen, self.posted, self.forgets, self.guard_only].map(u8::from))
            .chain(self.language.bytes());
        fnv::add(prepared.mark, bytes)
    }

    /// The markup, as far as the policy of the page at `url` leaves it a way.
    pub(super) fn insertions(
        &self,
        site: &Arc<Site>,
        prepared: &Prepared,
        decision: &Decision,
        url: &Url,
        csp: &Csp,
    ) -> Insertions {
        let at = |path: &str| url.join(path).unwrap_or_else(|_| url.clone());
        let choice = at(&format!("{}choice", site.prefix));
        let style = csp.style(url, &at(&prepared.style));
        let script = csp.script(url, &at(&prepared.script)).filter(|_| site.has_script());
        let may_style = style.is_some();
        let mut head = guard(site, prepared, decision, url, csp).unwrap_or_default();
        if self.guard_only {
            return Insertions { head: (!head.is_empty()).then(|| head.into()), ..Insertions::default() };
        }
        let small = site.settings_link.is_some();
        if let Some(leave) = style.filter(|_| self.question.is_some() || small || (site.banner && site.shares_pages()))
        {
            head.push_str(&format!("<link rel=\"stylesheet\" href={}", escape::quote(&prepared.style)));
            if let Leave::Nonce(nonce) = leave {
                head.push_str(&format!(" nonce={}", escape::quote(&nonce)));
            }
            head.push_str("/>");
        }
        let fetch = csp.allows_fetch(url, &choice);
        let has_script = script.is_some();
        if let Some(leave) = script {
            let granted = script::granted(&site.policy, &decision.grant);
            let nonce = match &leave {
                Leave::Plain => None,
                Leave::Nonce(nonce) => Some(&**nonce),
            };
            let visitor = (!site.shares_pages()).then_some((&*granted, self.chosen));
            let first = site.consent_mode != ConsentMode::Off;
            head.push_str(&Tag { src: &prepared.script, nonce, visitor, first, fetch, posted: self.posted }.render());
            if site.gating == Gating::Neutralise && fetch {
                head.push_str(&free::later(&site.prefix, nonce));
            }
        }
        if self.forgets
            && let Some(leave) = csp.script(url, &at(&format!("{}{}", site.prefix, forget::PATH)))
        {
            let nonce = match &leave {
                Leave::Plain => None,
                Leave::Nonce(nonce) => Some(&**nonce),
            };
            head.push_str(&forget::tag(&site.prefix, nonce));
        }
        let body = self.question.clone().map(|question| {
            let (site, url, asked) = (Arc::clone(site), url.clone(), self.language.clone());
            html::Banner(Arc::new(move |csp: &Csp, language: &str| {
                let may = May {
                    form: csp.allows_form(&url, &choice),
                    style: may_style,
                    fetch: has_script && csp.allows_fetch(&url, &choice),
                };
                let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
                let return_to = way_back(&url[url::Position::BeforePath..url::Position::AfterQuery]);
                question.banner(&site, (language, *language != *asked), authority, return_to, may)
            }))
        });
        let link = site.settings_link.as_ref().map(|wanted| {
            let (of, url, asked) = (Arc::clone(site), url.clone(), self.language.clone());
            html::Link {
                within: wanted.within.clone(),
                markup: Arc::new(move |spot: &Spot, language: &str| {
                    way(&of, &url, spot, language, *language != *asked)
                }),
                // What a script fetches to put into a page may be the same as the page, to a shared cache.
                at_end: !site.shares_pages(),
            }
        });
        Insertions { head: (!head.is_empty()).then(|| head.into()), body, link }
    }
}

/// The guard's tag, if the page lets it run.
pub(super) fn guard(site: &Site, prepared: &Prepared, decision: &Decision, url: &Url, csp: &Csp) -> Option<String> {
    let observe = site.guards()?;
    let leave = csp.script(url, &url.join(&prepared.guard).ok()?)?;
    let nonce = match &leave {
        Leave::Plain => None,
        Leave::Nonce(nonce) => Some(&**nonce),
    };
    let granted = script::granted(&site.policy, &decision.grant);
    let loads: Vec<_> = site.told().map(|id| format!("+{}", site.policy.service(id).id)).collect();
    let ours = url.join(&site.prefix).and_then(|ours| ours.join("choice")).ok()?;
    let tag = guard::Tag {
        src: &prepared.guard,
        nonce,
        granted: (!site.shares_pages()).then_some(&*granted),
        loads: &loads.join(" "),
        fetch: csp.allows_fetch(url, &ours),
        observe,
    };
    Some(tag.render())
}

/// The way back to the settings from the page at `url`.
fn way(site: &Site, url: &Url, spot: &Spot, language: &str, named: bool) -> String {
    let own = site.settings_link.as_ref().and_then(|wanted| wanted.text.as_deref());
    let way = link::Way {
        prefix: &site.prefix,
        return_to: way_back(&url[url::Position::BeforePath..url::Position::AfterQuery]),
        named: named.then_some(language),
        label: own.unwrap_or(&site.texts.of(language).cookie_settings),
    };
    match spot {
        Spot::Within => way.in_footer(),
        Spot::End => way.at_end(),
    }
}
