//! The parts of a policy that differ by language or region, and those that only its readers see.

use super::HostName;
use super::problem::did_you_mean;
use super::reading::Item;
use super::section::Section;
use crate::policy::{Change, Law, Region, RegionalLink, Translation};

const LAWS: [(&str, Law); 3] = [("opt-in", Law::OptIn), ("opt-out", Law::OptOut), ("implied", Law::Implied)];

/// The key for all regions that a mapping by region does not name.
const ELSEWHERE: &str = "elsewhere";

/// What to write instead of `german`.
const TAGS: &str = "write a tag, e.g. `en` or `pt-BR`";

/// The language of the policy's own texts, against which translations are read.
pub(super) struct Language(Box<str>);

impl Language {
    /// `language:` of a policy.
    pub(super) fn read(s: &Section<'_>) -> Self {
        let read = |item: &Item<'_>| {
            let text = item.text()?;
            tag(text).or_else(|| item.fail_with(format!("`{text}` is no language"), TAGS))
        };
        Self(s.or("language", "en".into(), read))
    }

    pub(super) fn into_tag(self) -> Box<str> {
        self.0
    }

    /// A text, or a mapping from languages to texts, of which the policy's own must be one.
    pub(super) fn texts(&self, item: &Item<'_>) -> Option<(Box<str>, Vec<Translation>)> {
        if !item.is_map() {
            return Some((item.boxed()?, Vec::new()));
        }
        let mut own = None;
        let mut others = Vec::new();
        for entry in item.entries() {
            let language = tag(entry.name())
                .or_else(|| entry.fail_name(format!("`{}` is no language", entry.name()), Some(TAGS.to_owned())));
            let (Some(language), Some(text)) = (language, entry.boxed()) else { continue };
            if language == self.0 {
                own = Some(text);
            } else {
                others.push(Translation { language, text });
            }
        }
        match own {
            Some(own) => Some((own, others)),
            None => {
                let hint = format!("add `{}: …`, or name another `language` for the whole policy", self.0);
                item.fail_with(format!("there is no text in `{}`, the language of the policy", self.0), hint)
            }
        }
    }

    /// What [`Language::texts`] makes of a key, if it is there.
    pub(super) fn optional(&self, s: &Section<'_>, key: &'static str) -> (Option<Box<str>>, Vec<Translation>) {
        s.read(key, |item| self.texts(item)).map_or((None, Vec::new()), |(own, others)| (Some(own), others))
    }

    /// `changes:`, the history of the policy.
    pub(super) fn changes(&self, item: &Item<'_>, current: u64) -> Vec<Change> {
        let read = |s: &Section<'_>| {
            let version = s.need("version", |item| match item.integer(1..=u64::from(u32::MAX))? {
                version if version <= current => Some(version),
                version => item.fail(format!("{version} is newer than the policy, whose version is {current}")),
            });
            let date = s.read("date", date);
            let (text, texts) = s.need("text", |item| self.texts(item))?;
            Some(Change { version: version?, date, text, texts })
        };
        item.list().iter().filter_map(|item| item.section(read).flatten()).collect()
    }
}

/// A language tag (BCP 47), in lower case.
pub(super) fn tag(text: &str) -> Option<Box<str>> {
    let tag = text.to_ascii_lowercase();
    let mut parts = tag.split('-');
    let first = parts.next().is_some_and(|p| matches!(p.len(), 2 | 3) && p.bytes().all(|b| b.is_ascii_lowercase()));
    let rest = parts.all(|p| matches!(p.len(), 1..=8) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
    (first && rest).then(|| tag.into())
}

/// `law:`, one for all or by region.
pub(super) fn laws(item: &Item<'_>) -> Option<(Law, Vec<(Region, Law)>)> {
    by_region(item, |item| item.word(&LAWS)).and_then(|(elsewhere, regions)| match elsewhere {
        Some(elsewhere) => Some((elsewhere, regions)),
        None => item.fail_with("no law for the rest of the world", format!("add e.g. `{ELSEWHERE}: opt-in`")),
    })
}

/// An address, or a mapping from regions to addresses.
pub(super) fn links(s: &Section<'_>, key: &'static str) -> (Option<Box<str>>, Vec<RegionalLink>) {
    let Some((all, regions)) = s.read(key, |item| by_region(item, link)) else { return (None, Vec::new()) };
    (all, regions.into_iter().map(|(region, url)| RegionalLink { region, url }).collect())
}

/// One value for all regions, or a mapping: what stands at `elsewhere`, and what at each region.
#[expect(clippy::type_complexity, reason = "two lists that are taken apart at once")]
fn by_region<T>(item: &Item<'_>, read: impl Fn(&Item<'_>) -> Option<T>) -> Option<(Option<T>, Vec<(Region, T)>)> {
    if !item.is_map() {
        return Some((Some(read(item)?), Vec::new()));
    }
    let (mut elsewhere, mut regions) = (None, Vec::new());
    for entry in item.entries() {
        if entry.name() == ELSEWHERE {
            elsewhere = read(&entry);
            continue;
        }
        match Region::parse(entry.name()) {
            Ok(region) => regions.extend(read(&entry).map(|value| (region, value))),
            Err(error) => {
                let hint = did_you_mean(entry.name(), [ELSEWHERE]).map(|meant| format!("did you mean \"{meant}\"?"));
                entry.fail_name::<()>(error.to_string(), hint);
            }
        }
    }
    // The first that has the country counts, so the narrower must stand before the wider.
    regions.sort_by_key(|(region, _)| match region {
        Region::Country(_) => 0,
        Region::Eu => 1,
        Region::Eea => 2,
    });
    Some((elsewhere, regions))
}

/// A link that visitors may follow.
fn link(item: &Item<'_>) -> Option<Box<str>> {
    let text = item.text()?;
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Some(text.into()),
        _ => item.fail(format!("`{text}` is no http(s) address")),
    }
}

/// `domains:`, the hosts to which a visitor's consent applies, as sites name theirs.
pub(super) fn domains(item: &Item<'_>) -> Option<Vec<Box<str>>> {
    let host = |item: &Item<'_>| Some(item.parse(HostName::parse)?.to_string().into());
    Some(item.one_or_many().iter().filter_map(host).collect())
}

/// `YYYY-MM-DD`, a day that exists.
pub(super) fn date(item: &Item<'_>) -> Option<Box<str>> {
    let text = item.text()?;
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, len| (part.len() == len).then(|| part.parse::<u32>().ok()).flatten();
    if let [year, month, day] = parts[..]
        && let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
    {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        if (1..=days).contains(&day) {
            return Some(text.into());
        }
    }
    item.fail(format!("`{text}` is no date; write e.g. `2026-01-31`"))
}
