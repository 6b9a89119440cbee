//! Any text in the small forms that we read: nothing panics, and what was read and written again reads the same.
#![no_main]

#[path = "../../../src/api/json.rs"]
mod json;
#[path = "../../../src/cli/scan/robots.rs"]
mod robots;

use consentry::receipt::{Entry, day_or_time, stamp};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (&str, &str)| {
    let (text, target) = data;
    // A posted choice.
    if let Some(form) = json::to_form(text.as_bytes()) {
        let fields = url::form_urlencoded::parse(&form);
        assert!(fields.filter(|(name, _)| name == "decision").count() == 1, "not one decision");
    }
    // A record in the store.
    if let Ok(entry) = Entry::parse(text) {
        let written = entry.canonical();
        assert_eq!(Entry::parse(&written).map(|again| again.canonical()).ok(), Some(written));
    }
    // A time that an operator types.
    if let Some(time) = day_or_time(text) {
        assert_eq!(day_or_time(&stamp(time)), Some(time));
    }
    // What a site asks of crawlers.
    let robots = robots::Robots::parse(text);
    let _ = (robots.allows(target), robots.delay);
    assert!(!robots::Robots::forbid_all().allows("/"));
});
