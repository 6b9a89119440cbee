//! `consentry policy drift`: where the policy and what was seen in traffic differ. Exit 0 if they do not, 1 if they do,
//! 2 if that cannot be said.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::{ask, check};
use crate::config::{self, CertificateFiles};
use crate::explain::{choose, printable};
use crate::telemetry;
use crate::telemetry::drift::{Drift, drift};
use crate::telemetry::findings;

/// Arguments of `policy drift`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  consentry policy drift                                   what the state folder says
  consentry policy drift --admin http://127.0.0.1:9464     what a running instance says
  consentry policy drift --findings copied/findings.json --site shop.example --json

An instance that wants a token finds it in the environment variable CONSENTRY_ADMIN_TOKEN.")]
pub(super) struct Args {
    /// The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "consentry.yaml")]
    config: PathBuf,
    /// A host of the only site to look at
    #[arg(long, short, value_name = "HOST")]
    site: Option<String>,
    /// Ask the admin listener of a running instance, which needs no configuration here
    #[arg(long, value_name = "URL", conflicts_with_all = ["findings", "config"])]
    admin: Option<String>,
    /// A findings file; default: `findings.json` in the configuration's state folder
    #[arg(long, value_name = "FILE")]
    findings: Option<PathBuf>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Names of sites, and what differs on them.
struct Told {
    sites: Vec<String>,
    drift: Vec<Drift>,
}

/// Prints what differs.
pub(super) fn run(args: &Args) -> ExitCode {
    let told = match &args.admin {
        Some(admin) => asked(admin, args.site.as_deref()),
        None => compared(args),
    };
    let told = match told {
        Ok(told) => told,
        Err(error) => {
            if !error.is_empty() {
                eprintln!("consentry: {error}");
            }
            return ExitCode::from(check::WRONG);
        }
    };
    let printed = if args.json { print_json(&told) } else { print(&told) };
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("consentry: {error}");
            ExitCode::from(check::WRONG)
        }
        _ if told.drift.is_empty() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn asked(admin: &str, site: Option<&str>) -> Result<Told, String> {
    let query: Vec<_> = site.iter().map(|site| ("site", *site)).collect();
    let mut answer = ask::get(admin, "api/drift", &query).map_err(|error| error.to_string())?;
    let wrong = |error: serde_json::Error| format!("{admin} answers what is not understood here: {error}");
    let sites = serde_json::from_value(answer["sites"].take()).map_err(wrong)?;
    let drift = serde_json::from_value(answer["drift"].take()).map_err(wrong)?;
    Ok(Told { sites, drift })
}

/// Compares a findings file with a configuration; an empty error has been told.
fn compared(args: &Args) -> Result<Told, String> {
    let (config, _) = config::check(&args.config, telemetry::now().0, CertificateFiles::Skip).map_err(|problems| {
        let _ = check::print(&problems, false);
        String::new()
    })?;
    let sites = match &args.site {
        Some(host) => vec![choose(&config.sites, Some(host))?.site],
        None => config.sites,
    };
    let file = args.findings.clone().unwrap_or_else(|| config.state.join(findings::FILE));
    let rows = findings::read(&file).map_err(|error| {
        let hint = if error.kind() == io::ErrorKind::NotFound {
            "\n  serve some traffic first; what is new is written down after a few seconds"
        } else {
            ""
        };
        format!("{}: {error}{hint}", file.display())
    })?;
    let drift = sites.iter().flat_map(|site| drift(&site.name, &site.policy, &rows)).collect();
    Ok(Told { sites: sites.iter().map(|site| site.name.to_string()).collect(), drift })
}

fn print_json(told: &Told) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for drift in &told.drift {
        serde_json::to_writer(&mut out, drift)?;
        writeln!(out)?;
    }
    out.flush()
}

/// A table a site.
fn print(told: &Told) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for (index, site) in told.sites.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let rows: Vec<_> = told.drift.iter().filter(|drift| *drift.site == **site).collect();
        let count = match rows.len() {
            0 => "no drift".to_owned(),
            1 => "1 difference".to_owned(),
            count => format!("{count} differences"),
        };
        writeln!(out, "{}: {count}", printable(site))?;
        let names = rows.iter().map(|drift| drift.name.chars().count()).max().unwrap_or_default().min(40);
        for drift in rows {
            let (what, name) = (drift.drift.word(), printable(&drift.name));
            writeln!(out, "  {what:<20}  {:<7}  {name:<names$}  {}", printable(&drift.kind), printable(&drift.text))?;
        }
    }
    out.flush()
}
