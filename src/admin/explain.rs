//! `/api/explain?site=&grant=&input=`: what `consentry explain` says, by the policy that is running.

use http::Uri;
use serde_json::{Value, json};

use super::query::Query;
use crate::config::Config;
use crate::explain::{Explainer, Input, choose, decide};
use crate::telemetry;

/// Answers to each `input`, in order; `grant` as for the command, and left out for what holds before any choice.
pub(super) fn explain(config: &Config, uri: &Uri) -> Result<Value, String> {
    let query = Query::read(uri, &["site", "grant", "input"])?;
    let chosen = choose(&config.sites, query.one("site")?)?;
    let grant = query.one("grant")?.map(|keys| keys.split(',').map(str::to_owned).collect::<Vec<_>>());
    let now = telemetry::now();
    let decision = decide(&chosen.site.policy, grant.as_deref(), now).map_err(|error| error.to_string())?;
    let explainer = Explainer::new(&chosen.site, &chosen.host, &decision, now).map_err(|error| error.to_string())?;
    let mut answers = Vec::new();
    for text in query.all("input") {
        let input = Input::parse(text.as_bytes(), &explainer.site_url).map_err(|error| format!("{text}: {error}"))?;
        for answer in explainer.explain(&input) {
            answers.push(serde_json::to_value(answer).map_err(|error| error.to_string())?);
        }
    }
    if answers.is_empty() {
        return Err("`input` is missing: a `Set-Cookie: …` line, a `Cookie: …` line or a URL".into());
    }
    Ok(json!({ "answers": answers }))
}
