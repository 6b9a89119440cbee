//! `log:`, what is written down: the program's own log, and a line for each request.

use std::path::PathBuf;

use tracing::level_filters::LevelFilter;

use super::reading::Item;
use super::section::Section;
use super::tree::Value;
use crate::telemetry::{Field, Format, Shape, Style};

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// For people or for machines.
    pub format: Format,
    /// The least that is logged.
    pub level: LevelFilter,
    /// A line for each request; `None` for none.
    pub access: Option<Style>,
    /// Whether each request has an id, which the origin is told (`X-Request-Id`).
    pub request_id: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: Format::Text, level: LevelFilter::INFO, access: Some(Style::default()), request_id: false }
    }
}

const SHAPES: [(&str, Shape); 3] = [("text", Shape::Text), ("json", Shape::Json), ("combined", Shape::Combined)];

const LEVELS: [(&str, LevelFilter); 6] = [
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

pub(super) fn read(s: &Section<'_>) -> Log {
    let format = s.or("format", Format::Text, |item| item.word(&[("text", Format::Text), ("json", Format::Json)]));
    let shape = s.or("access", Some(Shape::from(format)), |item| match &item.node.value {
        // What people write for true and false is told as such.
        Value::Bool(_) => item.bool().map(|on| on.then(|| Shape::from(format))),
        Value::Text(text) if matches!(&*text.to_ascii_lowercase(), "yes" | "no" | "on" | "off") => {
            item.bool().map(|_| None)
        }
        _ => item.word(&SHAPES).map(Some),
    });
    let fields: Vec<Field> = s.or("fields", Vec::new(), fields);
    let file: Option<PathBuf> = s.read("access_file", Item::path);
    let asked = s.or("request_id", false, Item::bool);
    let request_id = asked || (shape.is_some() && fields.contains(&Field::RequestId));
    let level = s.or("level", LevelFilter::INFO, |item| item.word(&LEVELS));
    Log { format, level, access: shape.map(|shape| Style { shape, fields, file }), request_id }
}

fn fields(item: &Item<'_>) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    for item in item.one_or_many() {
        let Some(field) = item.word(&Field::ALL) else { continue };
        if fields.contains(&field) {
            item.fail::<()>(format!("`{}` is given twice", field.word()));
        }
        fields.push(field);
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{CertificateFiles, parse};

    fn log(text: &str) -> Result<Log, String> {
        let text = format!(
            "listen: 0.0.0.0:443\nsites: [{{ host: a.example, origin: 'http://b', policy: standard }}]\nlog: {text}"
        );
        match parse(&text, "test.yaml", Path::new("/etc"), 0, CertificateFiles::Skip) {
            Ok((config, _)) => Ok(config.log),
            Err(problems) => Err(problems.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn access_lines_are_shaped_as_asked() {
        let style = |shape: Shape| Style { shape, ..Style::default() };
        for (text, expected) in [
            ("{}", Some(style(Shape::Text))),
            ("{ access: false }", None),
            ("{ format: json }", Some(style(Shape::Json))),
            ("{ format: json, access: true }", Some(style(Shape::Json))),
            ("{ format: json, access: text }", Some(style(Shape::Text))),
            ("{ access: combined }", Some(style(Shape::Combined))),
            (
                "{ access: json, fields: [status, path], access_file: access.log }",
                Some(Style {
                    shape: Shape::Json,
                    fields: vec![Field::Status, Field::Path],
                    file: Some("/etc/access.log".into()),
                }),
            ),
        ] {
            assert_eq!(log(text).unwrap().access, expected, "{text}");
        }
        for (text, expected) in [
            ("{ request_id: true }", true),
            ("{ fields: request_id }", true),
            ("{ fields: request_id, access: false }", false),
            ("{}", false),
        ] {
            assert_eq!(log(text).unwrap().request_id, expected, "{text}");
        }
        for (wrong, told) in [
            ("{ access: xml }", "expected text | json | combined"),
            ("{ fields: [cookies] }", "expected time | client"),
            ("{ fields: [path, path] }", "`path` is given twice"),
        ] {
            assert!(log(wrong).unwrap_err().contains(told), "{wrong}: {:?}", log(wrong));
        }
    }
}
