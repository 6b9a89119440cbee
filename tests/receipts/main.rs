//! Acknowledged means durable: the built program, killed under load, on a full disk, and its records tampered with.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

#[path = "../cli/program.rs"]
#[allow(dead_code, reason = "each test binary uses its own part")]
mod program;
#[path = "../support/mod.rs"]
mod support;

mod operator;
mod shop;

use std::collections::HashMap;
use std::process::Command;

use shop::{Reply, Shop};
use support::block_on;
use tokio::sync::watch;

/// Kills the program again and again while visitors choose: whoever got an answer has a receipt.
#[test]
fn kill_9_under_load_loses_no_acknowledged_choice() {
    block_on(async {
        let shop = Shop::new("");
        let mut acknowledged: HashMap<String, bool> = HashMap::new();
        for round in 0..4_u64 {
            let program = shop.serve();
            let (answered, mut answers) = watch::channel(0_u64);
            let visitors: Vec<_> = (0..8)
                .map(|number| {
                    let mut visitor = shop.visitor(program.address);
                    let answered = answered.clone();
                    tokio::spawn(async move {
                        let mut told = Vec::new();
                        for turn in 0.. {
                            let grants = (number + turn) % 2 == 0;
                            let form = if grants { "decision=accept-all" } else { "decision=reject-all" };
                            match visitor.post(form, "").await {
                                Some(Reply { status: 303, id: Some(id), .. }) => {
                                    told.push((id, grants));
                                    answered.send_modify(|answers| *answers += 1);
                                }
                                Some(reply) => panic!("{reply:?}"),
                                None => break,
                            }
                        }
                        told
                    })
                })
                .collect();
            answers.wait_for(|answers| *answers >= 20 + 30 * round).await.unwrap();
            program.program.signal("KILL");
            let before = acknowledged.len();
            for visitor in visitors {
                acknowledged.extend(visitor.await.unwrap());
            }
            assert!(acknowledged.len() > before, "nobody was answered in round {round}");
            drop(program);
            let (code, out, err) = shop.run(&["verify"]);
            assert_eq!(code, 0, "round {round}: {out}{err}");
        }
        shop.settle();
        let kept: HashMap<String, bool> = shop
            .export(&[])
            .iter()
            .map(|receipt| {
                (receipt["consent"].as_str().unwrap().to_owned(), !receipt["granted"].as_array().unwrap().is_empty())
            })
            .collect();
        for (id, grants) in &acknowledged {
            assert_eq!(kept.get(id), Some(grants), "of {} choices, {} are kept", acknowledged.len(), kept.len());
        }
        assert_eq!(shop.run(&["verify"]).0, 0);
    });
}

/// With no durable place left a grant is refused, and a refusal is not.
#[test]
fn on_a_full_disk_nobody_is_granted_and_everybody_may_refuse() {
    block_on(async {
        let shop = Shop::new("receipts: { spool: 64 KiB }");
        // Files stop growing at 200 KiB, with an error and not with a signal.
        let mut limited = Command::new("sh");
        let exec = format!("trap '' XFSZ; ulimit -f 400; exec {} serve --config {}", shop::PROGRAM, shop.config());
        limited.args(["-c", &exec]);
        let program = shop.serve_by(limited);
        let mut visitor = shop.visitor(program.address);
        let mut acknowledged = Vec::new();
        let granted = visitor.post("decision=accept-all", "").await.unwrap();
        acknowledged.extend(granted.id.clone());
        let refused = loop {
            let reply = visitor.post("decision=accept-all", "").await.unwrap();
            match reply.id.clone() {
                Some(id) => acknowledged.push(id),
                None => break reply,
            }
            assert!(acknowledged.len() < 2_000, "the disk does not get full");
        };
        assert_eq!((refused.status, refused.cookie), (503, None), "consent that cannot be proven is none");
        let cookie = granted.cookie.unwrap();
        for (form, before, status) in [
            ("decision=reject-all", "", 303),
            ("decision=reject-all", &*cookie, 303),
            ("decision=withdraw", &cookie, 303),
            // Part of it taken back: what remains was granted, and proven, before.
            ("decision=save&category=analytics", &cookie, 303),
            ("decision=save&category=analytics", "", 503),
            ("decision=accept-all", "", 503),
        ] {
            let mut reply = visitor.post(form, before).await.unwrap();
            // The store may still have found room for some that the spool kept, and that room is soon taken.
            while status == 503 && acknowledged.len() < 2_000 {
                let Some(id) = reply.id.take() else { break };
                acknowledged.push(id);
                reply = visitor.post(form, before).await.unwrap();
            }
            assert_eq!((reply.status, reply.cookie.is_some()), (status, status == 303), "{form} after {before:?}");
        }
        program.program.line_with("A refusal took effect without a receipt");
        program.program.signal("KILL");
        drop(program);
        // With room again, all that was acknowledged is there.
        shop.settle();
        let kept = shop.export(&[]);
        let kept: Vec<_> = kept.iter().map(|receipt| receipt["consent"].as_str().unwrap()).collect();
        let lost: Vec<_> = acknowledged.iter().filter(|id| !kept.contains(&id.as_str())).collect();
        assert!(lost.is_empty() && acknowledged.len() > 20, "{} of {} are lost", lost.len(), acknowledged.len());
        let (code, out, err) = shop.run(&["verify"]);
        assert_eq!(code, 0, "{out}{err}");
    });
}
