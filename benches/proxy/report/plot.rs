//! Results as one SVG: bars for CPU and for added latency. No script, no font, nothing from elsewhere.

use std::fmt::Write as _;

use crate::results::{Figure, Results};

const WIDTH: usize = 960;
const PANEL: usize = 460;
const BAR: usize = 20;
/// Where bars begin, and how long the longest is.
const X: usize = 110;
const LENGTH: f64 = 250.0;

/// The figures that are drawn, in this order.
const DRAWN: [&str; 8] = ["w1 h1", "w1 h2", "w2 h1", "w2 h2", "w3 h1", "w3-clean h1", "w3-gzip h1", "w3-any h1"];

/// One bar.
struct Bar<'a> {
    name: &'a str,
    value: f64,
    /// The upper end of the thin line behind the bar: the median, or a higher quantile.
    reach: f64,
    star: bool,
}

/// The plot of a run.
pub(crate) fn svg(results: &Results) -> String {
    let mut panels: Vec<(String, Vec<Bar<'_>>)> = Vec::new();
    for id in DRAWN {
        let row: Vec<&Figure> = results.figures.iter().filter(|figure| figure.id == id).collect();
        if let Some(first) = row.first() {
            panels.push((first.title.clone(), row.iter().map(|figure| bar(figure)).collect()));
        }
    }
    panels
        .extend(["h1", "h2"].map(|protocol| added(results, protocol)).into_iter().filter(|(_, bars)| !bars.is_empty()));
    let tallest = panels.iter().map(|(_, bars)| bars.len()).max().unwrap_or(0);
    let row = 46 + tallest * (BAR + 6);
    let height = 96 + panels.len().div_ceil(2) * row + 30;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <title>What a request costs</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"24\" y=\"36\" font-size=\"20\" font-weight=\"600\" fill=\"#1b2733\">What a request costs</text>\n\
         <text x=\"24\" y=\"58\" fill=\"#51606f\">CPU µs of the proxy, best round; the thin line reaches to the median \
         (latency: bar p50, line p90). Shorter is better.</text>\n"
    );
    for (index, (title, bars)) in panels.iter().enumerate() {
        let (x, y) = (24 + index % 2 * PANEL, 84 + index / 2 * row);
        panel(&mut out, x, y, title, bars);
    }
    let notes = ["* does not do all of it: see the table.".to_owned(), format!("{}.", results.machine.words())];
    for (note, foot) in notes.iter().zip([height - 30, height - 14]) {
        let note = escaped(note);
        let _ = writeln!(out, "<text x=\"24\" y=\"{foot}\" font-size=\"11\" fill=\"#51606f\">{note}</text>");
    }
    out.push_str("</svg>\n");
    out
}

fn bar(figure: &Figure) -> Bar<'_> {
    Bar { name: &figure.peer, value: figure.best(), reach: figure.median(), star: figure.lacks.is_some() }
}

fn added<'a>(results: &'a Results, protocol: &str) -> (String, Vec<Bar<'a>>) {
    let direct = results.latency.iter().find(|row| row.target == "origin");
    let rows = results.latency.iter().filter(|row| row.target != "origin" && row.protocol == protocol);
    let bars = direct.map(|direct| {
        let less = |value: f64, less: f64| ((value - less) / 1000.0).max(0.0);
        let bar = |row: &'a crate::results::Latency| Bar {
            name: &row.target,
            value: less(row.p50, direct.p50),
            reach: less(row.p90, direct.p90),
            star: false,
        };
        rows.map(bar).collect()
    });
    let rate = direct.map_or(0, |row| row.rate);
    (format!("W2: added latency, {protocol}, {rate} requests/s (ms)"), bars.unwrap_or_default())
}

fn panel(out: &mut String, x: usize, y: usize, title: &str, bars: &[Bar<'_>]) {
    let _ = writeln!(
        out,
        "<text x=\"{x}\" y=\"{}\" font-weight=\"600\" fill=\"#1b2733\">{}</text>",
        y + 14,
        escaped(title)
    );
    let longest = bars.iter().map(|bar| bar.value.max(bar.reach)).fold(f64::MIN_POSITIVE, f64::max);
    for (index, bar) in bars.iter().enumerate() {
        let top = y + 26 + index * (BAR + 6);
        let (left, middle) = (x + X, top + BAR / 2);
        let length = bar.value / longest * LENGTH;
        let reach = bar.reach / longest * LENGTH;
        let colour = match bar.name {
            "enforce" => "#0b6e4f",
            "off" => "#6bb392",
            name if name.ends_with("beside") => "#b9a7d6",
            _ => "#a9b4bf",
        };
        let star = if bar.star { " *" } else { "" };
        let value = if bar.value < 10.0 { format!("{:.2}", bar.value) } else { format!("{:.1}", bar.value) };
        let text = left as f64 + length.max(reach) + 6.0;
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#1b2733\">{}</text>\
             <rect x=\"{left}\" y=\"{top}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"2\" fill=\"{colour}\"/>\
             <path d=\"M{:.1} {middle}h{:.1}\" stroke=\"#1b2733\" stroke-opacity=\".45\"/>\
             <text x=\"{text:.1}\" y=\"{}\" fill=\"#1b2733\">{value}{star}</text>",
            left - 8,
            middle + 4,
            escaped(bar.name),
            left as f64 + length,
            (reach - length).max(0.0),
            middle + 4,
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
