//! The site's own server: answers that lie ready, a thread for each connection. It must cost less than any proxy, for
//! it runs beside the load.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::workload::Answers;

/// Runs until the process ends.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    delay: Arc<AtomicU64>,
}

impl Origin {
    pub(crate) fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let delay = Arc::new(AtomicU64::new(0));
        let (answers, wait) = (Arc::new(Answers::new()), Arc::clone(&delay));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, wait) = (Arc::clone(&answers), Arc::clone(&wait));
                // Its errors are the proxy's to report.
                thread::spawn(move || serve(stream, &answers, &wait));
            }
        });
        Ok(Self { address, delay })
    }

    /// From now on it thinks for so long before each answer.
    pub(crate) fn think(&self, time: Duration) {
        self.delay.store(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

fn serve(mut stream: TcpStream, answers: &Answers, delay: &AtomicU64) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut buffer, mut filled) = (vec![0; 16 << 10], 0);
    let mut out = Vec::with_capacity(4096);
    loop {
        let Some(end) = buffer[..filled].windows(4).position(|w| w == b"\r\n\r\n") else {
            match stream.read(&mut buffer[filled..])? {
                0 => return Ok(()),
                n => filled += n,
            }
            continue;
        };
        let answer = answers.to(&buffer[..end]);
        let time = delay.load(Ordering::Relaxed);
        if time > 0 {
            thread::sleep(Duration::from_micros(time));
        }
        out.clear();
        out.extend_from_slice(&answer.head);
        if answer.times == 1 {
            out.extend_from_slice(&answer.body);
        }
        stream.write_all(&out)?;
        if answer.times > 1 {
            (0..answer.times).try_for_each(|_| stream.write_all(&answer.body))?;
        }
        buffer.copy_within(end + 4..filled, 0);
        filled -= end + 4;
    }
}
