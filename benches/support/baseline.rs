//! The counts that are kept, and what differs from them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A count may rise by this much: seeds of hash tables differ from run to run.
const TOLERANCE: f64 = 0.05;

/// And by so many instructions, which is a chance as well where a decision takes a hundred.
const SLACK: u64 = 15;

/// Counts, and where they hold.
#[derive(Debug, PartialEq, Eq)]
struct Baseline {
    /// Compiler and processor: with others the same code is other instructions.
    here: String,
    /// By name, in their order.
    counts: Vec<(String, u64)>,
}

/// This compiler on this processor.
fn here() -> String {
    let said = Command::new("rustc").arg("--version").output();
    let compiler = said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned()).unwrap_or_default();
    format!("{compiler}, {}{}", std::env::consts::ARCH, vectors())
}

/// Searches choose by these what they run.
#[cfg(target_arch = "x86_64")]
fn vectors() -> &'static str {
    if std::arch::is_x86_feature_detected!("avx2") { " with AVX2" } else { "" }
}

#[cfg(not(target_arch = "x86_64"))]
fn vectors() -> &'static str {
    ""
}

impl Baseline {
    fn read(text: &str) -> Result<Self, String> {
        let (first, rest) = text.split_once('\n').ok_or("an empty baseline")?;
        let here = first.strip_prefix("# ").ok_or("a baseline begins with `# ` and where it holds")?.to_owned();
        let counts = rest.lines().map(|line| {
            let (name, count) = line.split_once('\t').ok_or_else(|| format!("no tab in `{line}`"))?;
            Ok((name.to_owned(), count.parse().map_err(|error| format!("{line}: {error}"))?))
        });
        Ok(Self { here, counts: counts.collect::<Result<_, String>>()? })
    }

    fn write(&self) -> String {
        let mut text = format!("# {}\n", self.here);
        for (name, count) in &self.counts {
            let _ = writeln!(text, "{name}\t{count}");
        }
        text
    }
}

/// Prints what was counted beside the baseline, a file below `benches`; false where something takes too many. With
/// `bless` what was counted becomes the baseline.
pub(crate) fn hold(file: &str, counts: Vec<(String, u64)>, bless: bool) -> Result<bool, String> {
    let now = Baseline { here: here(), counts };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(file);
    if bless {
        print!("{}", now.write());
        fs::write(&path, now.write()).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(true);
    }
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}; --bless makes one", path.display()))?;
    let then = Baseline::read(&text)?;
    let (report, slower) = compare(&then, &now);
    print!("{report}");
    if then.here != now.here {
        println!("\nThe baseline is of another place, so that nothing is decided: {}; here: {}.", then.here, now.here);
        return Ok(true);
    }
    if !slower.is_empty() {
        println!(
            "\nMore than {:.0} % above benches/{file}: {}. If that must be, run this again with --bless behind it,\n\
             and say why in the commit.",
            100.0 * TOLERANCE,
            slower.join(", ")
        );
    }
    Ok(slower.is_empty())
}

/// The sum in a file that callgrind wrote.
pub(crate) fn total(file: &Path) -> Result<u64, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("callgrind counted nothing: {error}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("totals:").or_else(|| line.strip_prefix("summary:")));
    let total = line.ok_or("a file of callgrind's has no total")?;
    total.trim().parse().map_err(|error| format!("`{total}` is no total: {error}"))
}

/// A line for each count, and the names of those that are too high. One that has no baseline is too high as well: it
/// was not weighed.
fn compare(then: &Baseline, now: &Baseline) -> (String, Vec<String>) {
    let mut report = format!("{:36}{:>12}{:>12}\n", "instructions", "baseline", "now");
    let mut slower = Vec::new();
    for (name, count) in &now.counts {
        let known = then.counts.iter().find(|(known, _)| known == name).map(|(_, count)| *count);
        let most = known.map_or(0.0, |known| known as f64 * (1.0 + TOLERANCE) + SLACK as f64);
        let change = known.map(|known| format!("{:+.1} %", 100.0 * (*count as f64 / known as f64 - 1.0)));
        let _ = writeln!(
            report,
            "{name:36}{:>12}{count:>12}  {}",
            known.map_or_else(|| "none".to_owned(), |known| known.to_string()),
            change.unwrap_or_default()
        );
        if *count as f64 > most {
            slower.push(format!("`{name}`"));
        }
    }
    (report, slower)
}
