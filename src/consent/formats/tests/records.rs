//! What each tool's records say, line by line of `records.tsv`.

use std::collections::BTreeSet;

use super::*;

const RECORDS: &str = include_str!("records.tsv");

#[test]
fn records_are_read_as_the_tools_mean_them() {
    let mut read = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in RECORDS.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<_> = line.split('\t').collect();
        let [word, cookies, answer, groups] = fields[..] else { panic!("{line}") };
        let format = Format::named(word).unwrap_or_else(|| panic!("{line}"));
        let reading = format.read([cookies.as_bytes()], None);
        let kind = match &reading {
            Reading::None => "none",
            Reading::NotAnAct(_) => "not-an-act",
            Reading::OptOut(_) => "opt-out",
            Reading::Act(_) => "act",
            Reading::Unreadable => "unreadable",
        };
        let is_said = |group: &str| {
            let (sign, id) = group.split_at(1);
            (reading.said().and_then(|said| said.answer(id)) == Some(true)) == (sign == "+")
        };
        if kind != answer || !groups.split_whitespace().all(is_said) {
            wrong.push(format!("{line}\n  {reading:?}"));
        }
        read.insert(word);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Usercentrics and Termly keep no cookie.
    assert_eq!(read.len(), Format::all().count() - 2, "{read:?}");
}

#[test]
fn moments_and_revisions_are_found() {
    let read = |word: &str, cookie: &str| {
        let reading = Format::named(word).unwrap().read([cookie.as_bytes()], None);
        let said = reading.said().unwrap_or_else(|| panic!("{cookie}")).clone();
        (said.made.map(|time| time.0), said.revision.map(String::from))
    };
    for (word, cookie, made, revision) in [
        (
            "onetrust",
            "OptanonConsent=groups=C0001%3A1; OptanonAlertBoxClosed=2021-10-19T03:31:41.236Z",
            Some(1_634_614_301),
            None,
        ),
        (
            "cookiebot",
            "CookieConsent={stamp:%27a%27%2Cnecessary:true%2Cver:3%2Cutc:1705162226478}",
            Some(1_705_162_226),
            Some("3"),
        ),
        (
            "tcf",
            "euconsent-v2=CQSU_AAQSU_AAEsAEBENBQFgAIGAAAAAAAYgF5wAgAMgLzAAAAAA.YAAAAAAAAAAA",
            Some(1_748_736_000),
            None,
        ),
        (
            "cookiefirst",
            "cookiefirst-consent={\"functional\":true,\"timestamp\":1619848184}",
            Some(1_619_848_184),
            None,
        ),
        ("vanilla-cookieconsent", "cc_cookie={\"level\":[],\"revision\":2}", None, Some("2")),
        ("complianz", "cmplz_marketing=deny; cmplz_policy_id=35", None, Some("35")),
        ("drupal", "cookie-agreed=2; cookie-agreed-version=1.0.1", None, Some("1.0.1")),
    ] {
        assert_eq!(read(word, cookie), (made, revision.map(str::to_owned)), "{cookie}");
    }
}
