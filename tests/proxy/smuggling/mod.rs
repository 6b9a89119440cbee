//! Request smuggling (RFC 9112 §11.2, RFC 9113 §10.3): whatever a client sends, the origin sees one strictly valid
//! request or none, and the next client gets its own answer. Nobody ever sees `/smuggled`.

mod heads;
mod http1;
mod http2;
mod responses;

use std::fmt::Write as _;

use crate::support::{Client, HOST, Proxy, Raw, StrictOrigin};

/// What has to become of an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Nothing reaches the origin, and the client is told or cut off.
    Refused,
    /// One request with this body reaches it.
    One(&'static str),
    /// Either: one request at most, and a valid one.
    Either,
}

use Fate::{Either, One, Refused};

/// A proxy that does not wait long for what will not come.
fn proxy(origin: &StrictOrigin) -> Proxy {
    let limits = "timeouts: { request_head: 500ms, body_idle: 500ms, idle: 500ms, origin_first_byte: 2s }";
    Proxy::builder().top(limits).site(HOST, origin.address, "").start()
}

/// Plays each attack on a connection of its own, all at once; `/@` in it is a path of its own.
async fn play(cases: &[(&'static str, Fate)]) {
    let origin = StrictOrigin::start().await;
    let proxy = proxy(&origin);
    let attacks = cases.iter().enumerate().map(async |(index, (attack, _))| {
        let bytes = attack.replace("/@", &format!("/{index}/"));
        let mut raw = Raw::h1(&proxy).await;
        raw.write(bytes.as_bytes()).await;
        String::from_utf8_lossy(&raw.read_to_end().await).into_owned()
    });
    let answers = futures_all(attacks).await;
    let mut wrong = String::new();
    for (index, ((attack, fate), answer)) in cases.iter().zip(&answers).enumerate() {
        let seen = origin.requests(&format!("/{index}/"));
        let right = match fate {
            Refused => seen.is_empty() && !answer.contains("HTTP/1.1 2"),
            One(body) => seen.len() == 1 && seen[0].body == body.as_bytes(),
            Either => seen.len() <= 1,
        };
        if !right {
            writeln!(wrong, "{attack:?} should be {fate:?}\n  seen {seen:?}\n  answered {answer:?}").unwrap();
        }
        // Others, over the connections to the origin that are left, get what is theirs.
        let own = format!("/own/{index}");
        assert_eq!(Client::h1(&proxy).await.get(&own, &[]).await.text(), format!("for {own}"), "after {attack:?}");
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(origin.requests("/smuggled").is_empty(), "{:?}", origin.requests("/smuggled"));
    assert!(origin.faults().is_empty(), "{:#?}", origin.faults());
}

async fn futures_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut results: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (future, result) in futures.iter_mut().zip(&mut results).filter(|(_, result)| result.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(cx) {
                *result = Some(value);
            }
        }
        if results.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}
