//! An origin that reads HTTP/1.1 by the letter (RFC 9112), with a parser of its own: what is not one strictly valid
//! request is a fault. It answers each with its target, so that whoever gets another's answer sees it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request that was complete and valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

#[derive(Debug, Default)]
struct Log {
    requests: Vec<Request>,
    faults: Vec<String>,
}

/// The origin, and what it saw.
pub struct StrictOrigin {
    pub address: SocketAddr,
    log: Arc<Mutex<Log>>,
    task: JoinHandle<()>,
}

impl Request {
    /// The value of a field that occurs once or not at all.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut all = self.fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let first = all.next();
        assert!(all.next().is_none(), "several `{name}` in {self:?}");
        first.map(|(_, value)| value.as_str())
    }
}

impl StrictOrigin {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::<Mutex<Log>>::default();
        let shared = Arc::clone(&log);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let log = Arc::clone(&shared);
                tokio::spawn(async move {
                    if let Err(fault) = serve(stream, &log).await {
                        log.lock().unwrap().faults.push(fault);
                    }
                });
            }
        });
        Self { address, log, task }
    }

    /// The complete requests whose target begins so.
    pub fn requests(&self, target: &str) -> Vec<Request> {
        self.log().requests.iter().filter(|r| r.target.starts_with(target)).cloned().collect()
    }

    /// What arrived and was no strictly valid request.
    pub fn faults(&self) -> Vec<String> {
        self.log().faults.clone()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }
}

impl Drop for StrictOrigin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, log: &Mutex<Log>) -> Result<(), String> {
    let mut buffer = Vec::new();
    loop {
        match parse(&buffer)? {
            Some((request, used)) => {
                buffer.drain(..used);
                let body = format!("for {}", request.target);
                let head = request.method == "HEAD";
                log.lock().unwrap().requests.push(request);
                let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                if !head {
                    answer.push_str(&body);
                }
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return Ok(());
                }
            }
            // A request that breaks off is none; the connection ends with it.
            None => match stream.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return Ok(()),
                Ok(_) => {}
            },
        }
    }
}

/// One request and its length; `None` while there is more to come.
fn parse(bytes: &[u8]) -> Result<Option<(Request, usize)>, String> {
    let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
        // Nothing that cannot become a head is waited for.
        check_lines(bytes)?;
        return Ok(None);
    };
    let head = &bytes[..end];
    check_lines(head)?;
    let fault = |what: &str| format!("{what} in {:?}", String::from_utf8_lossy(head));
    let text = String::from_utf8_lossy(head).into_owned();
    let mut lines = text.split("\r\n");
    let mut start = lines.next().unwrap_or_default().split(' ');
    let (method, target, version, rest) = (start.next(), start.next(), start.next(), start.next());
    let (Some(method), Some(target), Some("HTTP/1.1"), None) = (method, target, version, rest) else {
        return Err(fault("no request line"));
    };
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(fault("no method"));
    }
    if !(target.starts_with('/') || target == "*") || !target.bytes().all(|b| b > b' ' && b != 0x7f) {
        return Err(fault("no origin-form target"));
    }
    let mut fields = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| fault("a line without a colon"))?;
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(fault("a field name that is no token"));
        }
        if value.bytes().any(|b| (b < b' ' && b != b'\t') || b == 0x7f) {
            return Err(fault("a control byte in a value"));
        }
        fields.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
    }
    let all = |name: &str| {
        fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str()).collect::<Vec<_>>()
    };
    if all("host").len() != 1 || all("host")[0].is_empty() || all("host")[0].contains([' ', ',', '/', '@']) {
        return Err(fault("not one Host"));
    }
    for gone in ["keep-alive", "proxy-connection", "proxy-authorization", "http2-settings"] {
        if !all(gone).is_empty() {
            return Err(fault("a field of the client's connection"));
        }
    }
    let start = end + 4;
    let (body, used) = match (&*all("content-length"), &*all("transfer-encoding")) {
        ([], []) => (Vec::new(), start),
        ([length], []) => {
            if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
                return Err(fault("a Content-Length that is no number"));
            }
            let length: usize = length.parse().map_err(|_| fault("a Content-Length beyond all bounds"))?;
            match bytes.get(start..start + length) {
                Some(body) => (body.to_vec(), start + length),
                None => return Ok(None),
            }
        }
        ([], ["chunked"]) => match chunked(&bytes[start..])? {
            Some((body, used)) => (body, start + used),
            None => return Ok(None),
        },
        _ => return Err(fault("a doubtful length")),
    };
    Ok(Some((Request { method: method.to_owned(), target: target.to_owned(), fields, body }, used)))
}

/// RFC 9112 §7.1, without extensions: nobody has to pass them on.
fn chunked(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, String> {
    let (mut at, mut body) = (0, Vec::new());
    let line = |at: usize| bytes[at..].windows(2).position(|w| w == b"\r\n").map(|n| &bytes[at..at + n]);
    loop {
        let Some(size) = line(at) else {
            return if bytes.len() - at > 18 { Err("a chunk size without an end".to_owned()) } else { Ok(None) };
        };
        if size.is_empty() || size.len() > 16 || !size.iter().all(u8::is_ascii_hexdigit) {
            return Err(format!("a chunk size {:?}", String::from_utf8_lossy(size)));
        }
        let length = usize::from_str_radix(std::str::from_utf8(size).unwrap(), 16).map_err(|e| e.to_string())?;
        at += size.len() + 2;
        if length == 0 {
            break;
        }
        let Some(data) = bytes.get(at..at + length + 2) else { return Ok(None) };
        if !data.ends_with(b"\r\n") {
            return Err("a chunk that does not end where it says".to_owned());
        }
        body.extend_from_slice(&data[..length]);
        at += length + 2;
    }
    loop {
        let Some(trailer) = line(at) else { return Ok(None) };
        at += trailer.len() + 2;
        if trailer.is_empty() {
            return Ok(Some((body, at)));
        }
        let name = trailer.split(|b| *b == b':').next().unwrap_or_default();
        if !trailer.contains(&b':') || name.is_empty() || !name.iter().copied().all(is_token) {
            return Err(format!("a trailer {:?}", String::from_utf8_lossy(trailer)));
        }
    }
}

/// Every line feed follows a carriage return, and the other way round.
fn check_lines(bytes: &[u8]) -> Result<(), String> {
    for (at, byte) in bytes.iter().enumerate() {
        let alone = match byte {
            b'\n' => at == 0 || bytes[at - 1] != b'\r',
            b'\r' => bytes.get(at + 1).is_some_and(|next| *next != b'\n'),
            0 => true,
            _ => false,
        };
        if alone {
            return Err(format!("a line end by halves in {:?}", String::from_utf8_lossy(bytes)));
        }
    }
    Ok(())
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[test]
fn the_parser_is_strict() {
    let good = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    assert!(parse(good.as_bytes()).unwrap().is_some());
    for (from, to) in [
        ("HTTP/1.1\r\n", "HTTP/1.1\n"),
        ("Host: a", "Host : a"),
        ("Host: a", "X: a"),
        ("Host: a", "Host: a\r\nHost: a"),
        ("Host: a", "Host: a\r\nContent-Length: 3"),
        ("Host: a", "Host: a\r\n X: a"),
        ("2\r\n", "2;x\r\n"),
        ("2\r\n", "+2\r\n"),
        ("2\r\n", "1\r\n"),
        ("ok\r\n", "ok\n"),
        ("/a", "http://a/a"),
        ("chunked", "xchunked"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert!(parse(bad.as_bytes()).is_err(), "{bad:?}");
    }
}
