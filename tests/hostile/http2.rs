//! HTTP/2 floods (RFC 9113 §10.5), frame by frame.

use std::time::Duration;

use tokio::time::Instant;

use super::{alone, resident, well_behaved};
use crate::support::frames::{
    self, ACK, Answers, CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, GOAWAY, HEADERS, PADDED, PING, PRIORITY,
    RST_STREAM, SETTINGS, WINDOW_UPDATE, block, frame, get, literal, post,
};
use crate::support::origin::respond;
use crate::support::{HOST, Origin, Proxy, RawOrigin, Step, StrictOrigin};

const ENHANCE_YOUR_CALM: u32 = 11;

/// Sends `wave(n)` for each `n` until the proxy closes or `waves` were sent; gives how many, and the error of its GOAWAY.
async fn flood(proxy: &Proxy, waves: usize, wave: impl Fn(u32) -> Vec<u8>) -> (usize, Option<u32>) {
    let (mut attacker, mut answers) = frames::open(proxy, &[]).await;
    let reader = tokio::spawn(async move { answers.end().await });
    let mut sent = 0;
    while sent < waves && !reader.is_finished() && attacker.send(&wave(sent as u32)).await {
        sent += 1;
    }
    (sent, reader.await.expect("the attacker is still connected"))
}

/// The stream of the nth request.
fn nth(n: u32) -> u32 {
    2 * n + 1
}

#[test]
fn floods_are_cut_off_with_a_word() {
    alone(async {
        let origin = Origin::fixed(200, &[], "own").await;
        let proxy = Proxy::to(origin.address).await;
        let zero_window = |stream: u32| frame(WINDOW_UPDATE, 0, stream, &[0; 4]);
        type Wave = Box<dyn Fn(u32) -> Vec<u8>>;
        // What one wave is, how many waves are too many, and what the proxy says (where h2 says it, its own word).
        let floods: Vec<(&str, usize, Wave)> = vec![
            (
                "rapid reset",
                2_000,
                Box::new(|n| [get(nth(n), "/x"), frame(RST_STREAM, 0, nth(n), &[0, 0, 0, 8])].concat()),
            ),
            (
                "made to reset by a window of 0",
                2_000,
                Box::new(move |n| [get(nth(n), "/x"), zero_window(nth(n))].concat()),
            ),
            (
                "made to reset by a window beyond bounds",
                2_000,
                Box::new(|n| [post(nth(n), "/x"), frame(WINDOW_UPDATE, 0, nth(n), &[0x7f, 255, 255, 255])].concat()),
            ),
            (
                "made to reset by PRIORITY of a wrong length",
                2_000,
                Box::new(|n| [get(nth(n), "/x"), frame(PRIORITY, 0, nth(n), &[0; 4])].concat()),
            ),
            (
                "made to reset by PRIORITY on itself",
                4_000,
                Box::new(|n| {
                    [
                        get(nth(n), "/x"),
                        frame(PRIORITY, 0, nth(n), &[&nth(n).to_be_bytes()[..], &[1]].concat()).repeat(10),
                    ]
                    .concat()
                }),
            ),
            (
                "made to reset by DATA after the end",
                2_000,
                Box::new(|n| [get(nth(n), "/x"), frame(DATA, 0, nth(n), b"more")].concat()),
            ),
            (
                "made to reset by HEADERS after the end",
                2_000,
                Box::new(|n| [get(nth(n), "/x"), get(nth(n), "/x")].concat()),
            ),
            (
                "made to reset by a malformed head",
                2_000,
                Box::new(|n| {
                    frame(HEADERS, END_HEADERS | END_STREAM, nth(n), &block(&[(":method", "GET"), ("connection", "x")]))
                }),
            ),
            ("PING", 20_000, Box::new(|_| frame(PING, 0, 0, &[0; 8]).repeat(10))),
            ("SETTINGS", 20_000, Box::new(|_| frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]).repeat(10))),
            ("empty SETTINGS", 20_000, Box::new(|_| frame(SETTINGS, 0, 0, &[]).repeat(10))),
            ("PRIORITY", 20_000, Box::new(|_| frame(PRIORITY, 0, 77, &[0, 0, 0, 0, 1]).repeat(10))),
            ("WINDOW_UPDATE", 20_000, Box::new(|_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]).repeat(10))),
            ("unknown frames", 20_000, Box::new(|_| frame(200, 0, 0, &[0; 8]).repeat(10))),
            (
                "RST_STREAM of nothing",
                20_000,
                Box::new(|n| {
                    [if n == 0 { get(1, "/x") } else { Vec::new() }, frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]).repeat(10)]
                        .concat()
                }),
            ),
            (
                "empty DATA",
                20_000,
                Box::new(|n| {
                    [if n == 0 { post(1, "/x") } else { Vec::new() }, frame(DATA, 0, 1, &[]).repeat(10)].concat()
                }),
            ),
            (
                "padding alone",
                20_000,
                Box::new(|n| {
                    [if n == 0 { post(1, "/x") } else { Vec::new() }, frame(DATA, PADDED, 1, &[1, 0]).repeat(10)]
                        .concat()
                }),
            ),
            (
                "CONTINUATION",
                20_000,
                Box::new(|n| {
                    let fields = block(&[("x", &"y".repeat(4000))]);
                    let first = frame(HEADERS, END_STREAM, 1, &block(&[(":method", "GET")]));
                    [if n == 0 { first } else { Vec::new() }, frame(CONTINUATION, 0, 1, &fields)].concat()
                }),
            ),
            (
                "empty CONTINUATION",
                20_000,
                Box::new(|n| {
                    let first = frame(HEADERS, END_STREAM, 1, &block(&[(":method", "GET")]));
                    [if n == 0 { first } else { Vec::new() }, frame(CONTINUATION, 0, 1, &[]).repeat(10)].concat()
                }),
            ),
        ];
        let before = resident();
        for (name, waves, wave) in floods {
            let (sent, code) = flood(&proxy, waves, wave).await;
            eprintln!(
                "{name}: cut off after {sent} of {waves}, error {code:?}, {} MiB more",
                resident().saturating_sub(before)
            );
            // All of it may be on its way before the word that ends it is.
            assert!(sent < waves || code.is_some(), "{name}: all {waves} waves were taken");
            well_behaved(&proxy, 1).await;
        }
        // Each flood asked for thousands of pages.
        let asked = origin.seen().iter().filter(|seen| seen.target == "/x").count();
        assert!(asked < 5_000, "the origin was asked {asked} times");
        assert!(resident() < before + 100, "{} MiB more", resident() - before);
    });
}

