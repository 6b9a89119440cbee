//! Changes message heads under a grant: what a head says of cookies, caches, codings and hops.
//!
//! Pure: headers in, headers and findings out. `proxy` calls it in the order of an exchange: [`hop_by_hop`] first, so
//! that nothing which a later step sets can be named away, then [`forwarded`] and [`request`]; back through
//! [`hop_by_hop`] and [`response`].

pub mod accept_encoding;
pub mod accept_language;
mod address;
mod cache;
mod coding;
mod consent_header;
mod csp;
mod expire;
mod fetch;
#[cfg(test)]
mod fixture;
pub mod forwarded;
pub mod hop_by_hop;
mod link;
mod list;
mod location;
mod removal;
mod request;
mod response;
mod set_cookie;
pub mod trace;
pub mod validators;

pub use address::Address;
pub use cache::make_private;
pub use coding::{Coding, Unsupported, content_codings};
pub use consent_header::{CONSENT, ConsentHeader};
pub use csp::{Csp, Leave};
pub use expire::everywhere as expire_everywhere;
pub use fetch::{Fetch, is_page_view, is_strict_bounce};
pub use location::lead_here;
pub use request::{Judged, RequestContext, Requested, asks_of_tags, judge_cookies, request};
pub use response::{Body, ResponseContext, response, rewritten};
