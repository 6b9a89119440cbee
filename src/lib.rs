//! Consentry: a reverse proxy that enforces a site's cookie policy at the edge.

pub mod consent;
pub mod cookie;
pub mod filter;
pub mod page;
pub mod policy;

pub mod config;

pub mod proxy;

pub mod cli;
