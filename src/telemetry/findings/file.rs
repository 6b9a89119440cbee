//! The findings as a file of the state folder, so that a restart forgets nothing.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Row;

/// Its name in the state folder.
pub const FILE: &str = "findings.json";

/// What the file holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    /// Of the format.
    version: u32,
    /// Things for which there was no room.
    pub(super) overflow: u64,
    pub(super) rows: Vec<Row>,
}

const VERSION: u32 = 1;

/// Reads the rows of a findings file.
///
/// # Errors
/// If there is none, or it holds something else.
pub fn read(path: &Path) -> io::Result<Vec<Row>> {
    Ok(load(path)?.rows)
}

pub(super) fn load(path: &Path) -> io::Result<Saved> {
    let saved: Saved = serde_json::from_slice(&fs::read(path)?)?;
    if saved.version != VERSION {
        let what = format!("version {} of the format is not known here", saved.version);
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    Ok(saved)
}

/// Replaces the file, which is whole at every moment: written beside it, then renamed.
pub(super) fn save(path: &Path, overflow: u64, rows: Vec<Row>) -> io::Result<()> {
    let text = serde_json::to_vec(&Saved { version: VERSION, overflow, rows })?;
    let beside = path.with_extension("json.new");
    // Paths of pages may be private.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(beside, path)
}
