//! What becomes of a request that got no answer.

use http::{Request, StatusCode};

use crate::body::{self, Body};
use crate::proxy::error::{Error, OriginError};

/// Why there is no answer, and what is left of the request.
pub(super) enum Failed {
    /// Nothing of it was written: it can go anywhere.
    Unsent(Box<Request<Body>>, OriginError),
    /// It was written, and no byte came back. Whoever sends it again knows that the origin may have acted on it.
    Sent(Box<Request<Body>>, OriginError),
    /// It must not be sent again.
    Last(Error),
}

impl Failed {
    /// Of a request that was written; `again` is a copy, where another may be sent.
    pub(super) fn sent(again: Option<Request<Body>>, error: hyper::Error) -> Self {
        match again {
            Some(copy) if !is_of_body(&error) => Self::Sent(Box::new(copy), OriginError::Http(error)),
            _ => Self::Last(blamed(error)),
        }
    }
}

fn is_of_body(error: &hyper::Error) -> bool {
    ours(error).is_some()
}

fn ours(error: &hyper::Error) -> Option<&body::Error> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref())
}

/// Whose fault it is that no answer came: the client's, if its body broke off on the way.
fn blamed(error: hyper::Error) -> Error {
    match ours(&error) {
        Some(body::Error::Idle(_)) => {
            Error::client(StatusCode::REQUEST_TIMEOUT, "the request's body did not arrive in time")
        }
        Some(_) => Error::client(StatusCode::BAD_REQUEST, "the request's body broke off"),
        None => OriginError::Http(error).into(),
    }
}
