//! `consentry explain`: what happens to a cookie or URL, and which rule of which file decided.
//!
//! What is said comes from the room `explain`; here are the arguments, and the way to the terminal.

use std::ffi::OsString;
use std::io::{self, BufRead as _, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use super::check;
use super::site::SiteArgs;
use crate::config::Mode;
use crate::explain::{self, Explainer, Input, Words, printable};
use crate::telemetry;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  consentry explain 'Set-Cookie: _ga=1; Path=/; Max-Age=63072000'
  consentry explain --grant analytics 'Cookie: _ga=1; PHPSESSID=2' https://www.googletagmanager.com/gtag/js
  curl -sI https://shop.example/ | grep -i ^set-cookie | consentry explain --json -")]
pub(super) struct Args {
    #[command(flatten)]
    site: SiteArgs,
    /// What the visitor has agreed to: categories and services, or `all`. Left out: what holds before any choice
    #[arg(long, value_name = "KEY", value_delimiter = ',')]
    grant: Option<Vec<String>>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// `Set-Cookie: …`, `Cookie: …` or a URL; `-` reads them from standard input, one a line
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<OsString>,
}

/// Explains every input; exit 2 if the configuration or an input could not be read.
pub(super) fn run(args: &Args) -> ExitCode {
    let chosen = match args.site.load() {
        Ok(chosen) => chosen,
        Err(code) => return code,
    };
    let now = telemetry::now();
    let decision = match explain::decide(&chosen.site.policy, args.grant.as_deref(), now) {
        Ok(decision) => decision,
        Err(error) => {
            eprintln!("consentry: {error}");
            return ExitCode::from(check::WRONG);
        }
    };
    let explainer = match Explainer::new(&chosen.site, &chosen.host, &decision, now) {
        Ok(explainer) => explainer,
        Err(error) => {
            eprintln!("consentry: {error}");
            return ExitCode::from(check::WRONG);
        }
    };
    note_mode(chosen.site.mode);
    let mut session = Session { explainer, json: args.json, first: true, bad: false };
    match session.explain_all(&args.inputs) {
        Ok(()) if session.bad => ExitCode::from(check::WRONG),
        Ok(()) => ExitCode::SUCCESS,
        // Somebody read enough (`| head`).
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("consentry: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Says that nothing of this is so yet, where it is not.
pub(super) fn note_mode(mode: Mode) {
    let word = match mode {
        Mode::Enforce => return,
        Mode::Observe => "observe",
        Mode::Off => "off",
    };
    eprintln!("note: this site is in mode `{word}`, so that nothing is changed yet; this is what `enforce` would do");
}

struct Session<'a> {
    explainer: Explainer<'a>,
    json: bool,
    first: bool,
    bad: bool,
}

impl Session<'_> {
    fn explain_all(&mut self, inputs: &[OsString]) -> io::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        for input in inputs {
            if input != "-" {
                self.explain(input.as_bytes(), &mut out)?;
                continue;
            }
            for line in io::stdin().lock().split(b'\n') {
                let line = line?;
                let line = line.strip_suffix(b"\r").unwrap_or(&line);
                if !line.trim_ascii().is_empty() {
                    self.explain(line, &mut out)?;
                    // Somebody may be typing.
                    out.flush()?;
                }
            }
        }
        out.flush()
    }

    fn explain(&mut self, raw: &[u8], out: &mut impl Write) -> io::Result<()> {
        let input = match Input::parse(raw, &self.explainer.site_url) {
            Ok(input) => input,
            Err(error) => {
                self.bad = true;
                out.flush()?;
                eprintln!("consentry: {}: {error}", printable(&String::from_utf8_lossy(raw)));
                return Ok(());
            }
        };
        for answer in self.explainer.explain(&input) {
            if self.json {
                serde_json::to_writer(&mut *out, &answer)?;
                writeln!(out)?;
                continue;
            }
            if !std::mem::take(&mut self.first) {
                writeln!(out)?;
            }
            write!(out, "{}", Words(&answer))?;
        }
        Ok(())
    }
}
