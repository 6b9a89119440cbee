//! Consentry: a reverse proxy that enforces a site's cookie policy at the edge.

pub mod html;
pub mod page;
pub mod policy;
