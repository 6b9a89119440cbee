//! What a collector reads: `ExportTraceServiceRequest` of OTLP 1, as far as we fill it in, and attributes by the names of
//! OpenTelemetry's semantic conventions for HTTP.

use http::uri::Authority;
use http::{Method, StatusCode, Version};
use prost::Message;

use crate::filter::trace::Context;
use crate::telemetry::spans::Address;
use crate::telemetry::spans::{Asked, Recorded};

/// `ExportTraceServiceRequest`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Request {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

/// `ExportTraceServiceResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Response {
    #[prost(message, optional, tag = "1")]
    pub(super) partial_success: Option<PartialSuccess>,
}

/// `ExportTracePartialSuccess`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct PartialSuccess {
    #[prost(int64, tag = "1")]
    pub(super) rejected_spans: i64,
    #[prost(string, tag = "2")]
    pub(super) error_message: String,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeSpans {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
struct Scope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(fixed64, tag = "7")]
    start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
    #[prost(message, optional, tag = "15")]
    status: Option<Status>,
    #[prost(fixed32, tag = "16")]
    flags: u32,
}

const SERVER: i32 = 2;
const CLIENT: i32 = 3;

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "3")]
    code: i32,
}

const ERROR: Status = Status { code: 2 };

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(oneof = "Value", tags = "1, 3, 4")]
    value: Option<Value>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Value {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(int64, tag = "3")]
    Integer(i64),
    #[prost(double, tag = "4")]
    Double(f64),
}

impl Request {
    /// All spans of these requests.
    pub(super) fn of(batch: &[Recorded]) -> Self {
        let resource = vec![
            text("service.name", "consentry"),
            text("service.version", env!("CARGO_PKG_VERSION")),
            integer("process.pid", std::process::id().into()),
        ];
        let scope = Scope { name: env!("CARGO_PKG_NAME").into(), version: env!("CARGO_PKG_VERSION").into() };
        let clients = batch.iter().filter_map(|recorded| Some(client(recorded, recorded.span.asked()?)));
        let spans = batch.iter().map(server).chain(clients).collect();
        Self {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource { attributes: resource }),
                scope_spans: vec![ScopeSpans { scope: Some(scope), spans }],
            }],
        }
    }
}

/// The request as a whole, from its head to the last byte of the response.
fn server(of: &Recorded) -> Span {
    let mut attributes = common(of);
    attributes.push(text("url.scheme", "https"));
    // Without one the request did not come far.
    if let Ok(host) = of.host.parse::<Authority>() {
        attributes.push(text("server.address", host.host()));
        attributes.extend(host.port_u16().map(|port| integer("server.port", port.into())));
    }
    if let Some(version) = version(of.version) {
        attributes.push(text("network.protocol.version", version));
    }
    if !of.site.is_empty() {
        attributes.push(text("consentry.site", &of.site));
    }
    attributes.push(number("consentry.added", of.added.as_secs_f64()));
    let failed = match of.status {
        Some(status) if status.is_server_error() => Some(status.as_str().to_owned()),
        Some(_) if of.aborted => Some("aborted".to_owned()),
        Some(_) => None,
        None => Some("cancelled".to_owned()),
    };
    let parent = of.span.parent();
    let (from, to) = (of.began, of.began.saturating_add(of.total.as_nanos() as u64));
    span(of, of.span.own(), parent, SERVER, (from, to), finish(attributes, of.status, failed))
}

/// The site's part, to the head of its answer.
fn client(of: &Recorded, (context, asked): (Context, &Asked)) -> Span {
    let mut attributes = common(of);
    match &asked.peer {
        Some(Address::Tcp(peer)) => {
            attributes.push(text("network.peer.address", &peer.ip().to_string()));
            attributes.push(integer("network.peer.port", peer.port().into()));
        }
        Some(Address::Unix(path)) => {
            attributes.push(text("network.peer.address", &path.to_string_lossy()));
            attributes.push(text("network.transport", "unix"));
        }
        None => {}
    }
    let failed = match asked.status {
        Some(status) if status.is_client_error() || status.is_server_error() => Some(status.as_str().to_owned()),
        Some(_) => None,
        None => Some("no answer".to_owned()),
    };
    let from = of.began.saturating_add(asked.after.as_nanos() as u64);
    let to = from.saturating_add(asked.took.as_nanos() as u64);
    span(of, context, Some(of.span.own()), CLIENT, (from, to), finish(attributes, asked.status, failed))
}

fn span(
    of: &Recorded,
    context: Context,
    parent: Option<Context>,
    kind: i32,
    (start_time_unix_nano, end_time_unix_nano): (u64, u64),
    (attributes, status): (Vec<KeyValue>, Option<Status>),
) -> Span {
    Span {
        trace_id: context.trace.to_be_bytes().into(),
        span_id: context.span.to_be_bytes().into(),
        parent_span_id: parent.map_or_else(Vec::new, |parent| parent.span.to_be_bytes().into()),
        // A name with the path would be another one for each page.
        name: if method(of) == OTHER { "HTTP" } else { method(of) }.to_owned(),
        kind,
        start_time_unix_nano,
        end_time_unix_nano,
        attributes,
        status,
        flags: context.flags.into(),
    }
}

fn common(of: &Recorded) -> Vec<KeyValue> {
    vec![text("http.request.method", method(of)), text("url.path", &of.path)]
}

/// For methods that nobody knows.
const OTHER: &str = "_OTHER";

/// The method: one of few, whatever strangers send.
fn method(of: &Recorded) -> &str {
    const KNOWN: [Method; 9] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::CONNECT,
        Method::TRACE,
    ];
    if KNOWN.contains(&of.method) { of.method.as_str() } else { OTHER }
}

/// What came of it.
fn finish(
    mut attributes: Vec<KeyValue>,
    status: Option<StatusCode>,
    failed: Option<String>,
) -> (Vec<KeyValue>, Option<Status>) {
    if let Some(status) = status {
        attributes.push(integer("http.response.status_code", status.as_u16().into()));
    }
    let error = failed.map(|why| {
        attributes.push(text("error.type", &why));
        ERROR
    });
    (attributes, error)
}

fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        _ => None,
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    of(key, Value::Text(value.to_owned()))
}

fn integer(key: &str, value: i64) -> KeyValue {
    of(key, Value::Integer(value))
}

fn number(key: &str, value: f64) -> KeyValue {
    of(key, Value::Double(value))
}

fn of(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }) }
}
