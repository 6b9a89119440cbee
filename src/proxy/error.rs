//! What can go wrong in an exchange, and whose fault it is. `respond` alone makes a status of it.

use std::io;

use http::StatusCode;

use crate::body;

/// Why an exchange could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client's request is wrong or cannot be served.
    #[error("{reason}")]
    Client {
        /// The status that says so.
        status: StatusCode,
        /// For the log.
        reason: &'static str,
    },
    /// The origin cannot be reached or does not speak HTTP.
    #[error(transparent)]
    Origin(#[from] OriginError),
}

/// What the origin did wrong.
#[derive(Debug, thiserror::Error)]
pub enum OriginError {
    /// No address, or nobody listens there.
    #[error("cannot connect to the origin: {0}")]
    Connect(#[source] io::Error),
    /// The name of the origin's certificate cannot be one.
    #[error("the origin's host is no valid server name")]
    ServerName,
    /// A time limit ran out.
    #[error("the origin did not {0} in time")]
    Timeout(&'static str),
    /// The connection broke, or the answer was not HTTP.
    #[error("the origin's answer is unusable: {0}")]
    Http(#[source] hyper::Error),
    /// HTML in a coding that we cannot read: it would pass unfiltered.
    #[error("the origin sent HTML in the coding `{0}`, which cannot be read, though it was asked not to")]
    Coding(String),
    /// Part of an HTML document: it cannot be filtered.
    #[error("the origin sent a part (206) of an HTML document, which cannot be filtered")]
    PartialHtml,
    /// The answer broke before its head could be decided on.
    #[error("the origin's answer broke off: {0}")]
    Body(#[source] body::Error),
    /// The answer to an upgrade was not one.
    #[error("the origin answered the upgrade wrongly")]
    Upgrade,
}

impl OriginError {
    /// Its place in [`ORIGIN_ERRORS`].
    ///
    /// [`ORIGIN_ERRORS`]: crate::telemetry::counters::ORIGIN_ERRORS
    pub fn kind(&self) -> usize {
        match self {
            Self::Connect(_) | Self::ServerName => 0,
            Self::Timeout(_) | Self::Body(body::Error::Idle(_)) => 1,
            _ => 2,
        }
    }
}

impl Error {
    /// The client's fault.
    pub fn client(status: StatusCode, reason: &'static str) -> Self {
        Self::Client { status, reason }
    }

    /// What the client is told.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Client { status, .. } => *status,
            Self::Origin(OriginError::Timeout(_) | OriginError::Body(body::Error::Idle(_))) => {
                StatusCode::GATEWAY_TIMEOUT
            }
            Self::Origin(_) => StatusCode::BAD_GATEWAY,
        }
    }
}
