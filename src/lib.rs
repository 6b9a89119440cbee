//! Consentry: a reverse proxy that enforces a site's cookie policy at the edge.
//!
//! ```text
//! client ──TLS──▶ accept ▶ route(Host) ▶ consent(Cookie, Sec-GPC, DNT) ▶ request filter ▶ origin
//! client ◀──TLS── encode ◀ HTML rewriter ◀ response header filter ◀──────────────────── origin
//! ```
//!
//! The rooms stand in the order in which they may use one another: each only what stands above it
//! (`tests/layers.rs`). The first seven are pure: bytes in, decisions out, and no socket, file or clock.

mod fnv;

pub mod cookie;

pub mod policy;

pub mod consent;

pub mod receipt;

pub mod page;

pub mod filter;

pub mod html;

pub mod body;

mod own;

pub mod telemetry;

pub mod config;

pub mod store;

pub mod api;

pub mod explain;

pub mod proxy;

pub mod admin;

pub mod server;

pub mod cli;
