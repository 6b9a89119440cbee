//! The files that a configuration was read from: so that they can be watched, and generations told apart.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::Result;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

/// What was read so far.
pub(super) struct Files {
    paths: RefCell<Vec<PathBuf>>,
    digest: RefCell<Context>,
}

impl Default for Files {
    fn default() -> Self {
        Self { paths: RefCell::default(), digest: RefCell::new(Context::new(&SHA256)) }
    }
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Files").field(&self.paths).finish()
    }
}

impl Files {
    /// Reads a file of text.
    pub(super) fn text(&self, path: &Path) -> Result<String> {
        let text = self.secret(path)?;
        self.hash(text.as_bytes());
        Ok(text)
    }

    /// Reads a file that everybody may see.
    pub(super) fn bytes(&self, path: &Path) -> Result<Vec<u8>> {
        self.note(path);
        let bytes = std::fs::read(path)?;
        self.hash(&bytes);
        Ok(bytes)
    }

    /// Reads a file of which not even the hash may be seen: a short secret can be guessed from that.
    pub(super) fn secret(&self, path: &Path) -> Result<String> {
        self.note(path);
        std::fs::read_to_string(path)
    }

    /// Takes what was not read from a file.
    pub(super) fn hash(&self, bytes: &[u8]) {
        let mut digest = self.digest.borrow_mut();
        // With its length, so that moving a line from one file to the next is a change.
        digest.update(&(bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    }

    /// Of all that was read, in its order; paths do not count, so that machines of a fleet can be compared.
    pub(super) fn digest(&self) -> Box<str> {
        let mut hex = String::new();
        for byte in self.digest.borrow().clone().finish().as_ref() {
            write!(hex, "{byte:02x}").expect("writing into a string does not fail");
        }
        hex.into()
    }

    /// All that were asked for, whether or not they could be read.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.paths.borrow().clone()
    }

    fn note(&self, path: &Path) {
        let mut paths = self.paths.borrow_mut();
        if !paths.iter().any(|known| known == path) {
            paths.push(path.to_owned());
        }
    }
}
