//! Receipts that the store could not take, in a file of their own until it can: bounded, synced, in order.
//!
//! A frame is `CSP1`, the length (4 bytes, little-endian), eight bytes of the SHA-256 of the text, the text. What a crash
//! tore is skipped and hides nothing behind it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::receipt::{Entry, content};

const MARK: &[u8; 4] = b"CSP1";
const HEAD: usize = 16;

/// Why the spool did not take something.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// It holds as much as it may.
    #[error("the spool is full ({0} bytes)")]
    Full(u64),
    /// Another process writes to it.
    #[error("the spool is in use by another process")]
    InUse,
    /// What the system says.
    #[error("the spool cannot be written: {0}")]
    Io(#[from] io::Error),
}

/// The file, held by one process at a time.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    limit: u64,
    /// Opened and locked when it is first needed.
    file: Option<File>,
    /// Where the next frame begins.
    end: u64,
    /// The file may be longer than `end`.
    ragged: bool,
}

impl Spool {
    /// At a path; the file need not exist. `limit` is in bytes.
    pub fn at(path: &Path, limit: u64) -> Self {
        Self { path: path.to_owned(), limit, file: None, end: 0, ragged: false }
    }

    /// Whether nothing waits in it.
    ///
    /// # Errors
    /// If it cannot be looked at.
    pub fn is_empty(&mut self) -> Result<bool, SpoolError> {
        // Nothing is made before it is needed.
        if self.file.is_none() && !self.path.exists() {
            return Ok(true);
        }
        self.open()?;
        Ok(self.end == 0)
    }

    /// Adds entries; they are on disk when this returns.
    ///
    /// # Errors
    /// If it is full, in use elsewhere, or the disk is full. Then none of them will be delivered.
    pub fn append(&mut self, entries: &[Entry]) -> Result<(), SpoolError> {
        let frames: Vec<u8> = entries.iter().flat_map(frame).collect();
        self.open()?;
        let end = self.end + frames.len() as u64;
        if end > self.limit {
            return Err(SpoolError::Full(self.limit));
        }
        self.trim()?;
        let file = self.file.as_ref().expect("opened above");
        let written = file.write_all_at(&frames, self.end).and_then(|()| file.sync_data());
        match written {
            Ok(()) => self.end = end,
            Err(_) => {
                // What nobody was told of must not come back with a later write.
                self.ragged = true;
                let _ = self.trim();
            }
        }
        Ok(written?)
    }

    /// What waits, in order, and how many torn pieces were skipped.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&mut self) -> Result<(Vec<Entry>, usize), SpoolError> {
        if self.is_empty()? {
            return Ok((Vec::new(), 0));
        }
        let mut bytes = vec![0; usize::try_from(self.end).unwrap_or(usize::MAX)];
        self.file.as_ref().expect("it is not empty").read_exact_at(&mut bytes, 0)?;
        Ok(entries(&bytes))
    }

    /// Forgets everything: it was delivered.
    ///
    /// # Errors
    /// If the file cannot be cut; then all of it is delivered again, which does no harm.
    pub fn clear(&mut self) -> Result<(), SpoolError> {
        if let Some(file) = &self.file {
            file.set_len(0)?;
            file.sync_data()?;
            self.end = 0;
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), SpoolError> {
        if self.file.is_some() {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&self.path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SpoolError::InUse),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // The name must be on disk too.
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        self.end = file.metadata()?.len();
        self.file = Some(file);
        Ok(())
    }

    /// Cuts what a failed write left.
    fn trim(&mut self) -> io::Result<()> {
        if self.ragged {
            self.file.as_ref().expect("only an open file is ragged").set_len(self.end)?;
            self.ragged = false;
        }
        Ok(())
    }
}

fn frame(entry: &Entry) -> Vec<u8> {
    let text = entry.canonical();
    let length = u32::try_from(text.len()).expect("a receipt is shorter than 4 GiB");
    [MARK, &length.to_le_bytes()[..], &content(&text).0[..8], text.as_bytes()].concat()
}

fn entries(mut bytes: &[u8]) -> (Vec<Entry>, usize) {
    let (mut found, mut torn, mut whole) = (Vec::new(), 0, true);
    while !bytes.is_empty() {
        if let Some((entry, rest)) = first(bytes) {
            found.push(entry);
            (bytes, whole) = (rest, true);
            continue;
        }
        torn += usize::from(whole);
        whole = false;
        let next = memchr::memmem::find(&bytes[1..], MARK);
        bytes = next.map_or(&[], |at| &bytes[at + 1..]);
    }
    (found, torn)
}

fn first(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let length = u32::from_le_bytes(head[4..8].try_into().ok()?);
    let (text, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let text = std::str::from_utf8(text).ok()?;
    let sound = head.starts_with(MARK) && head[8..] == content(text).0[..8];
    if sound { Some((Entry::parse(text).ok()?, rest)) } else { None }
}
