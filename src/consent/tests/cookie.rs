//! Our cookie: written, read back, tampered with, doubled, tossed.

use proptest::prelude::*;

use super::*;

const NAME: &str = "__Host-consent";
const SITE: &str = "shop.example";

fn keys() -> Keys {
    Keys::new(&[1; 32], [])
}

fn read_from(lines: &[&str], policy: &Policy) -> Record {
    read(lines.iter().map(|line| line.as_bytes()), NAME, &keys(), SITE, policy, NOW)
}

fn written(choice: &Choice) -> String {
    format!("{NAME}={}", encode(choice, &keys(), SITE))
}

#[test]
fn what_is_written_is_read_back_among_other_cookies() {
    let policy = policy();
    let choice = Choice::from_answers(&policy, &Answers { granted: &[META], ..Answers::default() }, ID, NOW);
    let cookie = written(&choice);
    let header = format!("a=1; {cookie};b=\"x");
    assert_eq!(read_from(&["z=1", &header], &policy), Record::Choice(choice));
    assert_eq!(read_from(&["a=1; __host-consent=1", "consent=x"], &policy), Record::None);
}

#[test]
fn the_value_is_legal_in_a_cookie_and_small_for_sixty_services() {
    let big = policy_with(|parts| {
        parts.version = u64::MAX;
        for i in 0..56 {
            parts.services.push(service(&format!("service-{i}"), MARKETING));
        }
    });
    let value = encode(&Choice::accept_all(&big, ID, NOW), &keys(), SITE);
    assert!(value.len() < 512, "{}", value.len());
    assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)), "{value}");
}

#[test]
fn items_are_the_same_in_every_release() {
    // Other values would ask every visitor again.
    assert_eq!(Item::category("analytics").0, [160, 221, 123]);
    let parts = parts();
    let item = |category: CategoryId, id: &str| Item::service(&parts, &service(id, category));
    assert_eq!(item(ANALYTICS, "analytics").0, [76, 43, 216]);
    assert_ne!(item(ANALYTICS, "analytics"), item(MARKETING, "analytics"));
    let many: std::collections::HashSet<_> = (0..500).map(|i| item(ANALYTICS, &format!("service-{i}"))).collect();
    assert_eq!(many.len(), 500);
}

#[test]
fn any_changed_byte_makes_it_unreadable() {
    let policy = policy();
    let value = encode(&Choice::reject_all(&policy, ID, NOW), &keys(), SITE);
    for at in 0..value.len() {
        for byte in b"0AZaz._-~\xff" {
            let mut forged = value.clone().into_bytes();
            if std::mem::replace(&mut forged[at], *byte) != *byte {
                assert_eq!(decode(&forged, &keys(), SITE), None, "{}", String::from_utf8_lossy(&forged));
            }
        }
        assert_eq!(decode(&value.as_bytes()[..at], &keys(), SITE), None);
    }
    for odd in [
        format!("\"{value}\""),
        format!("{value}="),
        format!("{value}."),
        format!("1{value}"),
        value.replace('.', "%2E"),
    ] {
        assert_eq!(read_from(&[&format!("{NAME}={odd}")], &policy), Record::Unreadable, "{odd}");
    }
}

#[test]
fn another_site_or_key_cannot_read_it_and_rotation_can() {
    let choice = Choice::accept_all(&policy(), ID, NOW);
    let value = encode(&choice, &keys(), SITE).into_bytes();
    assert_eq!(decode(&value, &keys(), "evil.example"), None);
    assert_eq!(decode(&value, &keys(), "shop.example\0"), None);
    assert_eq!(decode(&value, &Keys::new(&[2; 32], []), SITE), None);
    let rotated = Keys::new(&[2; 32], [&[3; 32][..], &[1; 32]]);
    assert_eq!(decode(&value, &rotated, SITE), Some(choice.clone()));
    // A new one is signed with the current key only.
    assert_eq!(decode(encode(&choice, &rotated, SITE).as_bytes(), &keys(), SITE), None);
}

#[test]
fn debug_shows_neither_key_nor_id() {
    let choice = Choice::accept_all(&policy(), ID, NOW);
    let text = format!("{choice:?} {:?}", Keys::new(b"abcdefgh", [&b"ijklmnop"[..]]));
    assert!(!text.contains(&ID.to_string()) && !text.contains("[7, 7") && !text.contains("abcd"), "{text}");
    assert!(!text.contains("97, 98"), "{text}");
}

