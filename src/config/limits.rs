//! How long we wait and how much we take, with the defaults.

use std::time::Duration;

/// How long we wait, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// For a client's TLS handshake.
    pub handshake: Duration,
    /// For the whole head of a request, from its first byte or the accepting of the connection.
    pub request_head: Duration,
    /// Between two pieces of a body, either way.
    pub body_idle: Duration,
    /// For TCP and TLS to the origin.
    pub origin_connect: Duration,
    /// From the end of the request to the origin's response head.
    pub origin_first_byte: Duration,
    /// For the next request to an origin on a kept connection.
    pub origin_idle: Duration,
    /// Until the addresses of an origin's name are looked up again.
    pub origin_resolve: Duration,
    /// For the next request of a client on a kept connection.
    pub idle: Duration,
    /// Until a kept HTTP/1.1 connection gives its buffers back while it waits for that.
    pub rest: Duration,
    /// For exchanges in flight, after SIGTERM.
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            request_head: Duration::from_secs(15),
            body_idle: Duration::from_secs(30),
            origin_connect: Duration::from_secs(5),
            origin_first_byte: Duration::from_secs(60),
            // Below the 60 s or more after which origins close: the race is rarer when we are first. Apache's default
            // of 5 s is met by trying again.
            origin_idle: Duration::from_secs(45),
            origin_resolve: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            // What a browser asks for next of a page comes sooner. Those who ask without a pause never get buffers anew.
            rest: Duration::from_secs(1),
            drain: Duration::from_secs(30),
        }
    }
}

/// How much we take. Sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Client connections at a time, over all listeners.
    pub connections: usize,
    /// Of these, from one client: an IPv4 address or an IPv6 /64, the announced one behind the PROXY protocol. Trusted
    /// proxies are not held to it.
    pub connections_per_client: usize,
    /// Requests that are being answered at a time, over all connections.
    pub requests: usize,
    /// The slowest that a client may send a body, in bytes a second while we wait for it; 0 for as slowly as it likes.
    pub upload_rate: u64,
    /// A message head.
    pub head_bytes: usize,
    /// Header fields in a message head.
    pub head_fields: usize,
    /// HTTP/2 streams at a time on one connection.
    pub streams: u32,
    /// Memory of one HTML rewriter.
    pub html_memory: usize,
    /// One decompressed document.
    pub decompressed: u64,
    /// Decompressed bytes for each compressed one.
    pub decompression_ratio: u32,
    /// The text of one inline script that is looked at.
    pub inline_script: usize,
    /// The body of a request to our own endpoints.
    pub choice_body: usize,
    /// Choices that one network (/24, /56) posts in a minute, by worker.
    pub choices_a_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_client: 5_000,
            requests: 10_000,
            upload_rate: 64,
            head_bytes: 64 << 10,
            head_fields: 100,
            streams: 100,
            html_memory: 8 << 20,
            decompressed: 256 << 20,
            decompression_ratio: 1000,
            inline_script: 1 << 20,
            choice_body: 16 << 10,
            choices_a_minute: 120,
        }
    }
}
