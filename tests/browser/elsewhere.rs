//! Every host but our own: one TLS server that plays the trackers and another site, and remembers who was asked.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::header::{CONTENT_TYPE, HOST, HeaderValue};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::support::Authority;

/// Another site, with a link to ours at `/?to=URL`.
pub(crate) const NEIGHBOUR: &str = "neighbour.example";
/// Asked by the test itself, after the page.
pub(crate) const SETTLED: &str = "settled.example";

/// The rest of the web.
pub(crate) struct Elsewhere {
    pub(crate) address: SocketAddr,
    log: Arc<Log>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Log {
    /// Host and path of each request that a page of another site made.
    requests: Mutex<Vec<(String, String)>>,
    /// Names that browsers wanted to connect to, whether or not a request followed.
    greeted: Mutex<BTreeSet<String>>,
}

impl Elsewhere {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls()));
        let log = Arc::new(Log::default());
        let task = tokio::spawn({
            let log = Arc::clone(&log);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(connection(stream, acceptor.clone(), Arc::clone(&log)));
                }
            }
        });
        Self { address, log, task }
    }

    /// The hosts that pages sent requests to since the last [`Elsewhere::forget`].
    pub(crate) fn requested(&self) -> BTreeSet<String> {
        self.requests().into_iter().map(|(host, _)| host).collect()
    }

    /// Host and path of each such request.
    pub(crate) fn requests(&self) -> Vec<(String, String)> {
        self.log.requests.lock().unwrap().clone()
    }

    /// Those of these hosts that were connected to, with a request or without (preconnect).
    pub(crate) fn greeted<'a>(&self, hosts: &[&'a str]) -> Vec<&'a str> {
        let greeted = self.log.greeted.lock().unwrap();
        hosts.iter().copied().filter(|host| greeted.contains(*host)).collect()
    }

    /// Starts counting anew.
    pub(crate) fn forget(&self) {
        self.log.requests.lock().unwrap().clear();
        self.log.greeted.lock().unwrap().clear();
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A certificate that nobody trusts; the browser is told not to mind.
fn tls() -> ServerConfig {
    let folder = tempfile::tempdir().unwrap();
    let chain = Authority::new().issue(folder.path(), "elsewhere", &["elsewhere.example"]);
    let key = PrivateKeyDer::from_pem_file(chain.with_extension("key")).unwrap();
    let chain = CertificateDer::pem_file_iter(chain).unwrap().map(Result::unwrap).collect();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    config.with_no_client_auth().with_single_cert(chain, key).unwrap()
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, log: Arc<Log>) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let name = stream.get_ref().1.server_name().unwrap_or("no name").to_owned();
    log.greeted.lock().unwrap().insert(name);
    let service = service_fn(move |request: Request<Incoming>| {
        let response = answer(&request, &log);
        async move { Ok::<_, Infallible>(response) }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// A page at the neighbour's; empty scripts and pages everywhere else.
fn answer(request: &Request<Incoming>, log: &Log) -> Response<Full<Bytes>> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let wanted = request.headers().get("sec-fetch-dest").map(HeaderValue::as_bytes);
    let (kind, body) = match (&*host, wanted) {
        (NEIGHBOUR, _) => {
            let to = request.uri().query().and_then(|query| query.strip_prefix("to=")).unwrap_or_default();
            let link = format!("<!DOCTYPE html><title>Next door</title><a id=\"link\" href=\"{to}\">Their shop</a>");
            ("text/html", link)
        }
        (_, Some(b"document" | b"iframe")) => ("text/html", "<!DOCTYPE html><title>Empty</title>".to_owned()),
        (_, Some(b"image")) => ("image/svg+xml", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_owned()),
        _ => ("text/javascript", String::new()),
    };
    // Chromium asks for its own start page and updates too, but never as a page of another site.
    let by_page = request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    if by_page && ![NEIGHBOUR, SETTLED].contains(&&*host) {
        log.requests.lock().unwrap().push((host, request.uri().path().to_owned()));
    }
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // So that each page asks anew, and is counted anew.
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    response
}
