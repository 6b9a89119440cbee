//! What a site says about its visitor's side: language, texts, theme, withdrawal, and apps that may ask.

use super::pages::{ClearData, Withdraw};
use super::problem::suggest;
use super::published::tag;
use super::reading::Item;
use super::section::Section;
use crate::page::texts::{KEYS, Refused, SiteTexts};
use crate::page::theme::{Colour, Colours, Length, Theme};

/// `language:` of a site.
pub(super) fn language(item: &Item<'_>) -> Option<Box<str>> {
    let text = item.text()?;
    tag(text).or_else(|| item.fail_with(format!("`{text}` is no language"), "write a tag, e.g. `en` or `pt-BR`"))
}

/// `texts:`, by language and key.
pub(super) fn texts(item: &Item<'_>) -> Option<SiteTexts> {
    let mut texts = SiteTexts::default();
    for entry in item.entries() {
        let Some(language) = tag(entry.name()) else {
            let hint = "write a tag, e.g. `en` or `pt-BR`".to_owned();
            entry.fail_name::<()>(format!("`{}` is no language", entry.name()), Some(hint));
            continue;
        };
        for text in entry.entries() {
            let Some(words) = text.text() else { continue };
            match texts.replace(&language, text.name(), words) {
                Ok(()) => {}
                Err(error @ Refused::Unknown(_)) => {
                    let hint = suggest(text.name(), KEYS.iter().copied());
                    text.fail_name::<()>(error.to_string(), Some(hint));
                }
                Err(error @ Refused::Placeholder(_)) => {
                    text.fail::<()>(error.to_string());
                }
            }
        }
    }
    Some(texts)
}

/// `theme:`, with what can hardly be read told.
pub(super) fn theme(item: &Item<'_>) -> Option<Theme> {
    let theme = item.section(|s| Theme {
        light: colours(s),
        dark: s.read("dark", |item| item.section(colours)).unwrap_or_default(),
        radius: s.read("radius", |item| item.parse(str::parse::<Length>)),
    })?;
    for (what, ratio) in theme.unreadable() {
        let hint = "WCAG 2.2 asks for 4.5:1; choose a darker or a lighter one";
        item.warn(format!("{what} has a contrast of {ratio:.1}:1 only"), hint);
    }
    Some(theme)
}

fn colours(s: &Section<'_>) -> Colours {
    let colour = |item: &Item<'_>| item.parse(str::parse::<Colour>);
    Colours { accent: s.read("accent", colour), background: s.read("background", colour), text: s.read("text", colour) }
}

/// `withdraw:`, what goes when a visitor takes everything back.
pub(super) fn withdraw(item: &Item<'_>) -> Option<Withdraw> {
    let words = [("cookies", ClearData::Cookies), ("storage", ClearData::Storage), ("cache", ClearData::Cache)];
    item.section(|s| {
        let keep_session = s.or("keep_session", true, Item::bool);
        let clear_site_data = s.or("clear_site_data", Withdraw::default().clear_site_data, |item| {
            Some(item.one_or_many().iter().filter_map(|item| item.word(&words)).collect())
        });
        if let Some(item) =
            s.get("clear_site_data").filter(|_| keep_session && clear_site_data.contains(&ClearData::Cookies))
        {
            item.fail_with::<()>(
                "`cookies` takes the session too, which `keep_session` spares",
                "remove it: every other cookie is deleted one by one; or write `keep_session: false`",
            );
        }
        Withdraw { clear_site_data, keep_session }
    })
}

/// `app_origins:`, whose scripts may ask and choose.
pub(super) fn app_origins(item: &Item<'_>) -> Option<Vec<Box<str>>> {
    Some(item.one_or_many().iter().filter_map(app_origin).collect())
}

fn app_origin(item: &Item<'_>) -> Option<Box<str>> {
    let text = item.text()?;
    // What a browser writes into `Origin`, so that equal is equal.
    let plain = url::Url::parse(text).ok().filter(|url| url.scheme() == "https").map(|url| url.origin());
    match plain.map(|origin| origin.ascii_serialization()) {
        Some(origin) if origin == text => Some(text.into()),
        Some(origin) => {
            item.fail_with(format!("`{text}` is no origin as browsers send it"), format!("write `{origin}`"))
        }
        None => item.fail_with(format!("`{text}` is no https origin"), "write e.g. `https://app.shop.example`"),
    }
}
