//! What a visitor sees, as HTML text.

pub mod escape;
pub mod placeholder;
