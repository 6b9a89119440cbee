//! Removes fields by their kind in one pass over the head: most heads hold none of them, and looking at the dozen
//! names that are there costs less than asking for the forty that might be.

use http::HeaderMap;

/// Removes all lines of the fields whose lower-case name is `doomed`.
pub(super) fn remove_where(headers: &mut HeaderMap, doomed: impl Fn(&str) -> bool) {
    while let Some(name) = headers.keys().find(|name| doomed(name.as_str())).cloned() {
        headers.remove(name);
    }
}
