//! `consentry receipts`: what an operator can show, prove, erase and keep of visitors' choices, beside a running proxy or
//! without one.

mod export;
mod filter;
mod verify;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::check;
use crate::config::{self, CertificateFiles, Config};
use crate::consent::ConsentId;
use crate::cookie::UnixTime;
use crate::receipt::Reason;
use crate::store::{self, Anchor, Backend, Error, Filter, Place, Spool, SpoolError};
use crate::telemetry;

use filter::FilterArgs;

/// How long a running proxy may hold the lock.
const WAIT: Duration = Duration::from_secs(10);

/// Arguments of `receipts`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "consentry.yaml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show receipts, oldest first, one a line
    List(FilterArgs),
    /// Write receipts as data
    Export {
        #[command(flatten)]
        filter: FilterArgs,
        /// JSON has the very bytes that are hashed; CSV is for spreadsheets
        #[arg(long, value_enum, default_value_t = Format::Json)]
        format: Format,
        /// A new file, for you alone; left out: standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Erase what a visitor chose, and leave a record that it was erased
    Delete {
        /// Whose; visitors find it at /_consent/receipt
        #[arg(long, value_name = "ID", value_parser = filter::consent_id, allow_hyphen_values = true)]
        consent_id: ConsentId,
        /// On this site alone
        #[arg(long, value_name = "HOST")]
        site: Option<String>,
    },
    /// Remove what is older than the configuration's `receipts.retention`; `serve` does it each hour
    Purge {
        /// Remove what is older than this day or time (UTC) instead
        #[arg(long, value_name = "DATE", value_parser = filter::time)]
        before: Option<UnixTime>,
    },
    /// Check that nothing was changed, removed or moved; exit 1 names the first record that is wrong
    Verify {
        /// An end that a chain had earlier, as `verify` printed it; may be given several times
        #[arg(long, value_name = "CHAIN:RECORDS:HASH", value_parser = verify::head)]
        head: Vec<crate::receipt::Head>,
    },
    /// Copy the store into a new file while the proxy runs
    Backup {
        /// The file; it must not exist
        file: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Csv,
}

/// Does what is asked for; exit 2 if the configuration is wrong.
pub(super) fn run(args: &Args) -> ExitCode {
    let config = match config::check(&args.config, telemetry::now().0, CertificateFiles::Skip) {
        Ok((config, _)) => config,
        Err(problems) => {
            let _ = check::print(&problems, false);
            return ExitCode::from(check::WRONG);
        }
    };
    match run_with(&config, &args.command) {
        Ok(code) => code,
        // Whoever reads has read enough.
        Err(Error::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let store = config.receipts.postgres.as_ref().unwrap_or(&config.receipts.store);
            eprintln!("consentry: {}: {error}", store.display());
            ExitCode::FAILURE
        }
    }
}

fn run_with(config: &Config, command: &Command) -> Result<ExitCode, Error> {
    match command {
        Command::List(filter) => export::list(open(config)?, &filter.filter(config)),
        Command::Export { filter, format, output } => {
            export::export(open(config)?, &filter.filter(config), *format, output.as_deref())
        }
        Command::Delete { consent_id, site } => {
            let site = site.as_deref().map(|host| filter::site(config, host));
            let filter = Filter { consent: Some(*consent_id), site, ..Filter::default() };
            change(config, "erased", |store| store.erase(&filter, Reason::Operator, telemetry::now()))
        }
        Command::Purge { before } => {
            let now = telemetry::now();
            let before = before.unwrap_or_else(|| now.before(config.receipts.retention.as_secs()));
            change(config, "purged", |store| store.purge(before, now))
        }
        Command::Verify { head } => verify::run(&Place::of(config), open(config)?, head),
        Command::Backup { file } => backup(open(config)?, file),
    }
}

/// The store; `None` if there is none yet, which is no error.
fn open(config: &Config) -> Result<Option<Box<dyn Backend>>, Error> {
    let store = store::look(&config.receipts, WAIT)?;
    if store.is_none() {
        eprintln!("note: there are no receipts yet: {} does not exist", config.receipts.store.display());
    }
    let spool = Place::of(config).spool;
    let waiting = std::fs::metadata(&spool).map_or(0, |spool| spool.len());
    if waiting > 0 {
        eprintln!("note: more receipts ({waiting} bytes) wait in {} for `serve`", spool.display());
    }
    Ok(store)
}

/// Changes the store, and notes the new end of our chain.
fn change(
    config: &Config,
    done: &str,
    change: impl FnOnce(&mut dyn Backend) -> Result<u64, Error>,
) -> Result<ExitCode, Error> {
    let Some(mut store) = open(config)? else { return Ok(ExitCode::SUCCESS) };
    let place = Place::of(config);
    let anchor = Anchor::at(&place.anchor);
    let ours = anchor.read()?;
    if let Some(head) = ours {
        // What comes out of the spool later would escape.
        let mut spool = Spool::at(&place.spool, u64::MAX);
        let (waiting, _) = spool.read().map_err(spool_error)?;
        if !waiting.is_empty() {
            anchor.note(store.append(head.chain, &waiting)?)?;
            spool.clear().map_err(spool_error)?;
        }
    }
    let progress = ProgressBar::new_spinner();
    progress.enable_steady_tick(Duration::from_millis(100));
    let changed = change(&mut *store);
    progress.finish_and_clear();
    let changed = changed?;
    let states = store.chains()?;
    if let Some(state) = states.iter().find(|state| ours.is_some_and(|head| head.chain == state.head.chain)) {
        anchor.note(state.head)?;
    }
    println!("{changed} {} {done}", if changed == 1 { "record was" } else { "records were" });
    Ok(ExitCode::SUCCESS)
}

fn spool_error(error: SpoolError) -> Error {
    match error {
        SpoolError::Io(error) => Error::Io(error),
        other => Error::Io(io::Error::other(format!("{other}; try again when it is delivered"))),
    }
}

fn backup(store: Option<Box<dyn Backend>>, file: &Path) -> Result<ExitCode, Error> {
    let Some(mut store) = store else { return Ok(ExitCode::FAILURE) };
    let bar = progress(0, "pages");
    let copied = store.backup(file, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    copied.map_err(|error| match error {
        Error::Io(error) => Error::Io(io::Error::new(error.kind(), format!("{}: {error}", file.display()))),
        other => other,
    })?;
    println!("{} is written", file.display());
    Ok(ExitCode::SUCCESS)
}

/// A bar on standard error, on terminals only.
fn progress(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} {msg}, {eta} left");
    let bar = ProgressBar::new(length).with_message(what);
    bar.with_style(style.expect("the template is a constant"))
}
