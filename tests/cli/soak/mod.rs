//! The built program under a mixed load for as long as one likes, while its operator reloads and its origins come and go:
//! nothing grows, nothing hangs, nothing is lost. A table and JSON say how it went.
//!
//! Pauses here are the pace of the load; whatever is waited for is asked for until it is there.

mod errands;
mod gauges;
mod met;
mod operator;
mod origin;
mod pages;
mod rude;
mod sockets;
mod visitors;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::program::{Program, fetch};
use gauges::Sample;
use met::Met;
use operator::Files;
use origin::Origin;
use pages::Answers;
use visitors::Place;

const SHOP: &str = "shop.example";
const BLOG: &str = "blog.example";

/// A run too short to tell growth from warming up.
const WARM: Duration = Duration::from_secs(600);

#[test]
fn a_soak_of_seconds_loses_nothing() {
    soak(Duration::from_secs(6), 10);
}

#[test]
#[ignore = "takes an hour, or SOAK_MINUTES, of the program SOAK_PROGRAM; figures want --nocapture"]
fn a_soak_of_an_hour_loses_nothing_and_nothing_grows() {
    let minutes = env::var("SOAK_MINUTES").map_or(60, |minutes| minutes.parse().expect("a number of minutes"));
    soak(Duration::from_secs(60 * minutes), 1);
}

/// `hurry`: how many times as often as in a long run everything happens.
fn soak(length: Duration, hurry: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let wrong = runtime.block_on(run(length, hurry));
    let shown = wrong.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} things went wrong:\n{shown}", wrong.len());
}

async fn run(length: Duration, hurry: u32) -> Vec<String> {
    let path = env::var_os("SOAK_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_consentry").into(), PathBuf::from);
    let folder = tempfile::tempdir().unwrap();
    let answers = Arc::new(Answers::new());
    let origins = [(); 3].map(|()| Origin::start(&answers));
    let files = Arc::new(Files::new(folder.path(), [0, 1, 2].map(|number: usize| origins[number].address)));
    let mut command = Command::new(&path);
    command.args(["serve", "--config"]).arg(files.config());
    let mut program = Program::of(command);
    let admin = program.address_of("Listening for administrators");
    let met = Arc::new(Met::default());
    let place = Place { address: program.address(), roots: files.roots(), met, end: CancellationToken::new(), hurry };

    // What is there once, however many come.
    fetch(place.address, &place.roots, SHOP, "/page").await.rest().await;
    let before = gauges::files(program.id());
    let (mut clients, mut others) = (JoinSet::new(), JoinSet::new());
    visit(&place, &mut clients);
    clients.spawn(place.clone().reload(Arc::clone(&files), program.id(), admin));
    clients.spawn(place.clone().rotate(Arc::clone(&files), program.id()));
    others.spawn(place.clone().restart(origins));
    let (samples, mut wrong) = sample(&place, program.id(), admin, length).await;

    place.end.cancel();
    if timeout(2 * visitors::PATIENCE, clients.join_all()).await.is_err() {
        wrong.push("clients do not come to their end".to_owned());
    }
    let requests = settle(&program, admin, &before, &mut wrong).await;
    // What is in flight when it is told to end, comes to its end.
    let mut last = fetch(place.address, &place.roots, SHOP, "/slow").await;
    last.read_until("First.").await;
    program.signal("TERM");
    if !last.rest().await.contains("</html>") {
        wrong.push("the last answer was cut off".to_owned());
    }
    let code = program.exit_code();
    if code != Some(0) {
        wrong.push(format!("it ended with {code:?}"));
    }
    let lines = files.access_lines();
    if lines != requests + 1 {
        wrong.push(format!("{lines} access lines for {} requests", requests + 1));
    }
    let (explained, bad) = place.met.judge();
    let receipts = receipts(&path, &files.config(), &place.met, &mut wrong);
    if length >= WARM {
        wrong.extend(gauges::grew(&samples));
    }
    wrong.extend(bad);
    let reloads = [&files.good, &files.refused].map(|count| count.load(Ordering::Relaxed));
    println!("\ngood: {:#?}", place.met.good());
    println!(
        "{explained} failures while an origin was away; reloads, good and refused: {reloads:?}; {receipts}; {lines} access lines"
    );
    keep(&samples, &place.met.good(), explained, &wrong);
    wrong
}

