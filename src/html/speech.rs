//! In which language we speak on a page: the one that the page says it is in (`<html lang>`), where we can; else the
//! visitor's.

use std::sync::Arc;

use super::page::Page;
use crate::filter::accept_language;
use crate::page::texts::{SiteTexts, Texts};

/// What we can say, and in which languages.
#[derive(Debug, Clone, Default)]
pub struct Speech {
    /// The tag of the language for pages that do not say theirs.
    pub language: Box<str>,
    /// The tags of all others, in lower case.
    pub offered: Arc<[Box<str>]>,
    /// What is said in each.
    pub texts: SiteTexts,
}

impl Page {
    /// The page says in which language it is. The first to say so counts.
    pub(super) fn is_in(&mut self, tag: &str) {
        let speech = &self.settings.speech;
        if self.place.depth == 0 && self.place.language.is_none() {
            self.place.language = accept_language::of_tag(tag, &speech.offered).map(Into::into);
        }
    }

    /// The tag of the language to speak here.
    pub(super) fn language(&self) -> &str {
        self.place.language.as_deref().unwrap_or(&self.settings.speech.language)
    }

    /// The same, if the browser has asked for another.
    pub(super) fn named(&self) -> Option<&str> {
        self.place.language.as_deref().filter(|tag| **tag != *self.settings.speech.language)
    }

    /// What we say in it.
    pub(super) fn texts(&self) -> &Texts {
        self.settings.speech.texts.of(self.language())
    }
}
