//! Content codings round the rewriter: push bytes in, get bytes out, with a bound on what a stranger can make of it.
//!
//! The only place that calls a raw decompressor: [`Decoder`] caps size and ratio, and hands out small pieces.

mod decode;
mod encode;
mod engine;

pub use decode::{Caps, Decoder};
pub use encode::{Encoder, Level};

pub use crate::filter::Coding;

/// Why a body cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are not of this coding, or a checksum is wrong.
    #[error("body is not valid {}", .0.token())]
    Corrupt(Coding),
    /// The body ended in the middle of the coded data.
    #[error("{} body is cut off", .0.token())]
    Truncated(Coding),
    /// The decoded body is larger than [`Caps::bytes`].
    #[error("decoded body is too large")]
    TooLarge,
    /// The body grows by more than [`Caps::ratio`]: a decompression bomb.
    #[error("body expands too much")]
    TooDense,
}

impl Error {
    /// Whether one of our limits was hit, rather than the origin having sent garbage.
    pub fn is_limit(self) -> bool {
        matches!(self, Self::TooLarge | Self::TooDense)
    }
}

#[cfg(test)]
mod tests;
