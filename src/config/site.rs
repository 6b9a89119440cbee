//! One site of a configuration that was checked.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use super::HostName;
use super::model::Certificate;
use super::origins::Origins;
use super::pages::{ConsentMode, Guarding, SettingsLink, Withdraw};
use crate::consent::formats::Tool;
use crate::cookie::OwnCookies;
use crate::page::guard::Guard;
use crate::page::texts::SiteTexts;
use crate::page::theme::Theme;
use crate::policy::{Policy, ServiceId};

/// A site, by its hosts.
#[derive(Debug)]
pub struct Site {
    /// Its first host, for logs.
    pub name: Box<str>,
    /// The hosts that it answers to; at least one.
    pub hosts: Vec<HostName>,
    /// The site's own servers.
    pub origins: Origins,
    /// `None` only if the files of certificates were not looked at.
    pub certificate: Option<Arc<Certificate>>,
    /// What is enforced.
    pub policy: Arc<Policy>,
    /// Since when the policy holds, as `YYYY-MM-DD`.
    pub effective: Option<Box<str>>,
    /// Whether it is enforced.
    pub mode: Mode,
    /// The path of our own pages; starts and ends with `/`.
    pub prefix: Box<str>,
    /// The cookie that holds the visitor's choice.
    pub cookie: ConsentCookie,
    /// What other sites of the configuration call theirs, where it reaches hosts of this one.
    pub neighbours: Box<[Box<str>]>,
    /// The consent tool that the site runs itself, whose record is the choice.
    pub consent_tool: Option<Tool>,
    /// What becomes of elements that are not granted.
    pub gating: Gating,
    /// What becomes of a document that trips a limit of the rewriter.
    pub on_rewrite_error: OnRewriteError,
    /// Whether a visitor who comes from elsewhere is bounced once, so that `SameSite=Strict` cookies arrive.
    pub strict_bounce: bool,
    /// How shared caches may keep what varies by grant.
    pub shared_cache: SharedCache,
    /// Whether `Server-Timing` tells what we added.
    pub server_timing: bool,
    /// Response headers that the site wants set.
    pub headers: SecurityHeaders,
    /// The language of our pages for visitors of whom nobody knows a better one: a tag in lower case.
    pub language: Box<str>,
    /// What may be offered to visitors: the site's language first, the policy's, and those that we speak.
    pub offered: Arc<[Box<str>]>,
    /// What our pages say.
    pub texts: SiteTexts,
    /// How they look.
    pub theme: Theme,
    /// What goes when a visitor withdraws.
    pub withdraw: Withdraw,
    /// Other origins whose scripts may ask for the choice and change it, as browsers write them into `Origin`.
    pub app_origins: Vec<Box<str>>,
    /// Whether visitors who have not chosen are asked on the pages themselves.
    pub banner: bool,
    /// Path of the site's own cookie policy, to which the banner leads; `None` for the one that we publish.
    pub policy_page: Option<Box<str>>,
    /// The way back to the preference centre from each page; `None` if the site has its own.
    pub settings_link: Option<SettingsLink>,
    /// What Google's tags are told.
    pub consent_mode: ConsentMode,
    /// Whether scripts of the page are held to the policy in the browser.
    pub guarding: Guarding,
    /// The script that does so.
    pub guard: Guard,
    /// Consent types of Google's Consent Mode with the keys of the categories that grant them, where the catalogue's
    /// words do not say it.
    pub consent_types: Vec<(Box<str>, Vec<Box<str>>)>,
}

/// With `strict_bounce`, says that the browser holds a session cookie, which it keeps back when the visitor comes from
/// elsewhere.
pub const SESSION_MARKER: &str = "__Host-consentry-session";

/// Under `law: implied`, says which page first showed the visitor the banner.
pub const SEEN_COOKIE: &str = "__Host-consentry-seen";

impl Site {
    /// Whether a script of ours has to tell what the site's consent tool holds.
    pub fn is_bridged(&self) -> bool {
        self.consent_tool.as_ref().is_some_and(|tool| tool.format().is_bridged())
    }

    /// Whether the host of an authority is one of its own.
    pub fn answers_to(&self, authority: &str) -> bool {
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => authority,
        };
        let host = host.to_ascii_lowercase();
        self.hosts.iter().any(|own| own.matches(&host))
    }

    /// Names of the cookies that are ours and none of the origin's business.
    pub fn own_cookies(&self) -> OwnCookies<'_> {
        OwnCookies { choice: &self.cookie.name, neighbours: &self.neighbours }
    }

    /// Whether pages are the same for everybody whose `Consent` is: then our script brings the banner.
    pub fn shares_pages(&self) -> bool {
        self.gating == Gating::Client || self.shared_cache == SharedCache::Keyed
    }

    /// Whether the guard is in each page, and if so, whether it only tells what it would stop. In `observe` mode, which
    /// changes nothing, it is there only if the site asks for the telling.
    pub fn guards(&self) -> Option<bool> {
        match (self.guarding, self.mode) {
            (Guarding::Off, _) | (_, Mode::Off) | (Guarding::On, Mode::Observe) => None,
            (Guarding::On, Mode::Enforce) => Some(false),
            (Guarding::Report, _) => Some(true),
        }
    }

    /// Services whose tags load before they are granted, and are told that they are not.
    pub fn told(&self) -> impl Iterator<Item = ServiceId> {
        let told = |uses: &str| matches!(uses, "google-analytics" | "google-tag-manager");
        let services = (0..).map(ServiceId).zip(&self.policy.parts().services);
        let told = services.filter(move |(_, service)| service.uses.as_deref().is_some_and(told));
        told.filter(|_| self.consent_mode == ConsentMode::Advanced).map(|(id, _)| id)
    }

    /// Whether pages get something in addition that frames and what scripts fetch do not.
    pub fn adds_to_pages(&self) -> bool {
        self.has_script() || self.settings_link.is_some() || self.guards().is_some()
    }

    /// Whether our script is in each page.
    pub fn has_script(&self) -> bool {
        self.banner || self.consent_mode != ConsentMode::Off
    }
}

/// Whether verdicts are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Everything passes, nothing is looked at.
    Off,
    /// Everything passes, findings are recorded.
    Observe,
    /// Verdicts are applied.
    #[default]
    Enforce,
}

/// What becomes of elements that are not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gating {
    /// They go.
    #[default]
    Remove,
    /// They stay, inert.
    Neutralise,
    /// They stay inert for everybody, whatever the grant.
    Client,
}

/// What becomes of a document that trips a limit of the rewriter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnRewriteError {
    /// The client sees an aborted transfer.
    #[default]
    Abort,
    /// The rest passes as it came.
    Pass,
}

/// How shared caches may keep what varies by grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SharedCache {
    /// Not at all.
    #[default]
    Private,
    /// Keyed by the `Consent` header.
    Keyed,
}

/// The cookie that holds the visitor's choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentCookie {
    /// Its name.
    pub name: Box<str>,
    /// Its `Domain`; `None` for the host alone.
    pub domain: Option<Box<str>>,
}

/// Response headers that a site wants set, ready to insert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecurityHeaders(pub Vec<(HeaderName, HeaderValue)>);
