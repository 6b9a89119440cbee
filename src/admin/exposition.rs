//! Writes metrics in the two formats that Prometheus reads: its own text format 0.0.4, and OpenMetrics 1.0.0.

use std::fmt::Write as _;

use http::HeaderMap;
use http::header::ACCEPT;

use crate::telemetry::counters::{BOUNDS, Times};

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Text,
    OpenMetrics,
}

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Syntax {
    /// The one that the client likes best. OpenMetrics only for those who name it: Prometheus does, `curl` does not.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let mut best = (Self::Text, 0.0);
        for range in headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok()).flat_map(|l| l.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let (mut quality, mut known) = (1.0, true);
            for part in parts {
                match part.split_once('=') {
                    Some(("q" | "Q", value)) => quality = value.parse().unwrap_or(0.0),
                    Some(("version", version)) if kind == "application/openmetrics-text" => {
                        known = ["1.0.0", "0.0.1"].contains(&version.trim_matches('"'));
                    }
                    _ => {}
                }
            }
            let syntax = match &*kind {
                "application/openmetrics-text" if known => Self::OpenMetrics,
                "text/plain" | "text/*" | "*/*" => Self::Text,
                _ => continue,
            };
            // What stands first wins between equals.
            if quality > best.1 {
                best = (syntax, quality);
            }
        }
        best.0
    }

    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The text as it grows.
pub(super) struct Exposition {
    out: String,
    syntax: Syntax,
}

/// The samples of one metric.
pub(super) struct Samples<'a> {
    out: &'a mut String,
    name: &'static str,
    kind: Kind,
}

/// Labels of one sample, in their order.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

impl Exposition {
    pub(super) fn new(syntax: Syntax) -> Self {
        Self { out: String::with_capacity(32 << 10), syntax }
    }

    /// A metric by its name, which for counters is without the `_total` that their samples have.
    pub(super) fn metric(&mut self, name: &'static str, help: &str, kind: Kind, values: impl FnOnce(&mut Samples<'_>)) {
        let word = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        // The text format describes samples, OpenMetrics the family that they are of.
        let end = if (self.syntax, kind) == (Syntax::Text, Kind::Counter) { "_total" } else { "" };
        let out = &mut self.out;
        let _ = write!(out, "# HELP {name}{end} ");
        escape(out, help, self.syntax == Syntax::OpenMetrics);
        let _ = writeln!(out, "\n# TYPE {name}{end} {word}");
        values(&mut Samples { out, name, kind });
    }

    pub(super) fn end(mut self) -> String {
        if self.syntax == Syntax::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
        self.out
    }
}

impl Samples<'_> {
    /// One number.
    pub(super) fn sample(&mut self, labels: Labels<'_>, value: impl std::fmt::Display) {
        let end = if self.kind == Kind::Counter { "_total" } else { "" };
        self.line(end, labels, None, value);
    }

    /// A number that may not be known.
    pub(super) fn some(&mut self, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.sample(&[], value);
        }
    }

    pub(super) fn histogram(&mut self, labels: Labels<'_>, times: &Times) {
        let mut below = 0;
        for (bound, count) in BOUNDS.into_iter().zip(times.counts) {
            below += count;
            self.line("_bucket", labels, Some(&format!("{bound:?}")), below);
        }
        let all: u64 = times.counts.iter().sum();
        self.line("_bucket", labels, Some("+Inf"), all);
        self.line("_sum", labels, None, times.sum);
        self.line("_count", labels, None, all);
    }

    fn line(&mut self, end: &str, labels: Labels<'_>, le: Option<&str>, value: impl std::fmt::Display) {
        let _ = write!(self.out, "{}{end}", self.name);
        let mut between = '{';
        for (name, value) in labels.iter().copied().chain(le.map(|le| ("le", le))) {
            let _ = write!(self.out, "{between}{name}=\"");
            escape(self.out, value, true);
            self.out.push('"');
            between = ',';
        }
        let _ = writeln!(self.out, "{} {value}", if between == ',' { "}" } else { "" });
    }
}

fn escape(out: &mut String, text: &str, quotes: bool) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_format_is_what_the_client_accepts() {
        use Syntax::{OpenMetrics, Text};
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;\
                          q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, expected) in [
            (None, Text),
            (Some("*/*"), Text),
            (Some("text/html"), Text),
            (Some(prometheus), OpenMetrics),
            (Some("application/openmetrics-text"), OpenMetrics),
            (Some("application/openmetrics-text; version=1.0.0; charset=utf-8"), OpenMetrics),
            (Some("application/openmetrics-text;version=2.0.0"), Text),
            (Some("application/openmetrics-text;q=0, text/plain"), Text),
            (Some("text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.1"), Text),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(ACCEPT, HeaderValue::from_static(accept));
            }
            assert_eq!(Syntax::accepted(&headers), expected, "{accept:?}");
        }
    }

    #[test]
    fn labels_and_help_are_escaped() {
        for (syntax, help, end) in
            [(Syntax::Text, "a\"b\\\\c\\nd", ""), (Syntax::OpenMetrics, "a\\\"b\\\\c\\nd", "# EOF\n")]
        {
            let mut all = Exposition::new(syntax);
            all.metric("x", "a\"b\\c\nd", Kind::Gauge, |m| {
                m.sample(&[("file", "a\"b\\c\nd"), ("b", "é")], -1);
                m.sample(&[], 2);
            });
            let expected =
                format!("# HELP x {help}\n# TYPE x gauge\nx{{file=\"a\\\"b\\\\c\\nd\",b=\"é\"}} -1\nx 2\n{end}");
            assert_eq!(all.end(), expected);
        }
    }
}
