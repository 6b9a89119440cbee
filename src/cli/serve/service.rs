//! What we and systemd tell each other: `sd_notify(3)`, and sockets that it has opened for us. Without it, nothing.

use std::io::{Error, Result};
use std::net::TcpListener;
use std::time::Duration;

use listenfd::ListenFd;
use sd_notify::NotifyState;

/// The sockets that we were started with.
///
/// # Errors
/// If one is not a listening TCP socket.
pub(super) fn sockets() -> Result<Vec<TcpListener>> {
    let mut given = ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..given.len() {
        let socket = given.take_tcp_listener(index);
        let wrong = |error| Error::other(format!("socket {index} of systemd's cannot be used: {error}"));
        sockets.extend(socket.map_err(wrong)?);
    }
    Ok(sockets)
}

/// Everything is bound and answers; also the end of a reload.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is read again, from now until [`ready`].
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "The clock cannot be read."),
    }
}

/// The drain begins.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Nothing hangs.
pub(super) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How often [`alive`] is to be said: twice in the time after which we are given up.
pub(super) fn pulse() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 2).filter(|pulse| !pulse.is_zero())
}

/// Does nothing where `NOTIFY_SOCKET` is not set.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd cannot be told.");
    }
}
