//! A running `consentry`, and a client that speaks HTTP/1.1 to it byte by byte.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Longer than anything takes that works.
const DEADLINE: Duration = Duration::from_secs(30);

/// The program, running. Dropping it kills it.
pub(crate) struct Program {
    id: u32,
    lines: Receiver<String>,
    ended: Receiver<ExitStatus>,
}

impl Program {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consentry"));
        command.args(arguments);
        Self::of(command)
    }

    /// As [`Self::start`], by any command that becomes the program.
    pub(crate) fn of(command: Command) -> Self {
        Self::with_stdin(command, Stdio::null())
    }

    /// As [`Self::of`], with this as its file 0.
    pub(crate) fn with_stdin(mut command: Command, stdin: Stdio) -> Self {
        let mut child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (say, lines) = channel();
        listen(child.stdout.take().unwrap(), say.clone());
        listen(child.stderr.take().unwrap(), say);
        let (end, ended) = channel();
        let id = child.id();
        thread::spawn(move || end.send(child.wait().unwrap()));
        Self { id, lines, ended }
    }

    /// The next line, on either output, that holds this text.
    pub(crate) fn line_with(&self, text: &str) -> String {
        let mut before = Vec::new();
        loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => before.push(line),
                Err(_) => panic!("no line with {text:?} after\n{}", before.join("\n")),
            }
        }
    }

    /// Where it says that it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address_of("Listening for TLS")
    }

    /// The address in the next line with this text.
    pub(crate) fn address_of(&self, text: &str) -> SocketAddr {
        let line = self.line_with(text);
        // No colours: nobody looks at a pipe.
        let (_, address) = line.split_once(" address=").unwrap_or_else(|| panic!("{line:?}"));
        address.trim().parse().unwrap_or_else(|_| panic!("{line:?}"))
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.id, name);
    }

    /// Waits for the end; `None` if a signal killed it.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        let status = self.ended.recv_timeout(DEADLINE).expect("it does not end");
        self.id = 0;
        status.code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.id != 0 && self.ended.try_recv().is_err() {
            let _ = Command::new("sh").args(["-c", &format!("kill -KILL {}", self.id)]).status();
        }
    }
}

/// Sends a process a signal.
pub(crate) fn signal(id: u32, name: &str) {
    let kill = format!("kill -{name} {id}");
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
}

fn listen(output: impl Read + Send + 'static, say: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // Nobody listens any more: read on all the same, so that the program never waits for us.
            let _ = say.send(line);
        }
    });
}

/// An answer as it arrives.
pub(crate) struct Answer {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

/// A TLS connection.
pub(crate) async fn connect(
    address: SocketAddr,
    roots: &RootCertStore,
    host: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    connect_with(address, roots, host, &[]).await
}

/// A TLS connection that offers these protocols.
pub(crate) async fn connect_with(
    address: SocketAddr,
    roots: &RootCertStore,
    host: &str,
    protocols: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(host.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Asks for a page over a connection that is closed after it.
pub(crate) async fn fetch(address: SocketAddr, roots: &RootCertStore, host: &str, path: &str) -> Answer {
    let mut stream = connect(address, roots, host).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}:{}\r\nConnection: close\r\n\r\n", address.port());
    stream.write_all(request.as_bytes()).await.unwrap();
    Answer { stream, buffer: Vec::new() }
}

impl Answer {
    /// Reads until this text, and forgets all up to its end.
    pub(crate) async fn read_until(&mut self, text: &str) {
        loop {
            if let Some(at) = self.buffer.windows(text.len()).position(|window| window == text.as_bytes()) {
                self.buffer.drain(..at + text.len());
                return;
            }
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "closed before {text:?}: {}", String::from_utf8_lossy(&self.buffer));
        }
    }

    /// All that comes until the connection is closed, however that is done.
    pub(crate) async fn rest(mut self) -> String {
        let _ = self.stream.read_to_end(&mut self.buffer).await;
        String::from_utf8_lossy(&self.buffer).into_owned()
    }
}
