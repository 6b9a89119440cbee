//! Any text as a rule of a policy and as the URL of a tag: nothing panics, a rule means what it prints, and the
//! index finds what a plain comparison of hosts finds.
#![no_main]

use consentry::policy::{HostPattern, UrlIndex, resolve};
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|data: (&str, &str, &str)| {
    let (rule, base, raw) = data;
    let base = Url::parse(base).unwrap_or_else(|_| Url::parse("https://shop.example/a/b?c").expect("a constant"));
    let url = resolve(&base, raw);
    let Ok(pattern) = HostPattern::parse(rule) else { return };
    let again = HostPattern::parse(&pattern.to_string());
    assert_eq!(again.as_ref(), Ok(&pattern), "a rule reads otherwise once it was printed");

    let index = UrlIndex::new([(pattern.clone(), ())]);
    let everywhere = Url::parse(&format!("https://{}/", pattern.host));
    if pattern.path.is_empty()
        && let Ok(own) = everywhere
    {
        assert!(index.find(&own).is_some(), "a rule does not hold for its own host");
    }
    let Some(url) = url else { return };
    let found = index.find(&url).is_some();
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_suffix('.').unwrap_or(host);
    let below = || host.strip_suffix(&*pattern.host).is_some_and(|label| label.ends_with('.'));
    let contacts = matches!(url.scheme(), "http" | "https" | "ws" | "wss");
    let of_host = pattern.host.is_empty() || host == &*pattern.host || (pattern.subdomains && below());
    assert!(!found || (contacts && of_host), "{pattern} was found for {url}");
    if pattern.path.is_empty() {
        assert_eq!(found, contacts && of_host, "{pattern} for {url}");
    }
});