/// All the clients: some thirty requests a second together.
fn visit(place: &Place, clients: &mut JoinSet<()>) {
    let ms = Duration::from_millis;
    for (number, site) in [SHOP, BLOG, SHOP].into_iter().enumerate() {
        clients.spawn(place.clone().browse(site, false, 31 * number, 200, ms(400)));
        clients.spawn(place.clone().browse(site, true, 17 * number, 300, ms(300)));
    }
    for (number, site) in [SHOP, BLOG].into_iter().enumerate() {
        clients.spawn(place.clone().browse(site, false, 5 * number, 1, ms(1000)));
        clients.spawn(place.clone().bundle(site, ms(9000)));
        clients.spawn(place.clone().choose(site, ms(900)));
        clients.spawn(place.clone().offend(site, ms(700)));
        // Longer than `request_head`.
        clients.spawn(place.clone().talk(site, number == 0, place.every(ms(20_000)), ms(500)));
        clients.spawn(place.clone().talk(site, number == 1, ms(2000), ms(500)));
    }
}

/// Looks at the program until the time is over; says what could not be seen.
async fn sample(place: &Place, id: u32, admin: SocketAddr, length: Duration) -> (Vec<Sample>, Vec<String>) {
    let (mut samples, mut wrong) = (Vec::new(), Vec::new());
    let begun = Instant::now();
    let mut often = interval(place.every(Duration::from_secs(10)));
    println!("{}", Sample::HEAD);
    while begun.elapsed() < length {
        often.tick().await;
        match Sample::take(id, admin, begun.elapsed().as_secs(), place.met.counts()).await {
            Ok(sample) => {
                if samples.len() % 6 == 0 {
                    println!("{}", sample.row());
                }
                samples.push(sample);
            }
            Err(error) => wrong.push(error),
        }
    }
    (samples, wrong)
}

/// Waits until nothing of what the clients had is left; gives the number of requests that there were.
async fn settle(program: &Program, admin: SocketAddr, before: &[String], wrong: &mut Vec<String>) -> u64 {
    let begun = Instant::now();
    loop {
        let metrics = gauges::metrics(admin).await.unwrap();
        let mut left = gauges::files(program.id());
        left.retain(|file| file.starts_with("socket:") && !before.contains(file));
        let open = metrics.sum("consentry_connections_open{");
        let settled = open == 0.0 && left.is_empty();
        if settled || begun.elapsed() > visitors::PATIENCE {
            if !settled {
                wrong.push(format!("{open} connections are open still, and these sockets: {left:?}"));
            }
            for (name, most) in [
                ("consentry_receipts_total{result=\"refused\"}", 0.0),
                ("consentry_receipts_total{result=\"unproven\"}", 0.0),
                ("consentry_receipts_spool_bytes", 0.0),
                ("consentry_requests_shed_total", 0.0),
                ("consentry_connections_refused_total", 0.0),
                ("consentry_connections_flooded_total", 0.0),
                ("consentry_log_lines_dropped_total{log=\"access\"}", 0.0),
            ] {
                let value = metrics.of(name);
                if value > most {
                    wrong.push(format!("{name} is {value}"));
                }
            }
            return metrics.sum("consentry_requests_total{") as u64;
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Whether each choice that was acknowledged left its receipt, and no other did.
fn receipts(program: &Path, config: &Path, met: &Met, wrong: &mut Vec<String>) -> String {
    let ask = |what: &str| Command::new(program).args(["receipts", what, "--config"]).arg(config).output().unwrap();
    let verified = ask("verify");
    if !verified.status.success() {
        wrong.push(format!("the chain of receipts is broken: {verified:?}"));
    }
    let exported = ask("export").stdout;
    let all: Vec<serde_json::Value> = serde_json::from_slice(&exported).unwrap();
    let mut kept = BTreeMap::<&str, u64>::new();
    for receipt in &all {
        *kept.entry(receipt["consent"].as_str().unwrap()).or_default() += 1;
    }
    let (chosen, unsure) = met.choices();
    let sum: u64 = chosen.values().sum();
    for (id, times) in &chosen {
        let receipts = kept.get(&**id).copied().unwrap_or_default();
        if receipts != *times {
            wrong.push(format!("{times} choices of {id} were acknowledged, and {receipts} kept"));
        }
    }
    let more = all.len() as u64 - sum.min(all.len() as u64);
    if more > unsure {
        wrong.push(format!("{more} receipts more than were acknowledged, and only {unsure} can be explained"));
    }
    format!("{sum} choices acknowledged, {} receipts, {unsure} posted by who did not wait", all.len())
}

/// Leaves what was seen in the target folder.
fn keep(samples: &[Sample], good: &BTreeMap<&'static str, u64>, explained: usize, wrong: &[String]) {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("soak.json");
    let all = serde_json::json!({ "samples": samples, "good": good, "explained": explained, "wrong": wrong });
    fs::write(&file, serde_json::to_string_pretty(&all).unwrap()).unwrap();
    println!("{}", file.display());
}
