//! The end of this proxy's chain, noted beside the store: whoever cuts the end off the chain, or makes the whole of it
//! anew, must reach this file too.
//!
//! It is written after the commit and not synced, so after a crash it may be older than the store, and never newer.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::receipt::{ChainId, Head};

const FORMAT: &str = "consentry-head-1";

/// The file.
#[derive(Debug, Clone)]
pub struct Anchor {
    path: PathBuf,
}

impl Anchor {
    /// At a path; the file need not exist.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// What it says; `None` if there is none, or it was torn.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub fn read(&self) -> io::Result<Option<Head>> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => Ok(parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))),
        }
    }

    /// Renames the file after its chain, as evidence.
    ///
    /// # Errors
    /// What the system says.
    pub fn set_aside(&self, chain: ChainId) -> io::Result<()> {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{chain}"));
        std::fs::rename(&self.path, name)
    }

    /// What this file says and those that were set aside beside it.
    ///
    /// # Errors
    /// If the folder or a file cannot be read.
    pub fn read_all(&self) -> io::Result<Vec<Head>> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else { return Ok(Vec::new()) };
        let start = format!("{}.", name.to_string_lossy());
        let mut heads: Vec<_> = self.read()?.into_iter().collect();
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(heads),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&start) {
                heads.extend(Self::at(&entry.path()).read()?);
            }
        }
        Ok(heads)
    }

    /// Notes the end of a chain; the file then belongs to that chain.
    ///
    /// # Errors
    /// What the system says.
    pub fn note(&self, head: Head) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&self.path)?;
        // Of one length, in place, and below a sector: it is never half of one and half of another.
        let text = format!("{FORMAT} {} {:020} {}\n", head.chain, head.next, head.hash);
        file.write_all_at(text.as_bytes(), 0)
    }
}

fn parse(text: &str) -> Option<Head> {
    let mut words = text.strip_suffix('\n')?.split(' ');
    let mut next = || words.next();
    if next()? != FORMAT {
        return None;
    }
    let chain: ChainId = next()?.parse().ok()?;
    let head = Head { chain, next: next()?.parse().ok()?, hash: next()?.parse().ok()? };
    next().is_none().then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receipt::Hash;

    #[test]
    fn the_last_note_stands_and_a_torn_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("head");
        let anchor = Anchor::at(&path);
        assert_eq!(anchor.read().unwrap(), None);
        let mut head = Head::new(ChainId([1; 16]));
        for _ in 0..12 {
            head.push(Hash([2; 32]));
            anchor.note(head).unwrap();
            assert_eq!(Anchor::at(&path).read().unwrap(), Some(head));
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for end in 0..text.len() {
            std::fs::write(&path, &text[..end]).unwrap();
            assert_eq!(anchor.read().unwrap(), None);
        }
    }
}
