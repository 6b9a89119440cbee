//! What no proxy as a whole can show without waiting: names whose addresses change, and servers of one's own choice.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::config::{CertificateFiles, Config, parse};

/// Answers each request on kept connections with its own name.
async fn server(address: &str, name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind(address).await.unwrap();
    let own = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.is_ok_and(|n| n > 0) {
                    let answer = format!("HTTP/1.1 204 No Content\r\nServer: {name}\r\n\r\n");
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    own
}

fn config(origin: &str, top: &str) -> Config {
    let text = format!(
        "listen: 127.0.0.1:0\n{top}\nsites: [{{ host: shop.example, origin: {origin}, mode: 'off', policy: standard }}]\n"
    );
    parse(&text, "test.yaml", Path::new(""), 0, CertificateFiles::Skip).unwrap().0
}

fn upstream(config: &Config, fleet: &Fleet) -> Upstream {
    Upstream::new(&config.sites[0], &config.timeouts, fleet, Arc::default())
}

/// Who answers.
async fn ask(upstream: &Upstream) -> Result<String, Error> {
    let request = Request::builder().uri("/").header("host", "shop.example").body(Body::Empty).unwrap();
    let (response, lease) = upstream.send(request, false, None).await?;
    let name = response.headers()["server"].to_str().unwrap().to_owned();
    drop(response);
    lease.release();
    Ok(name)
}

/// A resolver that a test holds in its hand, and how often it was asked.
#[derive(Clone, Default)]
struct Names {
    answer: Arc<Mutex<Option<Vec<SocketAddr>>>>,
    asked: Arc<AtomicUsize>,
}

impl Names {
    fn say(&self, addresses: &[SocketAddr]) {
        *self.answer.lock().unwrap() = Some(addresses.to_vec());
    }

    fn break_down(&self) {
        *self.answer.lock().unwrap() = None;
    }

    fn fleet(&self) -> Fleet {
        let names = self.clone();
        Fleet::with_lookup(Arc::new(move |host, _| {
            assert_eq!(host, "origin.internal");
            names.asked.fetch_add(1, Relaxed);
            names.answer.lock().unwrap().clone().ok_or_else(|| io::Error::other("the resolver is away"))
        }))
    }
}

#[tokio::test]
async fn a_name_that_moves_is_followed_and_its_old_connections_are_left() {
    let old = server("127.0.0.1:0", "old").await;
    let new = server(&format!("127.0.0.2:{}", old.port()), "new").await;
    let names = Names::default();
    names.say(&[old]);
    let config = config(&format!("http://origin.internal:{}", old.port()), "timeouts: { origin_resolve: 10ms }");
    let upstream = upstream(&config, &names.fleet());
    assert_eq!(ask(&upstream).await.unwrap(), "old");
    names.say(&[new]);
    // Kept connections to the old address answer until the name was looked up again, which happens beside requests.
    while ask(&upstream).await.unwrap() == "old" {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask(&upstream).await.unwrap(), "new");
    // A resolver that is away takes nobody with it.
    names.break_down();
    let before = names.asked.load(Relaxed);
    while names.asked.load(Relaxed) < before + 3 {
        assert_eq!(ask(&upstream).await.unwrap(), "new");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn names_are_not_looked_up_for_each_request() {
    let address = server("127.0.0.1:0", "one").await;
    let names = Names::default();
    names.say(&[address]);
    let config = config(&format!("http://origin.internal:{}", address.port()), "");
    let upstream = upstream(&config, &names.fleet());
    for _ in 0..20 {
        ask(&upstream).await.unwrap();
    }
    assert_eq!(names.asked.load(Relaxed), 1);
}

#[tokio::test]
async fn addresses_of_a_name_are_tried_in_turn_and_asked_for_again_if_none_answers() {
    let well = server("127.0.0.1:0", "well").await;
    let dead = |n: u8| SocketAddr::from(([127, 0, 0, n], well.port()));
    let names = Names::default();
    names.say(&[dead(3), dead(4), well]);
    let config = config(&format!("http://origin.internal:{}", well.port()), "");
    let upstream = upstream(&config, &names.fleet());
    assert_eq!(ask(&upstream).await.unwrap(), "well");

    let moved = Names::default();
    moved.say(&[dead(3)]);
    let upstream = self::upstream(&config, &moved.fleet());
    assert!(matches!(ask(&upstream).await, Err(Error::Origin(OriginError::Connect(_)))));
    moved.say(&[well]);
    assert_eq!(ask(&upstream).await.unwrap(), "well", "though the answer of before is not old yet");

    let nowhere = Names::default();
    let upstream = self::upstream(&config, &nowhere.fleet());
    assert_eq!(ask(&upstream).await.unwrap_err().status(), 502, "no resolver");
    nowhere.say(&[]);
    assert_eq!(ask(&upstream).await.unwrap_err().status(), 502, "no address");
}

#[tokio::test]
async fn weights_share_out_requests() {
    let (a, b) = (server("127.0.0.1:0", "a").await, server("127.0.0.1:0", "b").await);
    let config = config(&format!("[{{ url: 'http://{a}', weight: 3 }}, 'http://{b}']"), "");
    let upstream = upstream(&config, &Fleet::new());
    let mut seen = Vec::new();
    for _ in 0..8 {
        seen.push(ask(&upstream).await.unwrap());
    }
    assert_eq!(seen.iter().filter(|name| *name == "a").count(), 6, "{seen:?}");
}

#[tokio::test]
async fn workers_tell_each_other_who_is_away() {
    let well = server("127.0.0.1:0", "well").await;
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let config = config(&format!("['http://{dead}', 'http://{well}']"), "");
    let fleet = Fleet::new();
    let (one, other) = (upstream(&config, &fleet), upstream(&config, &fleet));
    for _ in 0..8 {
        assert_eq!(ask(&one).await.unwrap(), "well");
    }
    let health = |at: usize| fleet.health(&config.sites[0], &config.sites[0].origins.servers[at]);
    assert_eq!([health(0).is_up(), health(1).is_up()], [false, true]);
    let before = other.counters.connected.load(Relaxed);
    for _ in 0..4 {
        assert_eq!(ask(&other).await.unwrap(), "well");
    }
    assert_eq!(other.counters.connected.load(Relaxed) - before, 1, "it did not even try the one that is away");
    fleet.keep(&self::config("http://127.0.0.1:1", ""));
    assert!(health(0).is_up(), "who was forgotten is new");
}

#[tokio::test]
async fn what_is_in_flight_counts_until_its_end() {
    let (a, b) = (server("127.0.0.1:0", "a").await, server("127.0.0.1:0", "b").await);
    let config = config(&format!("['http://{a}', 'http://{b}'], balance: least-requests"), "");
    let upstream = upstream(&config, &Fleet::new());
    let request = || Request::builder().uri("/").header("host", "shop.example").body(Body::Empty).unwrap();
    let (held, lease) = upstream.send(request(), false, None).await.unwrap();
    for _ in 0..4 {
        assert_ne!(ask(&upstream).await.unwrap(), held.headers()["server"], "it is busy");
    }
    lease.release();
    let seen = [ask(&upstream).await.unwrap(), ask(&upstream).await.unwrap()];
    assert_ne!(seen[0], seen[1], "equally busy ones take turns");
}

/// Streams share a connection, which is busy as long as one of them is.
#[tokio::test]
async fn an_http2_connection_is_idle_when_its_last_stream_has_ended() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = config(&format!("http://{}, origin_http2: true", listener.local_addr().unwrap()), "");
    let server = tokio::spawn(async move {
        let mut connection = h2::server::handshake(listener.accept().await.unwrap().0).await.unwrap();
        while let Some(Ok((_, mut answer))) = connection.accept().await {
            answer.send_response(Response::builder().header("server", "h2").body(()).unwrap(), true).unwrap();
        }
    });
    let upstream = upstream(&config, &Fleet::new());
    let pool = upstream.counters.pool(&config.sites[0].origins.url(&config.sites[0].origins.servers[0]));
    let connections = || (pool.connections().busy, pool.connections().idle);
    let request = || Request::builder().uri("/").header("host", "shop.example").body(Body::Empty).unwrap();
    let (_, first) = upstream.send(request(), false, None).await.unwrap();
    let (_, second) = upstream.send(request(), false, None).await.unwrap();
    assert_eq!(connections(), (1, 0));
    first.release();
    assert_eq!(connections(), (1, 0), "the second goes on");
    // As when a client goes away.
    drop(second);
    assert_eq!(connections(), (0, 1));
    server.abort();
    while connections() != (0, 0) {
        tokio::task::yield_now().await;
    }
}

/// RFC 9113 §8.7: a refused stream may be sent again; what was reset for another reason may have been acted upon.
#[tokio::test]
async fn a_refused_stream_is_sent_again_over_another_connection() {
    for (reason, status) in [(h2::Reason::REFUSED_STREAM, 200), (h2::Reason::INTERNAL_ERROR, 502)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = config(&format!("http://{}, origin_http2: true", listener.local_addr().unwrap()), "");
        tokio::spawn(async move {
            for first in [true, false] {
                let mut connection = h2::server::handshake(listener.accept().await.unwrap().0).await.unwrap();
                let (_, mut answer) = connection.accept().await.unwrap().unwrap();
                if first {
                    answer.send_reset(reason);
                } else {
                    answer.send_response(Response::builder().header("server", "h2").body(()).unwrap(), true).unwrap();
                }
                tokio::spawn(async move { while connection.accept().await.is_some() {} });
            }
        });
        let upstream = upstream(&config, &Fleet::new());
        let answer = ask(&upstream).await.map_or_else(|error| error.status().as_u16(), |_| 200);
        assert_eq!(answer, status, "{reason:?}");
    }
}

/// What is in flight for longer than that comes to its end all the same.
#[tokio::test]
async fn an_http2_connection_that_nobody_uses_is_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}, origin_http2: true", listener.local_addr().unwrap());
    let upstream = upstream(&config(&origin, "timeouts: { origin_idle: 50ms }"), &Fleet::new());
    let serving = async {
        let mut connection = h2::server::handshake(listener.accept().await.unwrap().0).await.unwrap();
        let (_, mut answer) = connection.accept().await.unwrap().unwrap();
        // The test's own time: that which the answer takes.
        let slow = tokio::time::sleep(Duration::from_millis(200));
        let driven = async { assert!(connection.accept().await.is_none()) };
        let answering = async {
            slow.await;
            answer.send_response(Response::builder().header("server", "slow").body(()).unwrap(), true).unwrap();
        };
        tokio::join!(driven, answering);
    };
    let (asked, ()) = tokio::join!(ask(&upstream), serving);
    assert_eq!(asked.unwrap(), "slow");
}

/// However many clients come, an origin that is in trouble is asked a bounded number of times for each.
#[tokio::test]
async fn if_all_are_away_all_are_tried_but_not_by_everybody() {
    let dead: Vec<_> = (0..4).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let urls: Vec<_> = dead.iter().map(|socket| format!("'http://{}'", socket.local_addr().unwrap())).collect();
    drop(dead);
    let config = config(&format!("[{}]", urls.join(", ")), "");
    let upstream = upstream(&config, &Fleet::new());
    for _ in 0..1000 {
        assert_eq!(ask(&upstream).await.unwrap_err().status(), 502);
    }
    let asked = upstream.counters.connected.load(Relaxed);
    assert!((1000..1400).contains(&asked), "{asked} connections for 1000 requests");
}
