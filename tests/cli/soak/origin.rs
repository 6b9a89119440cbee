//! A site's own server that goes away and comes back on the same port: HTTP/1.1 by hand, as far as our own proxy asks.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::pages::{Answers, DOWNLOAD, SLOW, SLOW_PAUSE};

/// A server that runs until it is dropped.
pub(super) struct Origin {
    pub(super) address: SocketAddr,
    answers: Arc<Answers>,
    /// The listener with all its connections.
    task: JoinSet<()>,
    /// Whether a connection that ends now ends by a RST.
    reset: Arc<AtomicBool>,
}

impl Origin {
    pub(super) fn start(answers: &Arc<Answers>) -> Self {
        let (listener, reset) = (listen(([127, 0, 0, 1], 0).into()), Arc::default());
        let address = listener.local_addr().unwrap();
        let mut origin = Self { address, answers: Arc::clone(answers), task: JoinSet::new(), reset };
        origin.accept(listener);
        origin
    }

    /// Ends as a process does that is killed, and comes back after a while.
    pub(super) async fn restart(&mut self, reset: bool, away: Duration) {
        self.reset.store(reset, Ordering::Relaxed);
        self.task.shutdown().await;
        sleep(away).await;
        self.reset.store(false, Ordering::Relaxed);
        self.accept(listen(self.address));
    }

    fn accept(&mut self, listener: TcpListener) {
        let (answers, reset) = (Arc::clone(&self.answers), Arc::clone(&self.reset));
        self.task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((stream, _)) = listener.accept() => {
                        let mut connection = Connection { stream, buffer: Vec::new(), reset: Arc::clone(&reset) };
                        let answers = Arc::clone(&answers);
                        connections.spawn(async move { connection.serve(&answers).await });
                    }
                    // An error is the proxy's end of it, which clients tell of.
                    Some(_) = connections.join_next() => {}
                }
            }
        });
    }
}

fn listen(address: SocketAddr) -> TcpListener {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    // Connections of before are in TIME_WAIT.
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket.listen(128).unwrap()
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    reset: Arc<AtomicBool>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl Connection {
    async fn serve(&mut self, answers: &Answers) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        while let Some(head) = self.head().await? {
            let mut words = head.split(' ');
            let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            match (method, path) {
                ("get", "/socket") => return self.echo().await,
                ("get", "/slow") => self.slow().await?,
                ("get", "/download") => self.download().await?,
                ("post", "/upload") => self.upload(&head).await?,
                _ => self.stream.write_all(answers.to(path, &head)).await?,
            }
        }
        Ok(())
    }

    /// The next request's head, in lower case; `None` once nobody asks any more.
    async fn head(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = self.buffer.split_off(end + 4);
                let head = std::mem::replace(&mut self.buffer, rest);
                return Ok(Some(String::from_utf8_lossy(&head).to_ascii_lowercase()));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn download(&mut self) -> io::Result<()> {
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {DOWNLOAD}\r\n\r\n");
        self.stream.write_all(head.as_bytes()).await?;
        let piece = [b'x'; 64 << 10];
        for _ in 0..DOWNLOAD / piece.len() {
            self.stream.write_all(&piece).await?;
        }
        Ok(())
    }

    /// Counts what comes.
    async fn upload(&mut self, head: &str) -> io::Result<()> {
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or_default();
        let (mut left, mut piece) = (length.saturating_sub(self.buffer.len()), vec![0; 64 << 10]);
        self.buffer.clear();
        while left > 0 {
            match self.stream.read(&mut piece).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => left -= read,
            }
        }
        let body = format!("{length} bytes");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", body.len());
        self.stream.write_all((head + &body).as_bytes()).await
    }

    /// A page that comes piece by piece.
    async fn slow(&mut self) -> io::Result<()> {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";
        self.stream.write_all(head.as_bytes()).await?;
        for piece in SLOW {
            self.stream.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).await?;
            sleep(SLOW_PAUSE).await;
        }
        self.stream.write_all(b"0\r\n\r\n").await
    }

    /// A WebSocket as far as a proxy sees it: bytes go both ways.
    async fn echo(&mut self) -> io::Result<()> {
        let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        self.stream.write_all(head.as_bytes()).await?;
        let mut piece = [0; 4096];
        loop {
            let read = self.stream.read(&mut piece).await?;
            if read == 0 {
                return Ok(());
            }
            self.stream.write_all(&piece[..read]).await?;
        }
    }
}
