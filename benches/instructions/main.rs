//! How many instructions each decision takes, counted by callgrind and held to a baseline: a noisy machine can say
//! "slower" that way too. `cargo bench --bench instructions`; `-- --bless` makes what was counted the baseline, which a
//! change does that must cost more, and then says why. `-- --ci` is for builds as `.ci/run` makes them, which optimise less
//! and have a baseline of their own.

#[path = "../support/baseline.rs"]
mod baseline;
mod cases;
#[path = "../support/page.rs"]
mod page;

use std::env;
use std::hint::black_box;
use std::process::{Command, ExitCode};

type Error = Box<dyn std::error::Error>;

/// Says to this program that valgrind runs it.
const INSIDE: &str = "--inside-valgrind";

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|known| known == word);
    if has(INSIDE) {
        cases::each(&mut |_, _, run| {
            // Tables and buffers grow on the first calls.
            run();
            run();
            measured(run);
            noted();
        });
        return ExitCode::SUCCESS;
    }
    if cfg!(debug_assertions) || !has("--bench") || has("--test") {
        // Unoptimised code has no count worth keeping: only that each case runs.
        cases::each(&mut |name, _, run| {
            run();
            println!("{name}: runs");
        });
        return ExitCode::SUCCESS;
    }
    let file = if has("--ci") { "instructions/ci.tsv" } else { "instructions/baseline.tsv" };
    match count().and_then(|counts| Ok(baseline::hold(file, counts, has("--bless"))?)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Calls that are counted together: sizes of hash tables and the like differ a little from call to call.
const CALLS: usize = 20;

/// What callgrind counts, by its name: so many calls.
#[inline(never)]
fn measured(run: &mut dyn FnMut()) {
    for _ in 0..CALLS {
        run();
    }
}

/// Leaving it, callgrind writes what it counted to a file. It listens to one thing a function.
#[inline(never)]
fn noted() {
    black_box(CALLS);
}

/// Runs this program under callgrind, which writes a file for each case, numbered in their order.
fn count() -> Result<Vec<(String, u64)>, Error> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("counts");
    let done = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .args(["--toggle-collect=instructions::measured*", "--dump-after=instructions::noted*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe()?)
        .arg(INSIDE)
        // Valgrind counts each byte of a `rep movsb`, and from what length on it pays differs between processors.
        .env("GLIBC_TUNABLES", "glibc.cpu.x86_rep_movsb_threshold=1073741824")
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    if !done.status.success() {
        return Err(format!("valgrind: {}", String::from_utf8_lossy(&done.stderr)).into());
    }
    let mut names = Vec::new();
    cases::each(&mut |name, units, _| names.push((name.to_owned(), units as u64)));
    let mut counts = Vec::with_capacity(names.len());
    for (index, (name, units)) in names.into_iter().enumerate() {
        let total = baseline::total(&out.with_extension((index + 1).to_string()))?;
        counts.push((name, total / (CALLS as u64 * units)));
    }
    Ok(counts)
}
