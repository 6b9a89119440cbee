//! `consentry rewrite`: a page as a visitor with a grant would get it, and what was removed from it and why.
//!
//! The proxy's own rewriter with the proxy's own settings; `explain` puts what it found into words.

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use url::Url;

use super::check;
use super::explain::note_mode;
use super::site::{Chosen, SiteArgs};
use crate::explain::{Explainer, Words, decide};
use crate::filter::Csp;
use crate::html::{self, Rewriter, sniff};
use crate::policy::{Finding, resolve};
use crate::{proxy, telemetry};

/// Arguments of `rewrite`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The page goes from standard input to standard output, the report to standard error.

Examples:
  curl -s https://shop.example/ | consentry rewrite --site shop.example > refused.html
  consentry rewrite --grant analytics --json < page.html 2> removed.jsonl > granted.html")]
pub(super) struct Args {
    #[command(flatten)]
    site: SiteArgs,
    /// What the visitor has agreed to: categories and services, or `all`. Left out: what holds before any choice
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    grant: Option<Vec<String>>,
    /// The `Content-Type` that the page comes with. Left out: its first bytes tell
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// The address of the page, or its path on the site, against which relative addresses are read
    #[arg(long, value_name = "URL", default_value = "/")]
    url: String,
    /// The report as one JSON object a line
    #[arg(long)]
    json: bool,
}

/// More than a page of this world names, and few enough to be held.
const FINDINGS: usize = 4096;

/// Why a page is not rewritten to its end.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the page is cut here, as the proxy would cut it: {0}")]
    Cut(#[from] html::Error),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Rewrites a page; exit 2 if the configuration or an argument is wrong, 1 if the page was cut.
pub(super) fn run(args: &Args) -> ExitCode {
    let chosen = match args.site.load() {
        Ok(chosen) => chosen,
        Err(code) => return code,
    };
    let now = telemetry::now();
    let decision = match decide(&chosen.site.policy, args.grant.as_deref(), now) {
        Ok(decision) => decision,
        Err(error) => return wrong(&error),
    };
    let explainer = match Explainer::new(&chosen.site, &chosen.host, &decision, now) {
        Ok(explainer) => explainer,
        Err(error) => return wrong(&error),
    };
    let Some(url) = address(&args.url, &explainer.site_url) else {
        return wrong(&format!("--url: `{}` is no web address and no path of the site", args.url));
    };
    note_mode(chosen.site.mode);
    let settings = settings(args, &chosen, decision.grant.clone(), url);
    let (found, result) = rewrite(args, settings);
    if let Err(error) = report(&explainer, &found, args.json) {
        eprintln!("consentry: {error}");
    }
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Somebody read enough (`| head`).
        Err(Error::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("consentry: {error}");
            ExitCode::FAILURE
        }
    }
}

fn wrong(error: &impl std::fmt::Display) -> ExitCode {
    eprintln!("consentry: {error}");
    ExitCode::from(check::WRONG)
}

fn address(text: &str, site: &Url) -> Option<Url> {
    let url = if text.starts_with('/') { resolve(site, text)? } else { Url::parse(text).ok()? };
    matches!(url.scheme(), "http" | "https").then_some(url)
}

fn settings(args: &Args, chosen: &Chosen, grant: crate::policy::Grant, url: Url) -> html::Settings {
    let kind = args.content_type.as_deref().map(str::as_bytes);
    let mut settings = proxy::page::settings(
        &chosen.site,
        &chosen.limits,
        grant,
        url,
        kind,
        Csp::default(),
        html::Insertions::default(),
    );
    settings.limits.findings = FINDINGS;
    settings
}

/// From standard input to standard output, each piece as it comes; what is no page passes as it is.
fn rewrite(args: &Args, settings: html::Settings) -> (Vec<Finding>, Result<(), Error>) {
    let mut rewriter = Rewriter::new(settings);
    let result = copy(args, &mut rewriter);
    if let Some(error) = rewriter.gave_up() {
        eprintln!("warning: the rest of the page passes unfiltered, as `on_rewrite_error: pass` wants it: {error}");
    }
    (rewriter.findings(), result)
}

fn copy(args: &Args, rewriter: &mut Rewriter) -> Result<(), Error> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut chunk = vec![0; 64 << 10];
    let (mut first, mut whole) = (Vec::new(), false);
    let kind = args.content_type.as_deref().map(str::as_bytes);
    let is_page = loop {
        match sniff::is_html(kind, &first, whole) {
            sniff::Sniff::Html => break true,
            sniff::Sniff::Other => break false,
            sniff::Sniff::NeedMore if whole => break false,
            sniff::Sniff::NeedMore => {}
        }
        let length = input.read(&mut chunk)?;
        whole = length == 0;
        first.extend_from_slice(&chunk[..length]);
    };
    if !is_page {
        eprintln!("note: this is no HTML, so that it passes as it is");
        output.write_all(&first)?;
        io::copy(&mut input, &mut output)?;
        return Ok(output.flush()?);
    }
    let mut out = Vec::new();
    let mut piece = first;
    loop {
        let result = rewriter.write(&piece, &mut out);
        // What was rewritten before the cut leaves, as it does from the proxy.
        output.write_all(&out)?;
        output.flush()?;
        result?;
        out.clear();
        let length = input.read(&mut chunk)?;
        if length == 0 {
            break;
        }
        piece.clear();
        piece.extend_from_slice(&chunk[..length]);
    }
    let result = rewriter.end(&mut out);
    output.write_all(&out)?;
    output.flush()?;
    Ok(result?)
}

fn report(explainer: &Explainer<'_>, found: &[Finding], json: bool) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stderr().lock());
    for (index, finding) in found.iter().enumerate() {
        let answer = explainer.removed(finding);
        if json {
            serde_json::to_writer(&mut out, &answer)?;
            writeln!(out)?;
            continue;
        }
        if index > 0 {
            writeln!(out)?;
        }
        write!(out, "{}", Words(&answer))?;
    }
    if found.is_empty() && !json {
        writeln!(out, "nothing was removed")?;
    }
    out.flush()
}
