//! Consentry beside other proxies on this machine: CPU per request, handshakes, downloads, memory of idle connections,
//! added latency. `cargo bench --bench proxy -- --help`.
//!
//! It brings its own origin and its own clients; nginx, HAProxy and Envoy join where they are installed. Each proxy has
//! one worker on one core, load and origin have the others, and all proxies take turns in every round. CPU time per
//! request is the figure to trust: it does not care whether the load could have asked faster.

#![expect(clippy::disallowed_methods, reason = "a bench reads clocks")]

#[path = "../support/baseline.rs"]
mod baseline;
#[allow(clippy::unwrap_used, dead_code, unreachable_pub, reason = "shared with the tests")]
#[path = "../../tests/support/certificates.rs"]
mod certificates;
mod client;
mod compare;
mod cores;
mod handshakes;
mod instructions;
mod latency;
mod load;
mod machine;
mod memory;
mod options;
mod origin;
#[path = "../support/page.rs"]
mod page;
mod peers;
mod process;
mod report;
mod results;
mod timing;
mod verify;
mod workload;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use options::{Options, USAGE, What};
use results::Results;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Error>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("proxy bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let options = Options::read(env::args().skip(1))?;
    match &options.what {
        What::Usage => println!("{USAGE}"),
        What::Table(file) => {
            let file = file.clone().unwrap_or_else(|| results_folder().join("proxy.json"));
            let text = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            print!("{}", report::markdown(&serde_json::from_slice(&text)?));
        }
        What::Instructions { bless } => instructions::run(*bless)?,
        What::Cores => print!("{}", cores::run(&options)?),
        What::Compare => {
            let results = compare::run(&options)?;
            let (table, plot) = (report::markdown(&results), report::svg(&results));
            println!("\n{table}");
            if options.effort.is_test() {
                return whole(&results, &table, &plot);
            }
            keep(&results, &table, &plot)?;
        }
    }
    Ok(())
}

/// Where results lie.
fn results_folder() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch).join("bench")
}

fn keep(results: &Results, table: &str, plot: &str) -> Result<()> {
    let folder = results_folder();
    fs::create_dir_all(&folder)?;
    let json = serde_json::to_string_pretty(results)?;
    for (name, text) in [("proxy.json", &*json), ("proxy.md", table), ("proxy.svg", plot)] {
        fs::write(folder.join(name), text)?;
        eprintln!("{}", folder.join(name).display());
    }
    Ok(())
}

/// In a test run: that each of us was measured at everything, and shows.
fn whole(results: &Results, table: &str, plot: &str) -> Result<()> {
    for peer in ["off", "enforce"] {
        let figures: Vec<_> = results.figures.iter().filter(|figure| figure.peer == peer).collect();
        let latencies = results.latency.iter().filter(|row| row.target == peer).count();
        let measured = figures.iter().all(|figure| figure.best().is_finite() && figure.best() >= 0.0);
        if figures.len() != compare::FIGURES || latencies != 2 || !measured {
            return Err(format!("{peer} was not measured at everything: {figures:?}").into());
        }
        if !table.contains(peer) || !plot.contains(&format!(">{peer}<")) {
            return Err(format!("{peer} is not shown").into());
        }
    }
    match &results.timing {
        Some(timing) if timing.impossible == 0 && timing.counted == timing.answers => Ok(()),
        timing => Err(format!("Server-Timing tells more than there was: {timing:?}").into()),
    }
}
