//! `consentry check`: tells every problem of a configuration; exit 2 if it could not be served.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::{self, CertificateFiles, Problem};
use crate::telemetry;

/// The exit code of a configuration that is wrong.
pub(super) const WRONG: u8 = 2;

/// Check a configuration and everything that it names.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration to check.
    #[arg(long, short, value_name = "FILE", default_value = "consentry.yaml")]
    pub config: PathBuf,
    /// Do not look at the files of certificates and keys.
    #[arg(long)]
    pub no_certificates: bool,
    /// One line for each problem, `FILE:LINE:COLUMN: error: ...`, for editors and scripts.
    #[arg(long)]
    pub short: bool,
}

/// Prints what is wrong to standard error and a verdict to standard output.
pub fn run(args: &Args) -> ExitCode {
    let files = if args.no_certificates { CertificateFiles::Skip } else { CertificateFiles::Read };
    let (problems, summary, code) = match config::check(&args.config, telemetry::now().0, files) {
        Ok((config, warnings)) => {
            let verb = if config.sites.len() == 1 { "is" } else { "are" };
            let summary = format!("{}: {} {verb} right", args.config.display(), count(config.sites.len(), "site"));
            (warnings, summary, ExitCode::SUCCESS)
        }
        Err(problems) => {
            let errors = problems.iter().filter(|problem| problem.is_error()).count();
            let summary = format!("{}: {}", args.config.display(), count(errors, "error"));
            (problems, summary, ExitCode::from(WRONG))
        }
    };
    // Nobody reads what cannot be written; the exit code still tells.
    let _ = print(&problems, args.short);
    let _ = writeln!(io::stdout(), "{summary}");
    code
}

/// Reads a configuration to serve it, telling its problems on the way.
///
/// # Errors
/// The exit code, if it cannot be served.
pub fn load(path: &std::path::Path) -> Result<config::Config, ExitCode> {
    let (config, problems) = match config::load(path, telemetry::now().0) {
        Ok((config, warnings)) => (Ok(config), warnings),
        Err(problems) => (Err(ExitCode::from(WRONG)), problems),
    };
    let _ = print(&problems, false);
    config
}

/// Prints problems to standard error, with colours on a terminal.
pub fn print(problems: &[Problem], short: bool) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    let styled = stderr.is_terminal();
    for problem in problems {
        if short {
            writeln!(stderr, "{problem}")?;
        } else {
            writeln!(stderr, "{}\n", problem.render(styled))?;
        }
    }
    Ok(())
}

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
