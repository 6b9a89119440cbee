//! `consentry policy`: the published policy of a site, to look at or to publish elsewhere, and its drift.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};

use super::site::SiteArgs;
use crate::api;

/// Arguments of `policy`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the published cookie policy to standard output
    Render(Render),
    /// Say where the policy and what was seen in traffic differ; exit 1 if they do
    Drift(super::drift::Args),
}

#[derive(Debug, clap::Args)]
struct Render {
    #[command(flatten)]
    site: SiteArgs,
    /// The page as the proxy serves it, text for a page of your own, or data
    #[arg(long, value_enum, default_value_t = Format::Html)]
    format: Format,
    /// Show the policy's own texts in this language, where it has translations
    #[arg(long, value_name = "TAG", default_value = "en")]
    language: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Html,
    Markdown,
    Json,
}

/// Prints what is asked for; exit 2 if the configuration is wrong.
pub(super) fn run(args: &Args) -> ExitCode {
    match &args.command {
        Command::Render(args) => render(args),
        Command::Drift(args) => super::drift::run(args),
    }
}

fn render(render: &Render) -> ExitCode {
    let chosen = match render.site.load() {
        Ok(chosen) => chosen,
        Err(code) => return code,
    };
    let page = api::policy::page(&chosen.site, &chosen.host, (&render.language, false), None);
    let mut text = match render.format {
        Format::Html => page.html(),
        Format::Markdown => page.markdown(),
        Format::Json => page.json(),
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}
