//! Cookies on the wire as spans of the bytes that came: `Set-Cookie` and `Cookie`, RFC 6265bis.
//!
//! Reads what a browser would read and edits by splicing, so that what no rule speaks of leaves byte for byte.
//! No jar, and nothing about which cookies are wanted: that is `policy`.

pub mod date;
mod edit;
mod own;
mod pair;
mod request;
mod set_cookie;

#[cfg(test)]
mod tests;

pub use date::UnixTime;
pub use edit::{Edits, HOST_PREFIX, edit};
pub use own::OwnCookies;
pub use pair::Pair;
pub use request::{Fate, pairs, retain};
pub use set_cookie::{Attribute, AttributeKind, SameSite, SetCookie};
