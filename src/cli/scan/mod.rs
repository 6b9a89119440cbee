//! `consentry scan`: visits a site as a polite client, tells which cookies and tags it has, and drafts a policy.

mod crawl;
mod draft;
mod fetch;
mod found;
mod frontier;
mod jar;
mod links;
mod robots;
mod show;
mod tls;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use url::{Host, Url};

use self::crawl::{Bounds, Crawl};
use self::draft::Frame;
use self::fetch::Client;
use self::found::Found;
use super::{check, init};
use crate::config::{self, CertificateFiles, Config, Site};
use crate::telemetry;

/// As shells have it for a command that SIGINT ended.
const INTERRUPTED: u8 = 130;

/// Longer is no politeness any more.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// Arguments of `scan`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Consentry's name in robots.txt is `consentry`. Exit code 1: no page could be read; 2: the command line \
                  is wrong; 130: interrupted, what was found so far is printed."
)]
pub(super) struct Args {
    /// Where to begin: pages of the site, or its own server
    #[arg(required = true, value_name = "URL")]
    urls: Vec<String>,
    /// The host by which visitors know the site, where URL is its own server: it is asked for by that name
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Visit no more pages than this
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pages: u16,
    /// Follow links no further than this from URL
    #[arg(long, value_name = "N", default_value_t = 4)]
    depth: u8,
    /// Wait between two requests, e.g. 1s or 500ms (a bare number is milliseconds); robots.txt may ask for more
    #[arg(long, value_name = "TIME", default_value = "250ms", value_parser = delay)]
    delay: Duration,
    /// Give up on a page after so many seconds
    #[arg(long, value_name = "S", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=600))]
    timeout: u16,
    /// PEM of who may vouch for the site's certificate, beside those that the system trusts
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Believe any certificate (for development)
    #[arg(long)]
    insecure: bool,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
    /// Write a configuration drafted from what was found; `-` is standard output, and the tables go to standard error
    #[arg(long, value_name = "FILE")]
    draft: Option<PathBuf>,
    /// Replace the draft that is there
    #[arg(long, requires = "draft")]
    force: bool,
}

/// Where to go, and by which name.
struct Plan {
    starts: Vec<Url>,
    /// All requests go there, whatever host they name.
    origin: Option<Url>,
}

/// Scans, and tells what it found.
pub(super) fn run(args: &Args) -> ExitCode {
    let (plan, client) = match plan(args) {
        Ok(planned) => planned,
        Err(sentence) => {
            eprintln!("consentry: {sentence}");
            return ExitCode::from(check::WRONG);
        }
    };
    let config = standard();
    let site = &config.sites[0];
    let mut found = Found::new(&site.policy);
    let bar = progress(args.pages);
    let interrupted = match visit(args, &plan, client, site, &mut found, &bar) {
        Ok(interrupted) => interrupted,
        Err(error) => {
            eprintln!("consentry: {error}");
            return ExitCode::FAILURE;
        }
    };
    bar.finish_and_clear();
    if found.pages.is_empty() && !interrupted {
        eprintln!("consentry: {}", nothing(&found, &plan.starts));
        return ExitCode::FAILURE;
    }
    let frame = Frame { hosts: hosts(&found, &plan.starts), origin: origin(&plan), interrupted };
    let draft = args.draft.as_deref().map(|file| (file, draft::draft(&found, &frame)));
    match print(args, &found, interrupted, draft, frame.hosts.first().map_or("", String::as_str)) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("consentry: {error}");
            ExitCode::FAILURE
        }
        _ if interrupted => ExitCode::from(INTERRUPTED),
        _ => ExitCode::SUCCESS,
    }
}

fn plan(args: &Args) -> Result<(Plan, Client), String> {
    let mut starts = args.urls.iter().map(|text| address(text)).collect::<Result<Vec<_>, _>>()?;
    let mut origin = None;
    if let Some(host) = &args.host {
        let name = config::HostName::parse(host).map_err(|error| error.to_string())?;
        if name.is_wildcard() {
            return Err("--host names one host, not a wildcard".into());
        }
        origin = starts.first().cloned();
        for start in &mut starts {
            let path = &start[url::Position::BeforePath..];
            let address = if name.name().contains(':') { format!("[{}]", name.name()) } else { name.name().to_owned() };
            *start = Url::parse(&format!("https://{address}{path}")).map_err(|error| error.to_string())?;
        }
    }
    if let Some(file) = args.draft.as_deref().filter(|file| !is_stdout(file)) {
        if file.exists() && !args.force {
            return Err(format!("{} is there already; write `--force` to replace it, or name another", file.display()));
        }
    } else if args.draft.is_some() && args.json {
        return Err("`--json` and `--draft -` both want standard output; name a file for the draft".into());
    }
    let connector = tls::connector(args.ca.as_deref(), args.insecure)?;
    let client = Client::new(connector, origin.clone(), Duration::from_secs(args.timeout.into()));
    Ok((Plan { starts, origin }, client))
}

