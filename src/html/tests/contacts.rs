//! Whom a page contacts, told apart from what becomes of it.

use super::*;

fn contacts(limit: usize, page: &str) -> Vec<String> {
    let limits = Limits { contacts: limit, ..Limits::default() };
    let mut rewriter = Rewriter::new(Settings { gating: Gating::Neutralise, limits, ..settings() });
    let mut out = Vec::new();
    rewriter.write(page.as_bytes(), &mut out).unwrap();
    rewriter.end(&mut out).unwrap();
    let told = rewriter.contacts().into_iter().map(|contact| format!("{} {}", contact.element, contact.url));
    told.collect()
}

#[test]
fn contacts_are_told_whether_granted_or_not() {
    let page = "<base href=//cdn.example/b/><SCRIPT src=a.js></SCRIPT><img src=//bad.example/i><img src=data:,x>\
                <noscript><img src=//bad.example/n></noscript><iframe srcdoc='&lt;img src=//in.example/>'></iframe>\
                <link rel=canonical href=//no.example><a href=//no.example ping=//p.example>x</a><img src=//bad.example/i>";
    let expected = [
        "script https://cdn.example/b/a.js",
        "img https://bad.example/i",
        "img https://bad.example/n",
        "img https://in.example/",
        "a https://p.example/",
    ];
    assert_eq!(contacts(100, page), expected);
    assert_eq!(contacts(2, page), expected[..2]);
    assert_eq!(contacts(0, page), [""; 0], "the proxy pays for none");
}
