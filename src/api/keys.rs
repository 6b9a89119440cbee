//! The secrets that sign consent cookies: kept in the state folder, made on the first start.

use std::fs::{self, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::consent::Keys;

/// One secret a line in base64; the first signs, the others are still believed. To rotate, put a new line on
/// top and remove old ones once no choice can be older than they are.
const FILE: &str = "consent.keys";
const BYTES: usize = 32;

/// Reads the secrets from the state folder; makes folder and secret if there are none.
///
/// # Errors
/// Names the file, and what to do, if it cannot be read or written or holds something else.
pub fn load(state: &Path) -> Result<Keys> {
    let path = state.join(FILE);
    let explain = |e: Error| Error::new(e.kind(), format!("{}: {e}", path.display()));
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => create(state, &path).map_err(explain)?,
        Err(error) => return Err(explain(error)),
    };
    let secrets: Option<Vec<Vec<u8>>> = text.lines().filter(|l| !l.trim().is_empty()).map(secret).collect();
    match secrets.as_deref() {
        Some([current, previous @ ..]) => Ok(Keys::new(current, previous.iter().map(Vec::as_slice))),
        _ => Err(explain(Error::new(
            ErrorKind::InvalidData,
            "each line must be 32 random bytes in base64 (`openssl rand -base64 32`)",
        ))),
    }
}

fn secret(line: &str) -> Option<Vec<u8>> {
    STANDARD.decode(line.trim()).ok().filter(|bytes| bytes.len() >= BYTES)
}

fn create(state: &Path, path: &Path) -> Result<String> {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes).map_err(|_| Error::other("no randomness is to be had"))?;
    let text = STANDARD.encode(bytes) + "\n";
    fs::DirBuilder::new().recursive(true).mode(0o700).create(state)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::consent::{Choice, ConsentId, decode, encode};
    use crate::cookie::UnixTime;
    use crate::policy::{Catalogue, CatalogueParts, Policy, PolicyParts};

    #[test]
    fn the_secret_survives_a_restart_and_is_the_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let policy = Policy::compile(PolicyParts::default(), Catalogue::compile(CatalogueParts::default()).into());
        let choice = Choice::accept_all(&policy, ConsentId([7; 16]), UnixTime(1));
        let value = encode(&choice, &load(&state).unwrap(), "shop.example");
        assert_eq!(decode(value.as_bytes(), &load(&state).unwrap(), "shop.example"), Some(choice.clone()));
        let mode = fs::metadata(state.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        // Rotation: a new line on top.
        let old = fs::read_to_string(state.join(FILE)).unwrap();
        fs::write(state.join(FILE), format!("{}\n{old}", STANDARD.encode([9; 32]))).unwrap();
        let keys = load(&state).unwrap();
        assert_eq!(decode(value.as_bytes(), &keys, "shop.example"), Some(choice));
    }

    #[test]
    fn a_broken_file_is_an_error_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "short", "AAAA"] {
            fs::write(folder.path().join(FILE), text).unwrap();
            let error = load(folder.path()).unwrap_err().to_string();
            assert!(error.contains(FILE) && error.contains("openssl rand"), "{error}");
            assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap(), text);
        }
    }
}
