//! A secret, kept in a file or the environment and never in the configuration itself.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::HeaderValue;

use super::problem::Problem;
use super::reading::Item;

/// Shorter ones can be guessed.
const SHORTEST: usize = 16;

/// Text that no log and no message shows.
#[derive(Clone)]
pub struct Secret(Box<str>);

impl Secret {
    /// As the value of a header that nobody prints; `None` if it cannot be one.
    pub fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&self.0).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Whether this is it, in a time that does not tell how much of it is right.
    pub fn is(&self, given: &[u8]) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), given).is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Reads `file:PATH` or `env:NAME` for a secret of ours; with `skip` nothing is looked at, and it stays unknown.
pub(super) fn read(item: &Item<'_>, skip: bool) -> Option<Secret> {
    match given(item, skip)? {
        (_, secret) if secret.0.len() >= SHORTEST => Some(secret),
        (name, _) => item.fail_with(
            format!("the secret of {name} is shorter than {SHORTEST} characters"),
            "make one with `openssl rand -hex 32`",
        ),
    }
}

/// The same for one that others have given us, of any length; with it where it is from.
pub(super) fn given(item: &Item<'_>, skip: bool) -> Option<(String, Secret)> {
    const HINT: &str = "write `file:PATH` or `env:NAME`, so that it is not in the configuration";
    let text = item.text()?;
    let (name, found) = match text.split_once(':') {
        Some(("file", path)) if !path.is_empty() => {
            let path = item.source.folder.join(path);
            let read = || {
                item.problems.files.secret(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
            };
            (path.display().to_string(), if skip { None } else { Some(read()) })
        }
        Some(("env", name)) if !name.is_empty() => {
            let read = || std::env::var(name).map_err(|_| format!("the environment variable {name} is not set"));
            (name.to_owned(), if skip { None } else { Some(read()) })
        }
        // What stands here may be the secret itself: it is not repeated.
        _ => {
            let what = "this is no reference to a secret";
            let problem = Problem::error(item.source, item.place(), &item.path, what).with_hint(Some(HINT));
            item.problems.push(problem.without_excerpt());
            return None;
        }
    };
    match found? {
        Ok(secret) => Some((name, Secret(secret.trim().into()))),
        Err(error) => item.fail(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_compared_and_not_shown() {
        let secret = Secret("correct horse battery".into());
        assert!(secret.is(b"correct horse battery"));
        for wrong in [&b"correct horse batterx"[..], b"", b"correct horse battery "] {
            assert!(!secret.is(wrong));
        }
        assert!(!format!("{secret:?}").contains("horse"));
    }
}