#[test]
fn a_flood_is_told_to_calm_down() {
    alone(async {
        let origin = Origin::fixed(200, &[], "own").await;
        let proxy = Proxy::to(origin.address).await;
        let (_, code) = flood(&proxy, 20_000, |_| frame(PING, 0, 0, &[0; 8]).repeat(10)).await;
        assert_eq!(code, Some(ENHANCE_YOUR_CALM));
    });
}

/// Each stream lives until the origin has it, so that h2 does not count its reset, and each costs a connection to the
/// origin.
#[test]
fn resets_of_requests_that_the_origin_has_are_counted() {
    alone(async {
        let origin = RawOrigin::start(vec![Step::ReadHead, Step::Stall]).await;
        let proxy = Proxy::to(origin.address).await;
        let (mut attacker, mut answers) = frames::open(&proxy, &[]).await;
        let ended = tokio::spawn(async move { answers.end().await });
        let mut sent = 0;
        let began = Instant::now();
        // Many at a time: who does it as slowly as a person is no attacker.
        const WAVE: u32 = 25;
        while !ended.is_finished() {
            let asked: Vec<u8> = (sent..sent + WAVE).flat_map(|n| get(nth(n), "/x")).collect();
            let given_up =
                (sent..sent + WAVE).flat_map(|n| frame(RST_STREAM, 0, nth(n), &[0, 0, 0, 8])).collect::<Vec<_>>();
            sent += WAVE;
            if !attacker.send(&asked).await {
                break;
            }
            while origin.heads() < sent as usize && !ended.is_finished() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            attacker.send(&given_up).await;
            assert!(sent < 2_000, "2000 resets were taken");
        }
        // A burst, and some more while the account fills again.
        assert!(u64::from(sent) < 300 + 25 * (began.elapsed().as_secs() + 1), "{sent} in {:?}", began.elapsed());
        assert_eq!(ended.await.unwrap(), Some(ENHANCE_YOUR_CALM));
    });
}

/// A list of 4 KB, a thousand times by one byte each: 64 MB when it is decoded.
#[test]
fn a_header_bomb_is_not_unpacked() {
    alone(async {
        let origin = Origin::fixed(200, &[], "own").await;
        let proxy = Proxy::to(origin.address).await;
        let before = resident();
        for n in 0..20 {
            let (mut attacker, mut answers) = frames::open(&proxy, &[]).await;
            // Literal with indexing: the first entry of the dynamic table, which is 62.
            let mut bomb = vec![0x40];
            bomb.extend(literal(b"x", "y".repeat(4000).as_bytes()).split_off(1));
            bomb.extend(vec![0x80 | 62; 16_000 - bomb.len()]);
            let head = block(&[(":method", "GET"), (":scheme", "https"), (":authority", HOST), (":path", "/x")]);
            attacker.send(&frame(HEADERS, END_STREAM, 1, &head)).await;
            for _ in 0..4 {
                attacker.send(&frame(CONTINUATION, 0, 1, &bomb)).await;
            }
            attacker.send(&frame(CONTINUATION, END_HEADERS, 1, &[])).await;
            assert!(refused(&mut answers, 1).await, "{n}");
        }
        well_behaved(&proxy, 1).await;
        assert!(!origin.seen().iter().any(|seen| seen.target == "/x"));
        assert!(resident() < before + 100, "{} MiB more", resident() - before);
    });
}

