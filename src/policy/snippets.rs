//! Finds known text in inline scripts, whatever their white space and quotes.
//!
//! Both sides are normalised first; then one automaton looks for all signatures in one pass.

use aho_corasick::{AhoCorasick, Anchored, Input, MatchKind};

/// An inline script, made comparable: see [`Script::new`].
#[derive(Debug, Clone)]
pub struct Script(String);

impl Script {
    /// Drops white space, except where it parts two words (`new YT.Player`), turns every quote into `'`, and
    /// takes off the backslash before a quote or slash (`"\/\/host\/"` in JSON-minded code).
    pub fn new(text: &str) -> Self {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut space = false;
        while !rest.is_empty() {
            // Most bytes stay as they are.
            let stay = rest.bytes().position(|byte| CHANGES[usize::from(byte)]).unwrap_or(rest.len());
            let (now, later) = rest.split_at(stay);
            append(&mut out, now, &mut space);
            let mut chars = later.chars();
            let Some(c) = chars.next() else { break };
            rest = chars.as_str();
            match c {
                // The byte order mark counts as white space in scripts.
                '\u{feff}' => space = true,
                c if c.is_whitespace() => space = true,
                '"' | '`' => append(&mut out, "'", &mut space),
                '\\' if rest.starts_with(['/', '"', '\'', '`']) => {}
                c => append(&mut out, c.encode_utf8(&mut [0; 4]), &mut space),
            }
        }
        Self(out)
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which bytes of a script may have to be changed.
static CHANGES: [bool; 256] = {
    let mut changes = [false; 256];
    let mut byte = 0;
    while byte < changes.len() {
        changes[byte] =
            byte >= 0x80 || byte == 0x20 || matches!(byte, 9..=13) || matches!(byte as u8, b'"' | b'`' | b'\\');
        byte += 1;
    }
    changes
};

/// Appends text that stays as it is; `space` says whether there was white space before it.
fn append(out: &mut String, text: &str, space: &mut bool) {
    let Some(first) = text.chars().next() else { return };
    if std::mem::take(space) && out.chars().next_back().is_some_and(is_word) && is_word(first) {
        out.push(' ');
    }
    out.push_str(text);
}

/// What may stand inside a name of JavaScript.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// Answers "whose snippet?" for all signatures at once.
#[derive(Debug)]
pub struct SnippetIndex<T> {
    /// In the order written.
    items: Vec<T>,
    /// Whether the signature starts inside a word unless something else stands before it.
    starts_word: Vec<bool>,
    signatures: Option<AhoCorasick>,
}

/// One signature in a script.
#[derive(Debug, Clone)]
pub struct Hit<'a, T> {
    /// Whose it is.
    pub item: &'a T,
    /// Where it stands in the normalised script, in bytes.
    pub span: std::ops::Range<usize>,
}

impl<T> SnippetIndex<T> {
    /// Takes the signatures in the order in which they are written; those of white space alone never match.
    pub fn new<'s>(rules: impl IntoIterator<Item = (&'s str, T)>) -> Self {
        let (mut items, mut texts) = (Vec::new(), Vec::new());
        for (text, item) in rules {
            let text = Script::new(text).0;
            if !text.is_empty() {
                items.push(item);
                texts.push(text);
            }
        }
        let starts_word = texts.iter().map(|text| text.starts_with(is_word)).collect();
        let signatures = (!texts.is_empty()).then(|| {
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(&texts)
                .expect("a policy has far fewer than 2^31 bytes of signatures")
        });
        Self { items, starts_word, signatures }
    }

    /// The signatures in a script from start to end; where several start at one place, the longest, and of
    /// equal ones the first written. They do not overlap.
    pub fn hits<'a>(&'a self, script: &'a Script) -> impl Iterator<Item = Hit<'a, T>> + 'a {
        let text = script.as_str();
        let mut from = 0;
        std::iter::from_fn(move || {
            loop {
                let input = Input::new(text).span(from..text.len()).anchored(Anchored::No);
                let found = self.signatures.as_ref()?.find(input)?;
                let at = found.pattern().as_usize();
                // `gtag(` is not in `mygtag(`.
                if self.starts_word[at] && text[..found.start()].ends_with(is_word) {
                    from = found.start() + text[found.start()..].chars().next().map_or(1, char::len_utf8);
                    continue;
                }
                from = found.end();
                return Some(Hit { item: &self.items[at], span: found.range() });
            }
        })
    }

    /// The longest signature in a script; between equals the first in the script.
    pub fn find<'a>(&'a self, script: &'a Script) -> Option<&'a T> {
        let longest = self.hits(script).reduce(|best, hit| if hit.span.len() > best.span.len() { hit } else { best });
        longest.map(|hit| hit.item)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hits(signatures: &[&str], text: &str) -> Vec<usize> {
        let index = SnippetIndex::new(signatures.iter().copied().zip(0usize..));
        let script = Script::new(text);
        index.hits(&script).map(|hit| *hit.item).collect()
    }

    #[test]
    fn white_space_and_quotes_do_not_matter() {
        let cases: &[(&str, &str)] = &[
            ("fbq('init'", "fbq( \"init\" , '1')"),
            ("fbq(\"init\"", "fbq(\n\t`init`,1)"),
            ("gtag('js', new Date", "gtag(\"js\",new Date())"),
            ("gtag('js', new Date", "gtag( 'js' ,  new\u{a0}\n Date ( ))"),
            ("gtag('config'", "if (x) return gtag('config','G-1')"),
            ("gtag('config'", "window.gtag('config','G-1')"),
            ("_gaq = _gaq", "var _gaq=_gaq||[];"),
            ("new YT.Player", "p=new  YT . Player('x')"),
            ("_vis_opt_", "_vis_opt_cookieDays"),
            ("'facebook-jssdk'", "}(document,\"script\",\"facebook-jssdk\")"),
            ("mc.yandex.ru/metrika", "'https:\\/\\/mc.yandex.ru\\/metrika\\/tag.js'"),
            ("_hjSettings", "\u{feff}_hjSettings={}"),
        ];
        for (signature, text) in cases {
            assert_eq!(hits(&[signature], text), [0], "{signature} in {text}");
        }
    }

    #[test]
    fn parts_of_other_words_do_not_count() {
        let cases: &[(&str, &str)] = &[
            ("gtag('config'", "mygtag('config')"),
            ("gtag('config'", "$gtag('config')"),
            ("gtag('config'", "ägtag('config')"),
            ("_gaq", "x_gaq.push"),
            ("new YT.Player", "newYT.Player()"),
            ("new YT.Player", "renew YT.Player()"),
            ("fbq('init'", "fbq('initial'"),
            ("fbq('init'", "FBQ('init'"),
            (" \n", "anything"),
        ];
        for (signature, text) in cases {
            assert_eq!(hits(&[signature], text), [0usize; 0], "{signature} in {text}");
        }
        // A refused place does not hide the next.
        assert_eq!(hits(&["hj("], "xhj(hj(1))"), [0]);
    }

    #[test]
    fn every_service_in_a_script_is_seen_and_the_longest_names_it() {
        let signatures = ["gtag('config'", "gtag('config', 'AW-", "fbq('init'"];
        assert_eq!(hits(&signatures, "gtag('config','AW-1');fbq('init',1);gtag('config','G-1')"), [1, 2, 0]);
        let index = SnippetIndex::new(signatures.into_iter().zip(0..));
        assert_eq!(index.find(&Script::new("gtag('config','G-1');gtag('config','AW-1')")), Some(&1));
        assert_eq!(SnippetIndex::new([("a(", 0), ("a (", 1)]).find(&Script::new("a()")), Some(&0));
    }

    /// Said one character at a time.
    fn slowly(text: &str) -> String {
        let (mut out, mut last, mut space) = (String::new(), ' ', false);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let c = match c {
                c if c.is_whitespace() || c == '\u{feff}' => {
                    space = true;
                    continue;
                }
                '\\' if matches!(chars.peek(), Some('/' | '"' | '\'' | '`')) => continue,
                '"' | '`' => '\'',
                c => c,
            };
            if space && is_word(last) && is_word(c) {
                out.push(' ');
            }
            (space, last) = (false, c);
            out.push(c);
        }
        out
    }

    proptest! {
        #[test]
        fn scripts_are_made_comparable_character_by_character(text in "([a-c$_ \n\t\"'`/\\\\é\u{a0}\u{feff}\u{85}0;]|\\PC){0,40}") {
            let script = Script::new(&text);
            prop_assert_eq!(script.as_str(), slowly(&text));
        }

        #[test]
        fn spacing_and_quoting_change_nothing(
            words in prop::collection::vec("[a-c(.,;]{1,3}|'", 1..16),
            gaps in prop::collection::vec("[ \n\t]{0,2}", 16),
            quotes in prop::collection::vec("['\"`]", 16),
        ) {
            let plain = words.join(" ");
            let mut spaced = String::new();
            for ((word, gap), quote) in words.iter().zip(&gaps).zip(&quotes) {
                spaced += &format!("{} {gap}", if word == "'" { quote } else { word });
            }
            prop_assert_eq!(Script::new(&plain).0, Script::new(&spaced).0);
        }

        #[test]
        fn no_text_panics(signatures in prop::collection::vec(any::<String>(), 0..4), text in any::<String>()) {
            let index = SnippetIndex::new(signatures.iter().map(|s| (s.as_str(), ())));
            index.find(&Script::new(&text));
            index.find(&Script::new(&signatures.concat()));
        }
    }
}
