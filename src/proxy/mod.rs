//! One exchange, start to end.

pub mod coding;
