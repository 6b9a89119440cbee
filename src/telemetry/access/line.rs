//! Writes one access line. Whatever strangers send, it stays one line, and JSON stays JSON.

use std::fmt::{Result, Write as _};

use http::HeaderValue;

use super::{Access, Field, Shape, Style};
use crate::cookie::{UnixTime, date};
use crate::filter::trace::Context;

/// Adds a line to `out`.
pub(super) fn write(out: &mut String, style: &Style, access: &Access<'_>, now: UnixTime) -> Result {
    let line = Line { style, access, now };
    match style.shape {
        Shape::Text if style.fields.is_empty() => line.text(out)?,
        Shape::Text => line.pairs(out, &style.fields, "")?,
        Shape::Json => line.json(out)?,
        Shape::Combined => line.combined(out)?,
    }
    out.push('\n');
    Ok(())
}

struct Line<'a> {
    style: &'a Style,
    access: &'a Access<'a>,
    now: UnixTime,
}

/// A value, as it has to be written.
enum Value<'a> {
    Number(u128),
    Bool(bool),
    /// Nothing in it needs care.
    Plain(std::fmt::Arguments<'a>),
    /// Parts of a URL: what is special leaves as `%XX`.
    Url(&'a str),
    /// From a header, whatever that holds.
    Wild(&'a [u8]),
    /// There is none.
    None,
}

impl Line<'_> {
    fn text(&self, out: &mut String) -> Result {
        let a = self.access;
        let status = a.status.map_or(0, |s| s.as_u16());
        write!(out, "{} {} {} {}", self.now.0, a.client, a.method, a.host)?;
        percent(out, a.path)?;
        let (total, origin) = (a.total.as_micros(), a.origin.as_micros());
        write!(out, " {:?} {status} {}B total={total}us origin={origin}us", a.version, a.sent)?;
        if a.aborted { out.write_str(" aborted") } else { Ok(()) }
    }

    fn json(&self, out: &mut String) -> Result {
        let fields = if self.style.fields.is_empty() { &Field::USUAL[..] } else { &self.style.fields };
        for (at, field) in fields.iter().enumerate() {
            write!(out, "{}\"{}\":", if at == 0 { '{' } else { ',' }, field.word())?;
            self.value(*field, |value| match value {
                Value::Number(number) => write!(out, "{number}"),
                Value::Bool(bool) => write!(out, "{bool}"),
                Value::Plain(text) => write!(out, "\"{text}\""),
                Value::Url(text) => {
                    out.push('"');
                    percent(out, text)?;
                    out.write_char('"')
                }
                Value::Wild(bytes) => {
                    out.push('"');
                    json(out, &String::from_utf8_lossy(bytes))?;
                    out.write_char('"')
                }
                Value::None => out.write_str("null"),
            })?;
        }
        out.write_char('}')
    }

    /// `%h - - [%t] "%r" %>s %b "%{Referer}i" "%{User-agent}i"`, and what else is asked for.
    fn combined(&self, out: &mut String) -> Result {
        let a = self.access;
        write!(out, "{} - - [", a.client)?;
        // `Sun, 22 Nov 2026 02:36:34 GMT`: RFC 9110 fixes the columns.
        let date = date::format(self.now);
        let part = |range| date.get(range).unwrap_or_default();
        write!(out, "{}/{}/{}:{} +0000] \"{} ", part(5..7), part(8..11), part(12..16), part(17..25), a.method)?;
        percent(out, a.path)?;
        if let Some(query) = a.query.filter(|_| self.style.fields.contains(&Field::Query)) {
            out.push('?');
            percent(out, query)?;
        }
        // 499 is what nginx writes where the client went first.
        write!(out, " {:?}\" {} {} ", a.version, a.status.map_or(499, |s| s.as_u16()), a.sent)?;
        for value in [a.referer.map(|referer| self.referer(referer)), a.user_agent.map(HeaderValue::as_bytes)] {
            out.push('"');
            match value {
                Some(bytes) => apache(out, bytes)?,
                None => out.push('-'),
            }
            out.push_str("\" ");
        }
        out.pop();
        let more: Vec<_> = self.style.fields.iter().copied().filter(|field| !is_combined(*field)).collect();
        self.pairs(out, &more, if more.is_empty() { "" } else { " " })
    }

    fn pairs(&self, out: &mut String, fields: &[Field], before: &str) -> Result {
        out.push_str(before);
        for (at, field) in fields.iter().enumerate() {
            write!(out, "{}{}=", if at == 0 { "" } else { " " }, field.word())?;
            self.value(*field, |value| match value {
                Value::Number(number) => write!(out, "{number}"),
                Value::Bool(bool) => write!(out, "{bool}"),
                Value::Plain(text) => write!(out, "{text}"),
                Value::Url(text) => percent(out, text),
                Value::Wild(bytes) => {
                    out.push('"');
                    apache(out, bytes)?;
                    out.write_char('"')
                }
                Value::None => out.write_char('-'),
            })?;
        }
        Ok(())
    }

    fn value(&self, field: Field, mut write: impl FnMut(Value<'_>) -> Result) -> Result {
        let a = self.access;
        match field {
            Field::Time => write(Value::Number(u128::try_from(self.now.0).unwrap_or_default())),
            Field::Client => write(Value::Plain(format_args!("{}", a.client))),
            Field::Peer => write(Value::Plain(format_args!("{}", a.peer))),
            // A token (RFC 9110 §5.6.2): neither quotes nor spaces.
            Field::Method => write(Value::Plain(format_args!("{}", a.method))),
            Field::Host => write(Value::Url(a.host)),
            Field::Site => write(Value::Url(a.site)),
            Field::Path => write(Value::Url(a.path)),
            Field::Query => write(a.query.map_or(Value::None, Value::Url)),
            Field::Version => write(Value::Plain(format_args!("{:?}", a.version))),
            Field::Status => write(Value::Number(a.status.map_or(0, |s| s.as_u16()).into())),
            Field::Sent => write(Value::Number(a.sent.into())),
            Field::Total => write(Value::Number(a.total.as_micros())),
            Field::Origin => write(Value::Number(a.origin.as_micros())),
            Field::Added => write(Value::Number(a.added.as_micros())),
            Field::Aborted => write(Value::Bool(a.aborted)),
            // It was checked when it came.
            Field::RequestId => write(a.request_id.map_or(Value::None, Value::Url)),
            Field::TraceId => match a.span.or(a.parent) {
                Some(context) => write(Value::Plain(format_args!("{:032x}", context.trace))),
                None => write(Value::None),
            },
            Field::ParentId => span(a.parent, write),
            Field::SpanId => span(a.span, write),
            Field::Referer => write(a.referer.map_or(Value::None, |referer| Value::Wild(self.referer(referer)))),
            Field::UserAgent => write(a.user_agent.map_or(Value::None, |name| Value::Wild(name.as_bytes()))),
        }
    }

    fn referer<'h>(&self, value: &'h HeaderValue) -> &'h [u8] {
        let bytes = value.as_bytes();
        let end = bytes.iter().position(|byte| matches!(byte, b'?' | b'#'));
        match end {
            Some(end) if !self.style.fields.contains(&Field::Query) => &bytes[..end],
            _ => bytes,
        }
    }
}

