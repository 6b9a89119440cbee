//! From record, law and signals to a grant.

use super::*;

fn decide(policy: &Policy, record: &Record, signals: Signals) -> Decision {
    grant(policy, record, signals, NOW)
}

fn chosen(policy: &Policy, answers: &Answers<'_>) -> Record {
    Record::Choice(Choice::from_answers(policy, answers, ID, NOW))
}

#[test]
fn mailjet_j4_a_service_answer_wins_over_its_category() {
    let policy = policy();
    let analytics: &[CategoryId] = &[ANALYTICS];
    for (answers, expected, refused) in [
        (Answers { categories: analytics, ..Answers::default() }, "nlAgh", true),
        (Answers { categories: analytics, refused: &[GA], ..Answers::default() }, "nlAh", true),
        (Answers { categories: analytics, granted: &[META], ..Answers::default() }, "nlAghm", true),
        (Answers { categories: analytics, granted: &[GA], refused: &[GA] }, "nlAh", true),
        (Answers { granted: &[HOTJAR], ..Answers::default() }, "nlh", true),
        (Answers { categories: &[ANALYTICS, MARKETING], ..Answers::default() }, "nlAghMm", false),
        (Answers { categories: &[ANALYTICS, MARKETING], refused: &[META], ..Answers::default() }, "nlAghM", true),
        (Answers::default(), "nl", true),
        // What is required is not the visitor's to refuse; ids out of the blue are nothing.
        (Answers { categories: &[CategoryId(63)], granted: &[ServiceId(999)], refused: &[LOGIN] }, "nl", true),
    ] {
        let decision = decide(&policy, &chosen(&policy, &answers), NO_SIGNALS);
        assert_eq!(allowed(&decision.grant), expected, "{answers:?}");
        assert_eq!(
            (decision.basis, decision.ask, decision.refused),
            (Basis::Choice, Ask::Nothing, refused),
            "{answers:?}"
        );
    }
}

#[test]
fn law_goes_by_the_visitors_country() {
    let policy = policy_with(|parts| {
        parts.law = Law::OptOut;
        parts.laws = vec![(Region::parse("EEA").unwrap(), Law::OptIn)];
    });
    for (country, expected) in [("NO", "nl"), ("US", "nlAghMm"), ("XX", "nl"), ("", "nl")] {
        let country = Country::parse(country.as_bytes());
        let decision = grant_in(country, &policy, &Record::None, NO_SIGNALS, NOW);
        assert_eq!(allowed(&decision.grant), expected, "{country:?}");
        // A choice is a choice everywhere.
        let record = Record::Choice(Choice::accept_all(&policy, ID, NOW));
        assert_eq!(allowed(&grant_in(country, &policy, &record, NO_SIGNALS, NOW).grant), "nlAghMm");
    }
}

#[test]
fn without_a_choice_the_law_decides() {
    let stale = |choice: fn(&mut Choice)| {
        let mut accepted = Choice::accept_all(&policy(), ID, NOW);
        choice(&mut accepted);
        Record::Choice(accepted)
    };
    for record in [
        Record::None,
        Record::NotAnAct,
        stale(|choice| choice.version = 2),
        stale(|choice| choice.made = UnixTime(NOW.0 - 180 * DAY - 1)),
        stale(|choice| choice.made = UnixTime(NOW.0 + DAY + 1)),
    ] {
        for (law, expected) in [(Law::OptIn, "nl"), (Law::OptOut, "nlAghMm"), (Law::Implied, "nl")] {
            let decision = decide(&policy_with(|parts| parts.law = law), &record, NO_SIGNALS);
            assert_eq!(allowed(&decision.grant), expected, "{law:?} {record:?}");
            assert_eq!((decision.basis, decision.ask, decision.refused), (Basis::Default, Ask::Everything, false));
        }
    }
}

#[test]
fn a_choice_stands_up_to_its_limits() {
    let policy = policy();
    for (version, made) in [(3, NOW.0), (5, NOW.0 - 180 * DAY), (6, NOW.0 + DAY)] {
        let mut choice = Choice::accept_all(&policy, ID, UnixTime(made));
        choice.version = version;
        assert_eq!(decide(&policy, &Record::Choice(choice), NO_SIGNALS).basis, Basis::Choice, "{version} {made}");
    }
}

