//! Results as Markdown.

use std::fmt::Write as _;

use crate::results::{Figure, Latency, Results, Timing, median};

/// All tables, ready to be pasted.
pub(crate) fn markdown(results: &Results) -> String {
    let mut out = String::new();
    let mut notes = Vec::new();
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for figure in &results.figures {
        match groups.iter_mut().find(|(unit, _)| *unit == figure.unit) {
            Some((_, ids)) if ids.contains(&&*figure.id) => {}
            Some((_, ids)) => ids.push(&figure.id),
            None => groups.push((&figure.unit, vec![&figure.id])),
        }
    }
    for (unit, ids) in groups {
        let peers = results.peers.iter().map(|peer| peer.id.as_str());
        let columns: Vec<&str> = peers.collect();
        let _ = writeln!(out, "| {unit} | {} | enforce ÷ off |", columns.join(" | "));
        let _ = writeln!(out, "|---|{}---|", "---|".repeat(columns.len()));
        for id in ids {
            let row: Vec<&Figure> = results.figures.iter().filter(|figure| figure.id == id).collect();
            let cells = columns.iter().map(|peer| match row.iter().find(|figure| figure.peer == *peer) {
                Some(figure) => cell(figure, &mut notes),
                None => "–".to_owned(),
            });
            let cells: Vec<String> = cells.collect();
            let _ = writeln!(out, "| {} | {} | {} |", row[0].title, cells.join(" | "), ratio(&row));
        }
        out.push('\n');
    }
    latency(&results.latency, &mut out);
    if let Some(timing) = &results.timing {
        words(timing, &mut out);
    }
    for (index, note) in notes.iter().enumerate() {
        let _ = writeln!(out, "{}. {note}", index + 1);
    }
    let (seconds, machine) = (results.seconds, results.machine.words());
    let _ = writeln!(out, "\nBest round, median in brackets; a {} run of {seconds} s. {machine}.", results.effort);
    let versions: Vec<String> = results.peers.iter().map(|peer| format!("{}: {}", peer.id, peer.version)).collect();
    let _ = writeln!(out, "{}.", versions.join("; "));
    out
}

fn cell(figure: &Figure, notes: &mut Vec<String>) -> String {
    let mut text = format!("{} ({})", digits(figure.best()), digits(figure.median()));
    if let Some(bytes) = figure.bytes.filter(|bytes| *bytes > 10_000 && figure.unit.contains("request")) {
        let _ = write!(text, " {:.1} KB", bytes as f64 / 1000.0);
    }
    if let Some(lacks) = &figure.lacks {
        let note = format!("{}: {lacks}", figure.peer);
        let place = notes.iter().position(|known| *known == note).unwrap_or_else(|| {
            notes.push(note);
            notes.len() - 1
        });
        let _ = write!(text, " [{}]", place + 1);
    }
    text
}

/// Three digits that mean something.
fn digits(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

/// The median over the rounds, in each of which both had their turn.
fn ratio(row: &[&Figure]) -> String {
    let find = |peer: &str| row.iter().find(|figure| figure.peer == peer);
    let (Some(off), Some(enforce)) = (find("off"), find("enforce")) else { return String::new() };
    let ratios: Vec<f64> = off.rounds.iter().zip(&enforce.rounds).map(|(off, enforce)| enforce / off).collect();
    format!("{:.2}", median(&ratios))
}

fn latency(seen: &[Latency], out: &mut String) {
    if seen.is_empty() {
        return;
    }
    let _ = writeln!(out, "| added latency, ms, W2 at a fixed rate | p50 | p90 | p99 | p99.9 |\n|---|---|---|---|---|");
    for row in seen {
        let title = format!("{} {}, {}/s", row.target, row.protocol, row.rate);
        let values = [row.p50, row.p90, row.p99, row.p999];
        let direct = seen.iter().find(|direct| direct.target == "origin" && direct.rate == row.rate);
        let cells = match direct.filter(|_| row.target != "origin") {
            Some(direct) => {
                let less = [direct.p50, direct.p90, direct.p99, direct.p999];
                values.iter().zip(less).map(|(value, less)| format!("+{:.3}", (value - less) / 1000.0)).collect()
            }
            None => values.map(|value| format!("{:.3}", value / 1000.0)).to_vec(),
        };
        let _ = writeln!(out, "| {title} | {} |", cells.join(" | "));
    }
    out.push('\n');
}

fn words(timing: &Timing, out: &mut String) {
    let ms = |micros: f64| format!("{:.3} ms", micros / 1000.0);
    let _ = writeln!(
        out,
        "`Server-Timing` beside what a client sees (h1, medians): {} through us, {} without; told were {}, and what is \
         left, {}, is TLS, the second hop and waking up (`off` adds {} in all). With {} of {} answers more was told than \
         they took. Mean told {}; mean of `consentry_added_seconds` over {} requests {}. While the origin took {} for \
         each answer, {} were told.\n",
        ms(timing.through),
        ms(timing.direct),
        ms(timing.told),
        ms(timing.rest),
        ms(timing.off),
        timing.impossible,
        timing.answers,
        ms(timing.mean_told),
        timing.counted,
        ms(timing.mean_metric),
        ms(timing.slow),
        ms(timing.told_slow),
    );
}