fn span(context: Option<Context>, mut write: impl FnMut(Value<'_>) -> Result) -> Result {
    match context {
        Some(context) => write(Value::Plain(format_args!("{:016x}", context.span))),
        None => write(Value::None),
    }
}

/// Whether the combined format tells this already.
fn is_combined(field: Field) -> bool {
    matches!(
        field,
        Field::Time
            | Field::Client
            | Field::Method
            | Field::Path
            | Field::Query
            | Field::Version
            | Field::Status
            | Field::Sent
            | Field::Referer
            | Field::UserAgent
    )
}

/// Quotes, backslashes and bytes that are not printable ASCII leave as `%XX`: no line breaks out of its line.
fn percent(out: &mut String, text: &str) -> Result {
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | 0..=b' ' | 0x7f.. => write!(out, "%{byte:02X}")?,
            _ => out.push(char::from(byte)),
        }
    }
    Ok(())
}

/// As Apache and nginx do it: `\xXX`.
fn apache(out: &mut String, bytes: &[u8]) -> Result {
    for byte in bytes {
        match byte {
            b'"' | b'\\' | 0..0x20 | 0x7f.. => write!(out, "\\x{byte:02X}")?,
            byte => out.push(char::from(*byte)),
        }
    }
    Ok(())
}

/// RFC 8259 §7.
fn json(out: &mut String, text: &str) -> Result {
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(out, "\\{c}")?,
            c if c.is_control() => write!(out, "\\u{:04x}", u32::from(c))?,
            c => out.push(c),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use http::{Method, StatusCode, Version};

    use super::*;

    const PARENT: Context =
        Context { trace: 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c, span: 0xb7ad_6b71_6920_3331, flags: 1 };

    fn line(shape: Shape, fields: &[&str], change: impl FnOnce(&mut Access<'_>)) -> String {
        let (referer, agent) = ("https://e.example/a\"b?token=1#x", "Mozilla/5.0 \"\\\u{e9}\u{7f}\t");
        let (referer, agent) =
            (HeaderValue::from_static(referer), HeaderValue::from_bytes(&agent.as_bytes()[..14]).unwrap());
        let mut access = Access {
            client: IpAddr::from([192, 0, 2, 1]),
            peer: IpAddr::from([10, 0, 0, 1]),
            method: &Method::GET,
            path: "/a\"b\\c\nd\u{e9}",
            query: Some("token=1"),
            host: "shop.example",
            site: "shop.example",
            version: Version::HTTP_2,
            status: Some(StatusCode::OK),
            sent: 5,
            total: Duration::from_micros(70),
            origin: Duration::from_micros(50),
            added: Duration::from_micros(15),
            aborted: false,
            request_id: Some("abc-1"),
            parent: Some(PARENT),
            span: Some(PARENT.child(0xa, true)),
            referer: Some(&referer),
            user_agent: Some(&agent),
        };
        change(&mut access);
        let fields = fields.iter().map(|word| Field::ALL.iter().find(|(known, _)| known == word).unwrap().1).collect();
        let mut out = String::new();
        write(&mut out, &Style { shape, fields, file: None }, &access, UnixTime(1_795_314_994)).unwrap();
        assert_eq!(out.lines().count(), 1, "{out}");
        assert!(out.ends_with('\n'));
        out
    }

    #[test]
    fn json_lines_are_json_whatever_comes() {
        let parsed = |fields: &[&str]| {
            let out = line(Shape::Json, fields, |_| {});
            serde_json::from_str::<serde_json::Value>(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
        };
        let usual = parsed(&[]);
        assert_eq!(usual["path"], "/a%22b%5Cc%0Ad%C3%A9");
        assert_eq!((&usual["status"], &usual["origin_us"]), (&200.into(), &50.into()));
        assert!(usual.get("query").is_none() && usual.get("user_agent").is_none(), "only what is asked for");
        let words: Vec<_> = Field::ALL.iter().map(|(word, _)| *word).collect();
        let all = parsed(&words);
        assert_eq!(all.as_object().unwrap().len(), words.len());
        assert_eq!(all["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!((&all["parent_id"], &all["span_id"]), (&"b7ad6b7169203331".into(), &"000000000000000a".into()));
        assert_eq!(all["user_agent"], "Mozilla/5.0 \"\\");
        assert_eq!(parsed(&["referer"])["referer"], "https://e.example/a\"b", "its query is a query too");
        assert_eq!(parsed(&["referer", "query"])["referer"], "https://e.example/a\"b?token=1#x");
        let none = line(Shape::Json, &["request_id", "parent_id"], |a| (a.request_id, a.parent) = (None, None));
        assert_eq!(none, "{\"request_id\":null,\"parent_id\":null}\n");
    }

    #[test]
    fn text_is_for_people_or_as_chosen() {
        assert_eq!(
            line(Shape::Text, &[], |_| {}),
            "1795314994 192.0.2.1 GET shop.example/a%22b%5Cc%0Ad%C3%A9 HTTP/2.0 200 5B total=70us origin=50us\n"
        );
        assert_eq!(
            line(Shape::Text, &["request_id", "added_us", "peer", "aborted", "user_agent"], |_| {}),
            "request_id=abc-1 added_us=15 peer=10.0.0.1 aborted=false user_agent=\"Mozilla/5.0 \\x22\\x5C\"\n"
        );
    }

    #[test]
    fn combined_is_what_log_analysers_read() {
        let start = "192.0.2.1 - - [22/Nov/2026:02:36:34 +0000] \"GET /a%22b%5Cc%0Ad%C3%A9 HTTP/2.0\" 200 5 ";
        let agent = "\"Mozilla/5.0 \\x22\\x5C\"";
        assert_eq!(line(Shape::Combined, &[], |_| {}), format!("{start}\"https://e.example/a\\x22b\" {agent}\n"),);
        assert_eq!(
            line(Shape::Combined, &["status", "request_id", "total_us"], |a| a.referer = None),
            format!("{start}\"-\" {agent} request_id=abc-1 total_us=70\n"),
        );
        assert!(line(Shape::Combined, &["query"], |a| a.status = None).contains("?token=1 HTTP/2.0\" 499 "));
    }
}
