use aws_lc_rs::digest::{SHA256, digest};
use proptest::prelude::*;

use super::*;
use crate::consent::ConsentId;
use crate::cookie::UnixTime;

const CHAIN: ChainId = ChainId([9; 16]);

fn receipt(number: u8, text: &str) -> Receipt {
    Receipt {
        consent: ConsentId([number; 16]),
        granted: vec!["category:analytics".into(), text.into()],
        id: EntryId([number; 16]),
        ip: None,
        language: "de".into(),
        method: Method::Custom,
        policy: PolicyMark { hash: Hash([0xab; 32]), version: 3 },
        refused: vec![],
        salt: Salt([1; 16]),
        site: "shop.example".into(),
        time: UnixTime(1_795_326_835),
        user_agent: None,
    }
}

/// The bytes that every release must write, and what outside programs hash.
#[test]
fn canonical_bytes_are_these() {
    let mut full = receipt(0, "service:a\"\\\u{1}\n\u{e9}\u{1f36a}");
    let text = Entry::Choice(full.clone()).canonical();
    assert_eq!(
        text,
        "{\"act\":\"choice/1\",\"consent\":\"AAAAAAAAAAAAAAAAAAAAAA\",\
         \"granted\":[\"category:analytics\",\"service:a\\\"\\\\\\u0001\\n\u{e9}\u{1f36a}\"],\
         \"id\":\"00000000000000000000000000000000\",\"language\":\"de\",\"method\":\"custom\",\
         \"policy\":{\"hash\":\"abababababababababababababababababababababababababababababababab\",\"version\":3},\
         \"refused\":[],\"salt\":\"01010101010101010101010101010101\",\"site\":\"shop.example\",\
         \"time\":\"2026-11-22T05:53:55Z\"}"
    );
    full.ip = Some("192.0.2.0".into());
    full.user_agent = Some("Browser/1".into());
    let deletion = Deletion {
        content: Hash([1; 32]),
        id: EntryId([2; 16]),
        position: 3,
        reason: Reason::Visitor,
        time: UnixTime(0),
    };
    let purge = Purge { before: UnixTime(0), hash: Hash([1; 32]), id: EntryId([2; 16]), through: 3, time: UnixTime(1) };
    for entry in [Entry::Choice(full), Entry::Deletion(deletion), Entry::Purge(purge)] {
        let text = entry.canonical();
        assert_eq!(Entry::parse(&text).unwrap(), entry);
        // RFC 8785: keys in order.
        let value: std::collections::BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
        assert!(Entry::parse(&text.replacen("/1", "/2", 1)).is_err());
        assert!(Entry::parse(&text.replacen("{\"act\"", "{\"aaa\":1,\"act\"", 1)).is_err());
    }
}

