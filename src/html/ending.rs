//! Whether a page ends between its elements, so that something may be appended: behind a tag, comment or text that was
//! never finished, it would finish that, or be read as a part of it.

use std::sync::{Arc, Mutex};

use lol_html::errors::RewritingError;
use lol_html::send::HtmlRewriter;

use super::document::lock;
use super::page::Page;
use super::parser::Sink;

/// The name of an element that no page has: where the parser sees its tag, a tag is one.
pub(super) const ASKED: &str = "consentry-end";

/// What is known of the end of a document.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// Bytes of the document that the parser was given and has not handed back: it holds a tag together.
    kept: isize,
    /// The parser has seen the tag that no page has.
    pub(super) in_content: bool,
}

impl Ending {
    /// The parser gets so many bytes.
    pub(super) fn feed(&mut self, length: usize) {
        self.kept += length.cast_signed();
    }

    /// It is done with so many.
    pub(super) fn take(&mut self, length: usize) {
        self.kept -= length.cast_signed();
    }
}

/// Asks the parser, which has got all of the document, where it stands. To be asked last: it sees one tag more.
pub(super) fn ask(page: &Arc<Mutex<Page>>, parser: &mut HtmlRewriter<'static, Sink>) -> Result<(), RewritingError> {
    {
        let mut page = lock(page);
        if !page.appends() || page.ending.kept != 0 {
            return Ok(());
        }
        page.progress.telling = true;
    }
    let result = parser.write(format!("<{ASKED}>").as_bytes());
    lock(page).progress.telling = false;
    result
}
