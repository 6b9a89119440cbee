//! Any bytes as a `Set-Cookie` line and as a `Cookie` header: nothing panics, editing twice is editing once,
//! kept pairs keep their bytes.
#![no_main]

use std::borrow::Cow;

use consentry::cookie::{Edits, Fate, SameSite, SetCookie, UnixTime, edit, pairs, retain};
use libfuzzer_sys::fuzz_target;

const NOW: UnixTime = UnixTime(1_795_305_600);

fuzz_target!(|data: &[u8]| {
    let Some(([first, second], line)) = data.split_first_chunk() else { return };
    let cookie = SetCookie::parse(line);
    let edits = Edits {
        http_only: first & 1 != 0,
        remove_http_only: second & 1 != 0,
        secure: first & 2 != 0,
        same_site: [None, Some(SameSite::Strict), Some(SameSite::Lax), Some(SameSite::None)]
            [usize::from(first >> 2 & 3)],
        remove_domain: first & 16 != 0,
        host_prefix: first & 32 != 0,
        cap: [None, Some(0), Some(3600), Some(u64::MAX)][usize::from(first >> 6)],
    };
    let once = edit(&cookie, &edits, NOW);
    let after = SetCookie::parse(&once);
    assert!(matches!(edit(&after, &edits, NOW), Cow::Borrowed(_)), "an edited line is edited again");
    assert_eq!(after.value(), cookie.value());
    assert_eq!(after.deletes(NOW), cookie.deletes(NOW));
    assert!(!cookie.is_secure() || after.is_secure());

    let mut kept = Vec::new();
    let mut index = 0_u32;
    let left = retain(line, |pair| {
        index += 1;
        if second.rotate_left(index) & 1 != 0 {
            return Fate::Drop;
        }
        kept.push((pair.name(), pair.value()));
        Fate::Keep
    });
    match left {
        Some(left) => assert!(pairs(&left).map(|pair| (pair.name(), pair.value())).eq(kept)),
        None => assert!(kept.is_empty()),
    }
});