/// An independent reading of the module's documentation.
#[test]
fn links_are_as_documented() {
    let sha = |bytes: &[u8]| digest(&SHA256, bytes).as_ref().to_vec();
    let genesis = sha(&[&b"consentry chain 1\0"[..], &CHAIN.0].concat());
    assert_eq!(super::genesis(CHAIN).0, *genesis);
    let text = Entry::Choice(receipt(1, "x")).canonical();
    let hash = sha(&[b"consentry chain 1\0", &*genesis, &[0, 0, 0, 0, 0, 0, 0, 0], &*sha(text.as_bytes())].concat());
    let mut head = Head::new(CHAIN);
    head.push(content(&text));
    assert_eq!((head.hash.0.as_slice(), head.next), (&*hash, 1));
    assert_eq!(
        content("").to_string(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "SHA-256 of nothing"
    );
}

#[derive(Debug, Clone, PartialEq)]
struct Kept {
    position: u64,
    id: EntryId,
    content: Hash,
    hash: Hash,
    body: Option<String>,
}

/// A chain as a store would have it, and its end.
fn chain(entries: &[Entry]) -> (Vec<Kept>, Head) {
    let mut head = Head::new(CHAIN);
    let rows = entries.iter().map(|entry| {
        let body = entry.canonical();
        let (position, content) = (head.next, content(&body));
        head.push(content);
        Kept { position, id: entry.id(), content, hash: head.hash, body: Some(body) }
    });
    (rows.collect(), head)
}

fn verify(rows: &[Kept], first: u64, base: Hash, anchors: &[Head]) -> Result<Whole, Broken> {
    let mut verifier = Verifier::new(CHAIN, first, base, anchors.to_vec());
    for row in rows {
        let Kept { position, id, content, hash, body } = row;
        let (position, id, content, hash) = (*position, *id, *content, *hash);
        verifier.see(&Row { position, id, content, hash, body: body.as_deref() })?;
    }
    verifier.finish()
}

fn check(rows: &[Kept], head: Head) -> Result<Whole, (u64, Flaw)> {
    verify(rows, 0, genesis(CHAIN), &[head]).map_err(|broken| (broken.position, broken.flaw))
}

fn choices(count: u8) -> Vec<Entry> {
    (0..count).map(|number| Entry::Choice(receipt(number, "x"))).collect()
}

fn deletion_of(row: &Kept) -> Entry {
    let (content, position) = (row.content, row.position);
    Entry::Deletion(Deletion { content, id: EntryId([99; 16]), position, reason: Reason::Visitor, time: UnixTime(0) })
}

#[test]
fn erased_contents_need_their_deletion() {
    let mut entries = choices(3);
    let (rows, head) = chain(&entries);
    let whole = check(&rows, head).unwrap();
    assert_eq!((whole.kept, whole.erased, whole.head), (3, 0, head));
    let mut erased = rows.clone();
    erased[1].body = None;
    assert_eq!(check(&erased, head), Err((1, Flaw::ErasedInSilence)));
    entries.push(deletion_of(&rows[1]));
    let (mut rows, head) = chain(&entries);
    assert_eq!(check(&rows, head), Err((1, Flaw::Restored)));
    rows[1].body = None;
    let whole = check(&rows, head).unwrap();
    assert_eq!((whole.kept, whole.erased), (3, 1));
}

#[test]
fn a_purged_beginning_needs_its_purge() {
    let mut entries = choices(4);
    let (rows, _) = chain(&entries);
    let purge = |through: u64, hash| {
        let (before, time) = (UnixTime(1), UnixTime(2));
        Entry::Purge(Purge { before, hash, id: EntryId([98; 16]), through, time })
    };
    entries.push(purge(1, rows[1].hash));
    let (rows, head) = chain(&entries);
    let whole = verify(&rows[2..], 2, rows[1].hash, &[head]).unwrap();
    assert_eq!((whole.kept, whole.purged), (3, 2));
    let flaw = |rows: &[Kept], first: u64| {
        verify(rows, first, rows[0].hash, &[]).map(|_| ()).map_err(|broken| (broken.position, broken.flaw))
    };
    // One more is gone than the purge tells, and the store says that this is the beginning.
    assert_eq!(verify(&rows[3..], 3, rows[2].hash, &[head]).unwrap_err().flaw, Flaw::PurgedInSilence);
    assert_eq!(flaw(&rows[2..], 2), Err((2, Flaw::Unlinked)));
}

#[test]
fn csv_is_no_formula() {
    let mut receipt = receipt(0, "service:x");
    receipt.consent = ConsentId([0xf8; 16]);
    for (agent, field) in [
        ("Mozilla/5.0 (X11, \"x\")", "\"Mozilla/5.0 (X11, \"\"x\"\")\""),
        ("=HYPERLINK(1)", "\"'=HYPERLINK(1)\""),
        ("+1", "\"'+1\""),
        ("@SUM(1)", "\"'@SUM(1)\""),
        ("\t=1", "\"'\t=1\""),
        ("plain", "plain"),
    ] {
        receipt.user_agent = Some(agent.into());
        let line = csv::line(&receipt);
        assert!(line.ends_with(&format!(",{field}\r\n")), "{line}");
        // A consent id may begin with a minus.
        assert!(line.contains(",\"'-Pj4"), "{line}");
    }
    let columns = csv::HEADER.trim_end().split(',').count();
    receipt.user_agent = None;
    assert_eq!(csv::line(&receipt).trim_end().split(',').count(), columns);
}

#[test]
fn times_are_read_as_they_are_written() {
    for (text, time) in [
        ("2026-11-22T05:53:55Z", Some(1_795_326_835)),
        ("2026-11-22", Some(1_795_305_600)),
        ("1970-01-01", Some(0)),
        ("2026-02-30", None),
        ("2026-13-01", None),
        ("2026-11-22T24:00:00Z", None),
        ("2026-11-22T05:53:55", None),
        ("2026-11-22 05:53:55Z", None),
        ("2026-11-2", None),
        ("22.11.2026", None),
        ("2026-11-22Z", None),
        ("２026-11-22", None),
        ("", None),
    ] {
        assert_eq!(day_or_time(text).map(|time| time.0), time, "{text}");
    }
}

fn some_entry() -> impl Strategy<Value = Entry> {
    let method = prop::sample::select(&Method::ALL[..]);
    let texts = || prop::collection::vec("\\PC{0,12}|[\\x00-\\x7f]{0,8}", 0..3);
    (any::<[u8; 16]>(), any::<[u8; 16]>(), texts(), texts(), method, any::<u32>(), prop::option::of("\\PC{0,9}"))
        .prop_map(|(id, consent, granted, refused, method, time, agent)| {
            let boxed = |list: Vec<String>| list.into_iter().map(Into::into).collect();
            Entry::Choice(Receipt {
                consent: ConsentId(consent),
                granted: boxed(granted),
                id: EntryId(id),
                method,
                refused: boxed(refused),
                time: UnixTime(time.into()),
                user_agent: agent.map(Into::into),
                ..receipt(0, "")
            })
        })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_and_is_unambiguous(a in some_entry(), b in some_entry()) {
        let (text, other) = (a.canonical(), b.canonical());
        prop_assert_eq!(&Entry::parse(&text).unwrap(), &a);
        prop_assert_eq!(Entry::parse(&text).unwrap().canonical(), &*text);
        prop_assert_eq!(text == other, a == b);
    }

    #[test]
    fn parsing_never_panics(text in "\\PC*", days in "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{8}Z)?") {
        let _ = Entry::parse(&text);
        let _ = day_or_time(&text);
        if let Some(time) = day_or_time(&days) {
            prop_assert!(stamp(time).starts_with(&days));
        }
    }

    /// Whatever is done to a chain shows, and the first wrong place is named.
    #[test]
    fn tampering_shows(
        entries in prop::collection::vec(some_entry(), 2..12),
        at: prop::sample::Index,
        to: prop::sample::Index,
        kind in 0..6,
        byte: prop::sample::Index,
    ) {
        let (rows, head) = chain(&entries);
        prop_assert!(check(&rows, head).is_ok());
        let (at, to) = (at.index(rows.len()), to.index(rows.len()));
        let mut bad = rows.clone();
        let first = match kind {
            0 => {
                let body = bad[at].body.clone().unwrap();
                let byte = byte.index(body.len());
                let flipped = body.bytes().enumerate().map(|(n, b)| if n == byte { b ^ 1 } else { b }).collect();
                bad[at].body = Some(String::from_utf8(flipped).unwrap_or_default());
                at
            }
            1 => {
                bad.remove(at);
                at
            }
            // Moved, with positions made to fit.
            2 => {
                bad.swap(at, to);
                let (a, b) = (bad[at].position, bad[to].position);
                (bad[at].position, bad[to].position) = (b, a);
                at.min(to)
            }
            3 => {
                bad.truncate(at);
                at
            }
            4 => {
                bad[at].hash.0[byte.index(32)] ^= 1;
                at
            }
            // The whole rest made anew from another content: only the noted end of the chain tells.
            _ => {
                let mut forged = entries;
                forged[at] = Entry::Choice(receipt(77, "forged"));
                bad = chain(&forged).0;
                rows.len() - 1
            }
        };
        if bad == rows {
            return Ok(());
        }
        prop_assert_eq!(check(&bad, head).unwrap_err().0, first as u64);
    }
}