#[test]
fn copies_that_differ_give_the_strictest_reading() {
    let policy = policy();
    let allow = |categories: &[CategoryId], made: i64| {
        Choice::from_answers(&policy, &Answers { categories, ..Answers::default() }, ID, UnixTime(NOW.0 + made))
    };
    let both = allow(&[ANALYTICS, MARKETING], -5);
    let analytics = allow(&[ANALYTICS], -10);
    let marketing = allow(&[MARKETING], 0);
    for (copies, expected) in [
        (vec![&both, &both], "nlAghMm"),
        (vec![&both, &analytics], "nlAgh"),
        (vec![&marketing, &both], "nlMm"),
        (vec![&analytics, &marketing], "nl"),
        (vec![&both, &marketing, &analytics, &both], "nl"),
    ] {
        let lines: Vec<_> = copies.iter().map(|choice| written(choice)).collect();
        // In one line or in several, as HTTP/2 splits them.
        let split: Vec<_> = lines.iter().map(String::as_str).collect();
        for lines in [&split[..], &[&lines.join("; ")]] {
            let record = read_from(lines, &policy);
            let decision = grant(&policy, &record, NO_SIGNALS, NOW);
            assert_eq!((allowed(&decision.grant).as_str(), decision.basis), (expected, Basis::Choice), "{lines:?}");
        }
    }
    let Record::Choice(merged) = read_from(&[&written(&both), &written(&analytics)], &policy) else {
        panic!("readable")
    };
    assert_eq!(merged.made, analytics.made);
}

#[test]
fn a_service_that_one_copy_never_heard_of_is_not_granted() {
    let policy = policy();
    let young = Choice::accept_all(&policy, ID, NOW);
    let old = Choice::accept_all(&policy_with(|parts| parts.services.truncate(3)), ID, NOW);
    let record = read_from(&[&written(&young), &written(&old)], &policy);
    let decision = grant(&policy, &record, NO_SIGNALS, NOW);
    assert_eq!(allowed(&decision.grant), "nlAghM");
    assert_eq!(decision.ask, Ask::New(vec![], vec![META]));
}

#[test]
fn any_doubt_beside_a_good_cookie_grants_nothing() {
    let policy = policy_with(|parts| parts.law = Law::OptOut);
    let good = written(&Choice::accept_all(&policy, ID, NOW));
    let value = good.strip_prefix("__Host-consent=").unwrap();
    let stale = written(&Choice::accept_all(&policy, ID, UnixTime(NOW.0 - 365 * DAY)));
    for lines in [
        vec![good.clone(), format!("{NAME}=")],
        vec![format!("{NAME}=x"), good.clone()],
        vec![good.clone(), NAME.to_owned()],
        vec![format!("={NAME}=x; {good}")],
        vec![format!("={good}")],
        vec![format!("{NAME}=\"{value}\"; {good}")],
        // Under opt-out a stale copy alone is no choice and all is granted: it must not lift a refusal.
        vec![written(&Choice::reject_all(&policy, ID, NOW)), stale],
    ] {
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        assert_eq!(read_from(&lines, &policy), Record::Unreadable, "{lines:?}");
    }
}

proptest! {
    #[test]
    fn strangers_bytes_are_never_a_choice(value in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(decode(&value, &keys(), SITE), None);
    }

    #[test]
    fn round_trip(
        id in any::<[u8; 16]>(),
        made in 0..=i64::MAX,
        version in any::<u64>(),
        granted in prop::collection::vec(any::<[u8; 3]>(), 0..40),
        refused in prop::collection::vec(any::<[u8; 3]>(), 0..40),
    ) {
        let items = |list: Vec<[u8; 3]>| list.into_iter().map(Item).collect();
        let choice = Choice::new(ConsentId(id), UnixTime(made), version, items(granted), items(refused));
        let value = encode(&choice, &keys(), SITE);
        prop_assert_eq!(decode(value.as_bytes(), &keys(), SITE), Some(choice));
    }

    #[test]
    fn the_strictest_of_two_grants_no_more_than_either(a in any::<u8>(), b in any::<u8>()) {
        let policy = policy();
        let choose = |bits: u8| {
            let pick = |of: &[(u8, ServiceId)]| of.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, id)| *id).collect::<Vec<_>>();
            let categories: Vec<_> = [(1, ANALYTICS), (2, MARKETING)].iter().filter(|(bit, _)| bits & bit != 0).map(|(_, id)| *id).collect();
            let granted = pick(&[(4, GA), (8, HOTJAR), (16, META)]);
            let refused = pick(&[(32, GA), (64, HOTJAR), (128, META)]);
            Choice::from_answers(&policy, &Answers { categories: &categories, granted: &granted, refused: &refused }, ID, NOW)
        };
        let grant_of = |choice: Choice| allowed(&grant(&policy, &Record::Choice(choice), NO_SIGNALS, NOW).grant);
        let merged = grant_of(choose(a).strictest(&choose(b)));
        let (a, b) = (grant_of(choose(a)), grant_of(choose(b)));
        prop_assert_eq!(merged, a.chars().filter(|c| b.contains(*c)).collect::<String>());
    }
}