#[test]
fn unreadable_grants_nothing_under_any_law() {
    for law in [Law::OptIn, Law::OptOut, Law::Implied] {
        let decision = decide(&policy_with(|parts| parts.law = law), &Record::Unreadable, NO_SIGNALS);
        assert_eq!(allowed(&decision.grant), "nl", "{law:?}");
        assert_eq!((decision.basis, decision.ask), (Basis::Unreadable, Ask::Everything));
    }
}

#[test]
fn msgro_m13_what_the_policy_gains_is_not_granted_and_asked_alone() {
    let accepted = Record::Choice(Choice::accept_all(&policy(), ID, NOW));
    let grown = policy_with(|parts| {
        parts.services.push(service("clarity", ANALYTICS));
        parts.categories.push(category("social", false));
        parts.services.push(service("x", CategoryId(3)));
        parts.services.push(service("captcha", NECESSARY));
        parts.law = Law::OptOut;
    });
    let decision = decide(&grown, &accepted, NO_SIGNALS);
    assert_eq!(allowed(&decision.grant), "nlAghMm");
    let clarity = Owner { category: ANALYTICS, service: Some(ServiceId(4)) };
    let social = Owner { category: CategoryId(3), service: None };
    assert!(!decision.grant.allows(clarity) && !decision.grant.allows(social));
    assert_eq!(decision.ask, Ask::New(vec![CategoryId(3)], vec![ServiceId(4), ServiceId(5)]));
    assert!(!decision.refused);
}

#[test]
fn what_the_policy_loses_or_moves_changes_nothing_else() {
    let answers = Answers { categories: &[MARKETING], granted: &[GA], ..Answers::default() };
    let record = chosen(&policy(), &answers);
    let shrunk = policy_with(|parts| {
        parts.services.remove(2);
        parts.services.swap(1, 2);
        parts.categories[1].required = true;
    });
    let decision = decide(&shrunk, &record, NO_SIGNALS);
    let owner = |category, service| Owner { category, service: Some(ServiceId(service)) };
    assert!(decision.grant.allows(owner(MARKETING, 1)) && decision.grant.allows(owner(ANALYTICS, 2)));
    // The refusals spoke of what is gone or no longer asked.
    assert_eq!((decision.ask, decision.refused), (Ask::Nothing, false));
}

#[test]
fn a_service_that_moves_is_asked_about_anew() {
    let moved = policy_with(|parts| parts.services[2].category = MARKETING);
    let hotjar = |decision: &Decision| decision.grant.allows(Owner { category: MARKETING, service: Some(HOTJAR) });
    for categories in [&[ANALYTICS][..], &[MARKETING], &[ANALYTICS, MARKETING], &[]] {
        let record = chosen(&policy(), &Answers { categories, ..Answers::default() });
        let decision = decide(&moved, &record, NO_SIGNALS);
        assert!(!hotjar(&decision), "{categories:?}");
        assert_eq!(decision.ask, Ask::New(vec![], vec![HOTJAR]), "{categories:?}");
    }
    let by_name = chosen(&moved, &Answers { granted: &[HOTJAR], ..Answers::default() });
    assert!(hotjar(&decide(&moved, &by_name, NO_SIGNALS)), "granted where it is");
}