/// `1s`, `0.5 s`, `500ms`, `500`.
fn delay(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let unit = match unit {
        "s" => 1.0,
        "ms" | "" => 0.001,
        _ => return Err("write it as 1s, 500ms or 500".into()),
    };
    let seconds = number.trim().parse::<f64>().map_err(|_| "write it as 1s, 500ms or 500")? * unit;
    match Duration::try_from_secs_f64(seconds) {
        Ok(delay) if delay <= LONGEST_DELAY => Ok(delay),
        _ => Err("it is from 0 to 60s".into()),
    }
}

/// `shop.example` is `https://shop.example/`.
fn address(text: &str) -> Result<Url, String> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    match Url::parse(&whole) {
        Ok(mut url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            url.set_fragment(None);
            if url.username().is_empty() && url.password().is_none() {
                return Ok(url);
            }
            Err("a URL to scan must not hold a user name or password; they would be sent in the clear".into())
        }
        _ => Err(format!("`{}` is no http or https URL", text.escape_debug())),
    }
}

/// The policy that knows nothing but the catalogue.
fn standard() -> Config {
    const YAML: &str =
        "listen: 127.0.0.1:443\nsites: [{ host: scan.invalid, origin: 'http://127.0.0.1', policy: standard }]";
    let (config, _) = config::parse(YAML, "scan", Path::new(""), telemetry::now().0, CertificateFiles::Skip)
        .expect("the built-in policy is right");
    config
}

fn progress(pages: u16) -> ProgressBar {
    // Hidden unless standard error is a terminal.
    let bar = ProgressBar::with_draw_target(Some(pages.into()), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {wide_msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Visits until done or SIGINT; tells which.
fn visit(
    args: &Args,
    plan: &Plan,
    client: Client,
    site: &Site,
    found: &mut Found<'_>,
    bar: &ProgressBar,
) -> io::Result<bool> {
    let bounds = Bounds { pages: args.pages.into(), depth: args.depth.into(), delay: args.delay };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let interrupted = runtime.block_on(async {
        let crawl =
            Crawl::new(client, Arc::clone(&site.policy), &plan.starts, bounds, site.own_cookies(), found, bar.clone());
        tokio::select! {
            () = crawl.run() => false,
            _ = tokio::signal::ctrl_c() => true,
        }
    });
    // A look-up of a name cannot be stopped, and need not be waited for.
    runtime.shutdown_background();
    Ok(interrupted)
}

/// Why there is nothing to tell.
fn nothing(found: &Found<'_>, starts: &[Url]) -> String {
    let first = starts.first().map_or("", |start| start.as_str());
    match found.problems.first() {
        Some(problem) => format!("no page of {first} could be read; {}: {}", problem.url, problem.what),
        None => format!("no page of {first} may be visited: robots.txt forbids it to `consentry`"),
    }
}

/// The hosts of the pages that were read, in the order in which they were.
fn hosts(found: &Found<'_>, starts: &[Url]) -> Vec<String> {
    let read: Vec<Url> = found.pages.iter().filter_map(|page| Url::parse(&page.url).ok()).collect();
    let mut hosts: Vec<String> = Vec::new();
    for host in read.iter().chain(starts).filter_map(Url::host) {
        // Certificates and consent are for names; a machine's own address is `localhost` to it.
        let name = match host {
            Host::Ipv4(address) if address.is_loopback() => "localhost".to_owned(),
            Host::Ipv6(address) if address.is_loopback() => "localhost".to_owned(),
            Host::Ipv6(address) => address.to_string(),
            host => host.to_string(),
        };
        if config::HostName::parse(&name).is_ok() && !hosts.contains(&name) {
            hosts.push(name);
        }
    }
    if hosts.is_empty() { vec!["shop.example".to_owned()] } else { hosts }
}

/// The site's own server, unless what was scanned is what visitors reach: then Consentry will stand there.
fn origin(plan: &Plan) -> Option<&Url> {
    plan.origin.as_ref().or_else(|| {
        plan.starts.first().filter(|start| start.port().is_some() || !matches!(start.host(), Some(Host::Domain(_))))
    })
}

fn is_stdout(file: &Path) -> bool {
    file == Path::new("-")
}

fn print(
    args: &Args,
    found: &Found<'_>,
    interrupted: bool,
    draft: Option<(&Path, String)>,
    host: &str,
) -> io::Result<()> {
    let text = if args.json { show::json(found, interrupted) } else { show::tables(found, interrupted) };
    let Some((file, draft)) = draft else { return io::stdout().write_all(text.as_bytes()) };
    if is_stdout(file) {
        io::stderr().write_all(text.as_bytes())?;
        return io::stdout().write_all(draft.as_bytes());
    }
    io::stdout().write_all(text.as_bytes())?;
    init::write(file, &draft, args.force).map_err(|error| io::Error::other(format!("{}: {error}", file.display())))?;
    let name = file.display();
    let steps = init::next_steps(&name.to_string(), host);
    writeln!(io::stderr(), "\n{name} is drafted. Decide on what is marked `unclassified` in it. Next:\n\n{steps}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_times() {
        for (text, millis) in [("1s", 1000), ("0.5 s", 500), ("20ms", 20), ("7", 7), ("0", 0)] {
            assert_eq!(delay(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-1s", "1h", "nan", "inf", "1e9s", "61s"] {
            assert!(delay(text).is_err(), "{text}");
        }
    }
}
