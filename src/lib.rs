//! Consentry: a reverse proxy that enforces a site's cookie policy at the edge.

pub mod cli;
pub mod page;
pub mod policy;
