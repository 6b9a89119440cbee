//! A thread that writes log lines, so that a slow disk, terminal or journal holds no request. What finds its queue full
//! is dropped and counted.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Stdout,
    Stderr,
    /// Appended to; made if it is not there.
    File(PathBuf),
}

/// The thread. Dropping it writes what waits, once every [`Pipe`] is gone.
#[derive(Debug)]
pub(super) struct Sink {
    pipe: Option<Pipe>,
    thread: Option<JoinHandle<()>>,
}

/// The way to the thread.
#[derive(Debug, Clone)]
pub(super) struct Pipe {
    queue: SyncSender<Order>,
    reopen: Arc<AtomicBool>,
    dropped: Dropped,
}

/// How many lines were lost.
#[derive(Debug, Clone, Default)]
pub struct Dropped(Arc<AtomicU64>);

#[derive(Debug)]
enum Order {
    Write(String),
    /// Says when all before it is written.
    Flush(SyncSender<()>),
}

impl Dropped {
    /// Since the start.
    pub fn count(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// So many more.
    pub fn add(&self, lines: u64) {
        self.0.fetch_add(lines, Relaxed);
    }
}

fn count(lines: &str) -> u64 {
    lines.lines().count() as u64
}

impl Sink {
    /// Starts a thread with room for so many pieces of text.
    ///
    /// # Errors
    /// If a file cannot be opened, or there can be no thread.
    pub(super) fn start(name: &str, target: Target, room: usize) -> io::Result<Self> {
        let (queue, orders) = sync_channel(room);
        let (reopen, dropped) = (Arc::<AtomicBool>::default(), Dropped::default());
        let mut out = Out { file: target.open()?, target, reopen: Arc::clone(&reopen), dropped: dropped.clone() };
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || out.work(&orders))?;
        Ok(Self { pipe: Some(Pipe { queue, reopen, dropped }), thread: Some(thread) })
    }

    pub(super) fn pipe(&self) -> Pipe {
        self.pipe.clone().expect("it is there until it is dropped")
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.pipe = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Pipe {
    /// Hands over whole lines; gives whether there was room for them.
    pub(super) fn send(&self, lines: String) -> bool {
        match self.queue.try_send(Order::Write(lines)) {
            Ok(()) => true,
            Err(TrySendError::Full(Order::Write(lines)) | TrySendError::Disconnected(Order::Write(lines))) => {
                self.dropped.add(count(&lines));
                false
            }
            Err(_) => false,
        }
    }

    /// Waits until all that was sent before is written, but not for long.
    pub(super) fn flush(&self, patience: Duration) {
        let (done, written) = sync_channel(1);
        // With a full queue there is somebody who does not read, for whom nobody waits either.
        if self.queue.try_send(Order::Flush(done)).is_ok() {
            let _ = written.recv_timeout(patience);
        }
    }

    /// Opens the file anew before the next line: somebody has moved it away.
    pub(super) fn reopen(&self) {
        self.reopen.store(true, Relaxed);
        // Else an idle proxy would hold the old one.
        let _ = self.queue.try_send(Order::Write(String::new()));
    }

    pub(super) fn dropped(&self) -> Dropped {
        self.dropped.clone()
    }
}

impl Target {
    fn open(&self) -> io::Result<Option<File>> {
        let Self::File(path) = self else { return Ok(None) };
        // Addresses and pages of visitors: not for everybody on this machine.
        let file = OpenOptions::new().append(true).create(true).mode(0o640).open(path);
        file.map(Some)
            .map_err(|error| io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display())))
    }
}

/// The thread's end.
struct Out {
    target: Target,
    file: Option<File>,
    reopen: Arc<AtomicBool>,
    dropped: Dropped,
}

impl Out {
    fn work(&mut self, orders: &Receiver<Order>) {
        for order in orders {
            if self.reopen.swap(false, Relaxed) {
                match self.target.open() {
                    Ok(file) => self.file = file,
                    Err(error) => tracing::error!(%error, "The access log goes on in the old file."),
                }
            }
            match order {
                Order::Write(lines) => {
                    if self.write(lines.as_bytes()).is_err() {
                        // Nobody reads, or the disk is full: the next lines are tried all the same.
                        self.dropped.add(count(&lines));
                    }
                }
                Order::Flush(done) => drop(done.try_send(())),
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        fn all(mut out: impl Write, bytes: &[u8]) -> io::Result<()> {
            out.write_all(bytes)?;
            out.flush()
        }
        match (&self.target, &mut self.file) {
            (_, Some(file)) => all(file, bytes),
            (Target::Stderr, _) => all(io::stderr(), bytes),
            _ => all(io::stdout(), bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_appended_to_and_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("access.log"), folder.path().join("access.log.1"));
        fs::write(&path, "before\n").unwrap();
        let sink = Sink::start("log", Target::File(path.clone()), 8).unwrap();
        let pipe = sink.pipe();
        let write = |line: &str| {
            assert!(pipe.send(format!("{line}\n")));
            pipe.flush(Duration::from_secs(20));
        };
        write("one");
        fs::rename(&path, &moved).unwrap();
        write("two");
        pipe.reopen();
        write("three");
        assert_eq!(fs::read_to_string(&moved).unwrap(), "before\none\ntwo\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        pipe.reopen();
        write("four");
        assert_eq!(pipe.dropped().count(), 0, "a file that cannot be opened costs no line");
    }

    #[test]
    fn lines_without_room_are_counted_and_nobody_waits() {
        // Nobody reads this pipe: its thread hangs in the first large write.
        let (reader, writer) = io::pipe().unwrap();
        let path = PathBuf::from(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&writer)));
        let sink = Sink::start("log", Target::File(path), 2).unwrap();
        let pipe = sink.pipe();
        let large = "x\n".repeat(100_000);
        let sent = (0..10).filter(|_| pipe.send(large.clone())).count();
        assert!((2..=3).contains(&sent), "{sent}");
        assert_eq!(pipe.dropped().count(), (10 - sent as u64) * 100_000);
        drop((reader, pipe));
        drop(sink);
    }
}
