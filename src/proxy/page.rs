//! How a site's pages are rewritten: its configuration in the words of the rewriter. Also for `consentry rewrite`.

use std::sync::Arc;

use url::Url;

use crate::config::{Gating, Limits, OnRewriteError, Site};
use crate::filter::{Csp, Leave};
use crate::html::{self, Insertions, charset, sniff};
use crate::page::{bridge, free};
use crate::policy::Grant;

/// The settings for the page at `url` under this grant; `kind` is its `Content-Type`, and `insert` what is added beside
/// the script of `gating: client`.
pub fn settings(
    site: &Site,
    limits: &Limits,
    grant: Grant,
    url: Url,
    kind: Option<&[u8]>,
    csp: Csp,
    mut insert: Insertions,
) -> html::Settings {
    let Limits { html_memory, inline_script, .. } = *limits;
    if let Some(scripts) = scripts(site, &url, &csp) {
        insert.head = Some(format!("{}{scripts}", insert.head.as_deref().unwrap_or_default()).into());
    }
    html::Settings {
        policy: site.policy.clone(),
        grant,
        charset: kind.and_then(charset::of_content_type),
        xml: kind.is_some_and(sniff::is_xml),
        gating: match site.gating {
            Gating::Remove => html::Gating::Remove,
            Gating::Neutralise => html::Gating::Neutralise,
            Gating::Client => html::Gating::Client,
        },
        limits: html::Limits { memory: html_memory, inline_script, ..html::Limits::default() },
        on_error: match site.on_rewrite_error {
            OnRewriteError::Abort => html::OnError::Abort,
            OnRewriteError::Pass => html::OnError::Pass,
        },
        preferences: site.prefix.clone().into(),
        url,
        csp,
        speech: html::Speech {
            language: site.language.clone(),
            offered: Arc::clone(&site.offered),
            texts: site.texts.clone(),
        },
        asks: site.consent_tool.is_none(),
        insert,
    }
}

/// The tags of our scripts. None where the page's policy would keep them from running, or from asking what is granted:
/// they could only fill the console.
fn scripts(site: &Site, page: &Url, csp: &Csp) -> Option<String> {
    let tool = site.consent_tool.as_ref().map(|tool| tool.format()).filter(|format| format.is_bridged());
    let frees = site.gating == Gating::Client;
    if tool.is_none() && !frees {
        return None;
    }
    let ours = page.join(&site.prefix).ok()?;
    if !csp.allows_fetch(page, &ours.join("choice").ok()?) {
        return None;
    }
    let nonce = |path| match csp.script(page, &ours.join(path).ok()?)? {
        Leave::Plain => Some(None),
        Leave::Nonce(nonce) => Some(Some(nonce)),
    };
    let bridge = tool.and_then(|tool| Some(bridge::tag(&site.prefix, tool.word(), nonce(bridge::PATH)?.as_deref())));
    let free = if frees { nonce(free::PATH).map(|nonce| free::tag(&site.prefix, nonce.as_deref())) } else { None };
    let tags: String = bridge.into_iter().chain(free).collect();
    (!tags.is_empty()).then_some(tags)
}
