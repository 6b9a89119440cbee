//! Origins that do as they are told: one that answers by a function, one that plays bytes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// A request as the origin saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: Method,
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().unwrap())
    }
}

/// What an origin answers with.
pub type Answer = Response<BoxBody<Bytes, std::io::Error>>;

/// An HTTP/1.1 origin that remembers what it was asked.
pub struct Origin {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<Mutex<usize>>,
    task: JoinHandle<()>,
}

impl Origin {
    /// Answers each request, read to its end, by a function.
    pub async fn start<F>(answer: F) -> Self
    where
        F: Fn(&Seen) -> Answer + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(0));
        let (log, count) = (Arc::clone(&seen), Arc::clone(&connections));
        let answer = Arc::new(answer);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                    async move {
                        let (head, body) = request.into_parts();
                        let Ok(body) = body.collect().await else {
                            return Ok::<_, Infallible>(respond(400, &[], "cut off"));
                        };
                        let target = head.uri.to_string();
                        let seen = Seen { method: head.method, target, headers: head.headers, body: body.to_bytes() };
                        log.lock().unwrap().push(seen.clone());
                        Ok(answer(&seen))
                    }
                });
                tokio::spawn(async move {
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, seen, connections, task }
    }

    /// Always gives the same answer.
    pub async fn fixed(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers: Vec<(String, String)> = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let body = body.to_owned();
        Self::start(move |_| {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (&**n, &**v)).collect();
            respond(status, &headers, body.clone())
        })
        .await
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The last request.
    pub fn last(&self) -> Seen {
        self.seen().pop().expect("the origin saw no request")
    }

    /// How many connections were opened to it.
    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A response with a body of known length.
pub fn respond(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    response.body(Full::new(body.into()).map_err(|never| match never {}).boxed()).unwrap()
}

/// What a [`RawOrigin`] does on each connection, in turn.
#[derive(Debug, Clone)]
pub enum Step {
    /// Reads until the end of a request head.
    ReadHead,
    /// Reads this many bytes of a body.
    Read(usize),
    /// Writes these bytes.
    Write(Vec<u8>),
    /// Writes these bytes again and again, until the proxy closes.
    Flood(Vec<u8>),
    /// Waits until the test says [`RawOrigin::go`].
    Wait,
    /// Closes with a FIN.
    Close,
    /// Closes with a RST.
    Reset,
    /// Reads on, and says nothing, until the proxy closes.
    Stall,
}

/// An origin that plays bytes.
pub struct RawOrigin {
    pub address: SocketAddr,
    received: watch::Sender<Vec<u8>>,
    go: mpsc::UnboundedSender<()>,
    closed: mpsc::UnboundedReceiver<()>,
    task: JoinHandle<()>,
}

impl RawOrigin {
    /// Plays the steps on each connection anew.
    pub async fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = watch::Sender::new(Vec::new());
        let (go, gone) = mpsc::unbounded_channel();
        let (ended, closed) = mpsc::unbounded_channel();
        let log = received.clone();
        let gone = Arc::new(tokio::sync::Mutex::new(gone));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let play = play(stream, steps.clone(), log.clone(), Arc::clone(&gone));
                let ended = ended.clone();
                tokio::spawn(async move {
                    let _ = play.await;
                    let _ = ended.send(());
                });
            }
        });
        Self { address, received, go, closed, task }
    }

    /// Lets one `Wait` pass.
    pub fn go(&self) {
        self.go.send(()).unwrap();
    }

    /// All bytes that arrived so far, over all connections.
    pub fn received(&self) -> Vec<u8> {
        self.received.borrow().clone()
    }

    /// Ends of heads among all that arrived, on any connection.
    pub fn heads(&self) -> usize {
        self.received.borrow().windows(4).filter(|four| *four == b"\r\n\r\n").count()
    }

    /// Waits until something has arrived.
    pub async fn asked(&self) {
        self.received.subscribe().wait_for(|bytes| !bytes.is_empty()).await.unwrap();
    }

    /// Waits until a connection has played all its steps.
    pub async fn closed(&mut self) {
        self.closed.recv().await.unwrap();
    }
}

impl Drop for RawOrigin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn play(
    mut stream: TcpStream,
    steps: Vec<Step>,
    received: watch::Sender<Vec<u8>>,
    gone: Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<()>>>,
) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    for step in steps {
        match step {
            Step::ReadHead => {
                while !buffer.windows(4).any(|w| w == b"\r\n\r\n") {
                    read(&mut stream, &mut buffer, &received).await?;
                }
                let end = buffer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
                buffer.drain(..end);
            }
            Step::Read(bytes) => {
                while buffer.len() < bytes {
                    read(&mut stream, &mut buffer, &received).await?;
                }
                buffer.drain(..bytes);
            }
            Step::Write(bytes) => stream.write_all(&bytes).await?,
            Step::Flood(bytes) => loop {
                stream.write_all(&bytes).await?;
            },
            Step::Wait => {
                gone.lock().await.recv().await;
            }
            Step::Close => {
                stream.shutdown().await?;
                return Ok(());
            }
            Step::Reset => {
                socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO))?;
                return Ok(());
            }
            Step::Stall => loop {
                read(&mut stream, &mut buffer, &received).await?;
                buffer.clear();
            },
        }
    }
    Ok(())
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>, received: &watch::Sender<Vec<u8>>) -> std::io::Result<()> {
    let before = buffer.len();
    if stream.read_buf(buffer).await? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    received.send_modify(|bytes| bytes.extend_from_slice(&buffer[before..]));
    Ok(())
}
