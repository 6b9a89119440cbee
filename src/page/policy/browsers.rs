//! Where each browser keeps its switches for cookies, in our words. Names of menus change; the ways are those of 2026.

use crate::page::texts::Texts;

/// One browser.
#[derive(Debug, Clone, Copy)]
pub(super) struct Browser<'a> {
    pub(super) name: &'static str,
    pub(super) steps: &'a str,
}

pub(super) fn browsers(texts: &Texts) -> [Browser<'_>; 6] {
    [
        ("Chrome", &texts.browser_chrome),
        ("Firefox", &texts.browser_firefox),
        ("Safari", &texts.browser_safari),
        ("Edge", &texts.browser_edge),
        ("iPhone, iPad (iOS)", &texts.browser_ios),
        ("Android", &texts.browser_android),
    ]
    .map(|(name, steps)| Browser { name, steps })
}
