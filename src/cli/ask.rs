//! Asks the admin listener of a running instance.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};
use tokio_rustls::TlsConnector;
use url::Url;

/// Where the token is, for an instance that wants one: not among the arguments, which everybody on the machine sees.
pub(super) const TOKEN: &str = "CONSENTRY_ADMIN_TOKEN";

/// For the whole exchange.
const PATIENCE: Duration = Duration::from_secs(20);
/// Of an answer.
const LARGEST: usize = 64 << 20;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Gets the JSON of a path, e.g. `api/status`, below the address of an admin listener.
pub(super) fn get(admin: &str, path: &str, query: &[(&str, &str)]) -> Result<serde_json::Value> {
    let mut url = Url::parse(admin).map_err(|error| format!("`{admin}` is no URL: {error}"))?;
    url.path_segments_mut()
        .map_err(|()| format!("`{admin}` is no http:// or https:// URL"))?
        .pop_if_empty()
        .extend(path.split('/'));
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async { timeout(PATIENCE, fetch(&url)).await });
    let (status, body) = answer.map_err(|_| format!("{admin} does not answer"))??;
    if status == StatusCode::UNAUTHORIZED {
        return Err(format!("{admin} wants its token in the environment variable {TOKEN}").into());
    }
    let value: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    match (status, value["error"].as_str()) {
        (StatusCode::OK, _) if value.is_object() => Ok(value),
        (_, Some(error)) => Err(error.to_owned().into()),
        _ => Err(format!("{admin} answers {status}, and not as an admin listener does").into()),
    }
}

async fn fetch(url: &Url) -> Result<(StatusCode, Bytes)> {
    let host = url.host_str().ok_or("no host")?;
    let port = url.port_or_known_default().ok_or("no port")?;
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await;
    let stream = stream.map_err(|error| format!("{host}:{port}: {error}"))?;
    match url.scheme() {
        "http" => exchange(stream, url).await,
        "https" => {
            let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?;
            let stream = connector()?.connect(name, stream).await.map_err(|error| format!("{host}:{port}: {error}"))?;
            exchange(stream, url).await
        }
        other => Err(format!("`{other}:` is not spoken here").into()),
    }
}

/// Trusts whom the system trusts; `SSL_CERT_FILE` names others.
fn connector() -> Result<TlsConnector> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn exchange<S>(stream: S, url: &Url) -> Result<(StatusCode, Bytes)>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut request = Request::get(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header(HOST, &url[url::Position::BeforeHost..url::Position::AfterPort]);
    if let Ok(token) = std::env::var(TOKEN) {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let answer = async {
        let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST).collect().await?;
        Result::Ok((status, body.to_bytes()))
    };
    tokio::select! {
        answer = answer => answer,
        ended = async { connection.await?; std::future::pending::<()>().await; Ok::<(), hyper::Error>(()) } => {
            Err(ended.err().map_or_else(|| io::Error::other("closed").into(), Into::into))
        }
    }
}
