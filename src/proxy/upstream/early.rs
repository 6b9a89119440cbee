//! Informational answers (1xx) of an origin, as hyper reads them while a request waits for its answer.

use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use http::{Request, Response, StatusCode};

use crate::body::Body;

/// So many of one answer are passed on, and no more bytes of them: what else an origin says is for nobody.
const MOST: u8 = 8;
const BYTES: usize = 64 << 10;

/// Those that came for one request and were not passed on yet. Written by the connection's task, read by the exchange's.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Early(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    heads: Vec<Response<()>>,
    came: u8,
    bytes: usize,
    waker: Option<Waker>,
}

impl Early {
    /// Listens to what an origin says ahead of its answer to `request`.
    pub(super) fn listen(self: &Arc<Self>, request: &mut Request<Body>) {
        let early = Arc::clone(self);
        hyper::ext::on_informational(request, move |head| {
            // The client was told to go on by ourselves, and a switch of protocols is an answer.
            if ![StatusCode::CONTINUE, StatusCode::SWITCHING_PROTOCOLS].contains(&head.status()) {
                early.came(head.status(), head.headers());
            }
        });
    }

    fn came(&self, status: StatusCode, headers: &http::HeaderMap) {
        let mut state = self.state();
        state.came = state.came.saturating_add(1);
        state.bytes += headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>();
        if state.came > MOST || state.bytes > BYTES {
            return;
        }
        let mut head = Response::new(());
        *head.status_mut() = status;
        *head.headers_mut() = headers.clone();
        state.heads.push(head);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// What has come since this was asked last; whoever asks is woken when there is more.
    pub(in crate::proxy) fn take(&self, cx: &Context<'_>) -> Vec<Response<()>> {
        let mut state = self.state();
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => state.waker = Some(cx.waker().clone()),
        }
        take(&mut state.heads)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