/// Cookies of visitors who chose before items told the category: `granted` and `refused` are theirs.
#[test]
fn an_older_choice_holds_within_what_it_grants() {
    let older = |granted: &[[u8; 3]], refused: &[[u8; 3]]| {
        let items = |list: &[[u8; 3]]| list.iter().copied().map(Item).collect();
        Record::Choice(Choice::new(ID, NOW, 5, items(granted), items(refused)))
    };
    let [analytics, marketing] = ["analytics", "marketing"].map(|id| Item::category(id).0);
    let [ga, hotjar, meta] = [[214, 255, 15], [144, 46, 93], [46, 35, 248]];
    for (granted, refused, expected, new) in [
        (&[analytics, ga][..], &[marketing, hotjar, meta][..], "nlAg", &[][..]),
        (&[analytics, marketing, ga, hotjar, meta], &[], "nlAghMm", &[]),
        (&[], &[analytics, marketing, ga, hotjar, meta], "nl", &[]),
        // Allowed by name, or moved since: nobody can tell.
        (&[analytics, ga, hotjar, meta], &[marketing], "nlAgh", &[META]),
    ] {
        let decision = decide(&policy(), &older(granted, refused), NO_SIGNALS);
        assert_eq!(allowed(&decision.grant), expected);
        let asked = if new.is_empty() { Ask::Nothing } else { Ask::New(vec![], new.to_vec()) };
        assert_eq!(decision.ask, asked, "{expected}");
    }
}

#[test]
fn a_policy_without_questions_asks_none() {
    let decision = decide(&policy_with(|parts| parts.categories.truncate(1)), &Record::None, NO_SIGNALS);
    // Services of categories that do not exist cannot be granted; `config` refuses such policies anyway.
    assert_eq!((allowed(&decision.grant).as_str(), decision.ask), ("nl", Ask::Nothing));
}

#[test]
fn chatsync_c5_signals_narrow_the_categories_that_heed_them() {
    let gpc = Signals { gpc: true, dnt: false };
    let dnt = Signals { gpc: false, dnt: true };
    let heeding = |beats: bool| {
        policy_with(|parts| {
            parts.law = Law::OptOut;
            parts.choice_beats_signals = beats;
            parts.categories[0].gpc = true;
            parts.categories[0].dnt = true;
            parts.categories[1].gpc = true;
            parts.categories[1].dnt = true;
            parts.categories[2].gpc = true;
        })
    };
    let accepted = Record::Choice(Choice::accept_all(&policy(), ID, NOW));
    let named = chosen(&policy(), &Answers { granted: &[GA, META], ..Answers::default() });
    let mut old = Choice::accept_all(&policy(), ID, NOW);
    old.version = 0;
    let old = Record::Choice(old);
    for (record, signals, beats, expected, narrowed) in [
        (&Record::None, NO_SIGNALS, false, "nlAghMm", false),
        (&Record::None, gpc, false, "nl", true),
        (&Record::None, dnt, false, "nlMm", true),
        (&Record::None, dnt, true, "nlMm", true),
        (&accepted, gpc, false, "nl", true),
        (&accepted, dnt, false, "nlMm", true),
        (&accepted, gpc, true, "nlAghMm", false),
        (&named, NO_SIGNALS, false, "nlgm", false),
        (&named, dnt, false, "nlm", true),
        (&named, gpc, false, "nl", true),
        (&named, gpc, true, "nlgm", false),
        (&old, gpc, true, "nl", true),
        (&Record::Unreadable, gpc, true, "nl", false),
    ] {
        let decision = decide(&heeding(beats), record, signals);
        assert_eq!(
            (allowed(&decision.grant).as_str(), decision.narrowed),
            (expected, narrowed),
            "{record:?} {signals:?} {beats}"
        );
    }
    // MessageBird heeds neither.
    let deaf = policy_with(|parts| parts.law = Law::OptOut);
    assert_eq!(allowed(&decide(&deaf, &Record::None, Signals { gpc: true, dnt: true }).grant), "nlAghMm");
}

#[test]
fn only_the_exact_value_is_a_signal() {
    for (values, expected) in [
        (&["1"][..], true),
        (&["0", "1"], true),
        (&[], false),
        (&["0"], false),
        (&["true"], false),
        (&["1, 1"], false),
        (&["?1"], false),
        (&["01"], false),
    ] {
        let lines = || values.iter().map(|value| value.as_bytes());
        assert_eq!(Signals::read(lines(), []), Signals { gpc: expected, dnt: false }, "{values:?}");
        assert_eq!(Signals::read([], lines()), Signals { gpc: false, dnt: expected }, "{values:?}");
    }
}