/// Whether a stream, or the connection, ends without a 200.
async fn refused(answers: &mut Answers, stream: u32) -> bool {
    while let Some(frame) = answers.next().await {
        if frame.stream == stream && frame.kind == HEADERS {
            return frame.payload[0] != 0x88;
        }
        if frame.kind == GOAWAY || (frame.stream == stream && frame.kind == RST_STREAM) {
            return true;
        }
    }
    true
}

#[test]
fn a_head_of_too_many_fields_is_refused_and_crumbs_of_cookies_are_one() {
    alone(async {
        let origin = StrictOrigin::start().await;
        let proxy = Proxy::builder().site(HOST, origin.address, "mode: off").start();
        let request = |name: &str, count: usize, path: &str| {
            let mut fields = block(&[(":method", "GET"), (":scheme", "https"), (":authority", HOST), (":path", path)]);
            (0..count).for_each(|n| fields.extend(literal(name.as_bytes(), format!("c{n}=1").as_bytes())));
            frame(HEADERS, END_HEADERS | END_STREAM, 1, &fields)
        };
        for (name, count, passes) in [("x", 99, true), ("x", 200, false), ("x", 1000, false), ("cookie", 150, true)] {
            let (mut attacker, mut answers) = frames::open(&proxy, &[]).await;
            let path = format!("/{name}{count}");
            attacker.send(&request(name, count, &path)).await;
            assert_eq!(refused(&mut answers, 1).await, !passes, "{name} × {count}");
            assert_eq!(origin.requests(&path).len(), usize::from(passes), "{name} × {count}");
        }
        let crumbs = &origin.requests("/cookie")[0];
        assert_eq!(crumbs.field("cookie").unwrap().split("; ").count(), 150);
    });
}

/// Ten times as many requests at once as are allowed: the rest are refused, and the origin never sees more at a time.
#[test]
fn streams_beyond_the_limit_are_refused() {
    alone(async {
        let origin = RawOrigin::start(vec![Step::ReadHead, Step::Stall]).await;
        let proxy = Proxy::builder().top("limits: { streams: 20 }").site(HOST, origin.address, "").start();
        let (mut attacker, mut answers) = frames::open(&proxy, &[]).await;
        for n in 0..200 {
            attacker.send(&get(nth(n), "/x")).await;
        }
        let mut refused = 0;
        while refused < 180 {
            match answers.next().await {
                Some(frame) if frame.kind == RST_STREAM => refused += 1,
                Some(frame) if frame.kind == GOAWAY => break,
                Some(_) => {}
                None => break,
            }
        }
        let asked = String::from_utf8(origin.received()).unwrap().matches("GET /x").count();
        assert!(asked <= 20 && refused > 0, "{asked} at the origin, {refused} refused");
    });
}

/// Reads on, answers pings, and lets through what `window` grants.
async fn starve(mut attacker: Frames, mut answers: Answers, window: impl Fn(u32) -> Vec<u8>) -> Vec<u32> {
    let mut reset = Vec::new();
    while let Some(answer) = answers.next().await {
        match answer.kind {
            RST_STREAM => reset.push(answer.stream),
            PING if answer.flags & ACK == 0 => drop(attacker.send(&frame(PING, ACK, 0, &answer.payload)).await),
            DATA => drop(attacker.send(&window(answer.stream)).await),
            _ => {}
        }
        if reset.len() == 20 {
            break;
        }
    }
    reset
}

/// A client that asks for much and grants no window holds no more than buffers, and not for ever.
#[test]
fn answers_that_nobody_takes_are_given_up() {
    alone(async {
        let large = "x".repeat(4 << 20);
        let origin = Origin::start(move |seen| match &*seen.target {
            "/own" => respond(200, &[], "own"),
            _ => respond(200, &[], large.clone()),
        })
        .await;
        let proxy = Proxy::builder().top("timeouts: { body_idle: 1s }").site(HOST, origin.address, "").start();
        let before = resident();
        for (window, path) in [(0, "/large"), (0, "/own"), (0, "/_consent/"), (1000, "/large")] {
            let (mut attacker, answers) = frames::open(&proxy, &[(4, window)]).await;
            for n in 0..20 {
                attacker.send(&get(nth(n), path)).await;
            }
            // Of the connection there is window enough; of the streams there is none.
            attacker.send(&frame(WINDOW_UPDATE, 0, 0, &[0x3f, 255, 255, 255])).await;
            let (reset, ()) = tokio::join!(starve(attacker, answers, |_| Vec::new()), well_behaved(&proxy, 3));
            assert_eq!(reset.len(), 20, "{path} with a window of {window}: reset {reset:?}");
        }
        assert!(resident() < before + 150, "{} MiB more", resident() - before);
    });
}
