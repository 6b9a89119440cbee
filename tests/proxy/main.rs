//! The real server over real sockets and real TLS; one file a feature.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

#[path = "../support/mod.rs"]
mod support;

mod admin;
mod announced;
mod banner;
mod caching;
mod client_gating;
mod coding;
mod consent_api;
mod consent_tools;
mod cookies;
mod drain;
mod forwarding;
mod guard;
mod html;
mod informational;
mod limits;
mod logs;
mod malformed;
mod metrics;
mod observe;
mod origin_errors;
mod origins;
#[cfg(feature = "otlp")]
mod otlp;
mod passthrough;
mod published;
mod receipts;
mod reload;
mod rest;
mod site_headers;
mod smuggling;
mod tls;
mod unix_socket;
mod websocket;
