//! Finds the URLs that an inline script makes the browser load: the snippet of a service whose signature
//! nobody has written down, known by the host that it loads.
//!
//! A script is emptied whole, so a mistake breaks a page, while a loader that slips through meets the guard in
//! the browser. Hence a URL in a script says nothing by itself (share links, configuration, data); it counts
//! where it is handed to something that fetches, or looks like a script in a text that creates elements.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use url::Url;

use super::snippets::{Script, is_word};

/// What stands right before a URL that is fetched; `src=` also in HTML that is written by script.
const FETCHES: &[&str] = &[
    "src=",
    "src=[",
    "require([",
    "setAttribute('src',",
    "import",
    "import(",
    "from",
    "importScripts(",
    "fetch(",
    "sendBeacon(",
    "WebSocket(",
    "EventSource(",
    "getScript(",
    "getJSON(",
    "loadScript(",
    "ajax(",
    "ajax({url:",
    ".open('GET',",
    ".open('POST',",
];

/// What stands right before a URL that the visitor may follow.
const FOLLOWS: &[&str] =
    &["href=", "href:", "href':", "action=", "location=", "assign(", "replace(", "open(", "setAttribute('href',"];

/// What makes elements: then a script's URL may be on its way into one by way of a variable or argument.
const CREATES: &[&str] = &[
    "createElement(",
    "document.write",
    "insertAdjacentHTML(",
    "innerHTML",
    "insertBefore(",
    "appendChild(",
    "new Image",
];

/// Longer texts are programs that load something among other things: only a signature speaks for them.
const LONGEST: usize = 16 << 10;

/// Shorter ones that create an element and hold a URL do little else than load it.
const SHORT: usize = 700;

/// How far back an assignment or call may begin whose URL is put together of pieces.
const EXPRESSION: usize = 160;

/// No host and path that a rule could name is longer; keeps the work linear.
const LITERAL: usize = 1024;

static CREATING: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(CREATES).expect("a handful of constants make a small automaton"));

/// Where a URL, or the end of one that is put together, may begin.
static STARTS: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(["//", "+'"]).expect("two constants make a small automaton"));

/// The URLs that a script loads.
pub(super) fn loads(script: &Script) -> impl Iterator<Item = Url> + '_ {
    let text = Some(script.as_str()).filter(|text| text.len() <= LONGEST).unwrap_or_default();
    let creates = CREATING.is_match(text);
    let starts = STARTS.find_iter(text).map(|start| (start.pattern().as_usize() == 0, start.start(), start.end()));
    starts
        .filter_map(
            move |(slashes, start, end)| if slashes { after_slashes(text, start, end) } else { after_plus(text, end) },
        )
        .filter(move |literal| literal.is_loaded(text.len() <= SHORT, creates))
        .flat_map(|literal| literal.urls())
}

/// A piece of script that reads as a URL, or as the end of one, from its host on.
#[derive(Debug)]
struct Literal<'a> {
    /// What stands before it, without quote and scheme.
    before: &'a str,
    /// From the host, or a dot before the rest of it, to the closing quote.
    rest: &'a str,
}

/// `'//host/…`, `'https://host/…`, `p+'://host/…`, `src=//host/…`, `%22https://host/…`.
fn after_slashes(text: &str, start: usize, end: usize) -> Option<Literal<'_>> {
    let before = &text[..start];
    let before = ["https:", "http:", "wss:", "ws:", ":"].iter().find_map(|s| before.strip_suffix(s)).unwrap_or(before);
    // A comment (`// see //host/x.js`) has neither before it.
    let unquoted = ["'", "%22", "%27"].iter().find_map(|quote| before.strip_suffix(quote));
    let before = unquoted.or_else(|| before.ends_with('=').then_some(before))?;
    Literal::new(before, &text[end..])
}

/// `…+'.host/…'` and `…+'host/…'`.
fn after_plus(text: &str, end: usize) -> Option<Literal<'_>> {
    let literal = Literal::new(&text[..end - 1], &text[end..])?;
    let (host, _) = literal.rest.split_once('/')?;
    host.trim_start_matches('.').contains('.').then_some(literal)
}

impl<'a> Literal<'a> {
    fn new(before: &'a str, rest: &'a str) -> Option<Self> {
        let rest = &rest[..rest.floor_char_boundary(LITERAL)];
        let end = rest.find(['\'', '<', '>', '\\', ' ', ')', '|']).unwrap_or(rest.len());
        let rest = rest[..end].split("%22").next()?.split("%27").next()?;
        rest.starts_with(|c| is_word(c) || matches!(c, '.' | '[')).then_some(Self { before, rest })
    }

    fn is_loaded(&self, short: bool, creates: bool) -> bool {
        let said = |words: &[&str]| match self.expression() {
            Some(expression) => words.iter().any(|word| !word.ends_with(is_word) && expression.contains(word)),
            None => words.iter().any(|word| self.before.ends_with(word)),
        };
        said(FETCHES) || self.is_sheet() || (creates && !said(FOLLOWS) && (short || self.is_script()))
    }

    /// Where the URL is joined or chosen (`a.src=('https:'==…?'https://ssl':'http://www')+`), what leads to it.
    fn expression(&self) -> Option<&'a str> {
        let joined = self.before.ends_with(['+', ':', '?']);
        let window = &self.before[self.before.ceil_char_boundary(self.before.len().saturating_sub(EXPRESSION))..];
        joined.then(|| &window[window.rfind([';', '{', '}']).map_or(0, |at| at + 1)..])
    }

    /// `/ajs.php` is what ad servers of the OpenX family call theirs.
    fn is_script(&self) -> bool {
        let path = self.rest.split(['?', '#']).next().unwrap_or_default();
        [".js", "/js", "/ajs.php"].iter().any(|end| path.ends_with(end))
    }

    /// The `href` of a style sheet in HTML that is written by script: nobody follows that.
    fn is_sheet(&self) -> bool {
        let window = &self.before[self.before.ceil_char_boundary(self.before.len().saturating_sub(EXPRESSION))..];
        let tag = window.rfind('<').map_or("", |at| &window[at..]);
        tag.starts_with("<link") && tag.contains("stylesheet") && tag.trim_end_matches('\\').ends_with("href=")
    }

    /// A rest that begins with a dot lacks the first label of its host, as in Google's old snippets.
    fn urls(&self) -> impl Iterator<Item = Url> + use<> {
        let (hosts, rest): (&[&str], _) = match self.rest.strip_prefix('.') {
            Some(rest) => (&["www.", "ssl.", ""], rest.to_owned()),
            None => (&[""], self.rest.to_owned()),
        };
        hosts.iter().filter_map(move |label| Url::parse(&format!("https://{label}{rest}")).ok())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn loads_tracker(text: &str) -> bool {
        let script = Script::new(text);
        loads(&script).any(|url| url.host_str().is_some_and(|host| host == "t.example" || host.ends_with(".t.example")))
    }

    #[test]
    fn loaders_are_seen() {
        for text in [
            "(function(i,s,o,g,r,a,m){a=s.createElement(o);a.async=1;a.src=g})(window,document,'script','//www.t.example/analytics.js','ga');",
            "var j=d.createElement(s);j.async=true; j.src = \"https://t.example/gtm.js?id=\"+i+dl;",
            "var ga=document.createElement('script');ga.src = ('https:' == document.location.protocol ? 'https://ssl' : 'http://www') + '.t.example/ga.js';",
            "document.write(unescape(\"%3Cscript src='\" + host + \"t.example/ga.js' type='text/javascript'%3E%3C/script%3E\"));",
            "document.write('<script src=\"//t.example/x\"><\\/script>')",
            "document.write(unescape('%3Cscript src=%22https://t.example/x%22%3E'))",
            "s.src=\"https:\\/\\/t.example\\/x\"",
            "var js,p=/^http:/.test(d.location)?'http':'https';js.src=p+'://t.example/widgets.js'",
            "var d=new Image(1,1);d.src=[\"//t.example/m?si=\",escape(l)].join('')",
            "new Image().src='https://t.example/px?x=1'",
            "fetch(`https://t.example/collect`)",
            "navigator.sendBeacon(\"//t.example/c\", d)",
            "import('https://t.example/m.js')",
            "import t from 'https://t.example/m.js'",
            "$.getScript('//t.example/x')",
            "loadScript(\"https://t.example/x.js\")",
            "x.open('POST', 'https://t.example/x')",
            "new WebSocket('wss://t.example/x')",
            "(function(u){var s=document.createElement('script');s.src=u+'7'})('https://t.example/c/hj-');",
            "e.setAttribute('src', 'https://t.example/w')",
            "document.write('<link rel=\"stylesheet\" href=\"//t.example/f.css\">')",
            &format!(
                "{}var u=(a?'https://t.example/ajs.php?':'');document.write('<scr'+'ipt src='+u)",
                "f(1);".repeat(200)
            ),
            "document.getElementById('v').innerHTML='<iframe src=\"https://t.example/embed/1\"></iframe>'",
        ] {
            assert!(loads_tracker(text), "{text}");
        }
    }

    #[test]
    fn scripts_that_only_name_a_host_are_left_alone() {
        let share = "var a=document.createElement('a');a.href='https://t.example/sharer?u='+location.href;document.body.appendChild(a);";
        let data = "window.__DATA__={\"video\":\"https://t.example/embed/x\",\"sdk\":\"https://t.example/sdk.js\"}";
        let page = format!(
            "{};var p={{video:'https://t.example/embed/1'}};m=document.createElement('div');",
            "f(1);".repeat(200)
        );
        let program = format!("{};x.src='https://t.example/x.js'", "f(1);".repeat(5000));
        for text in [
            share,
            data,
            &page,
            &program,
            "window.open('https://t.example/share')",
            "location='https://t.example/login'",
            "if (document.referrer.indexOf('https://t.example/')>=0) show()",
            "// t.src='x' see https://t.example/x.js\nvar s=document.createElement('script');s.src='/app.js';",
            "var s=document.createElement('script');s.src='/js/app.js';",
            "el.innerHTML='<link rel=\"canonical\" href=\"https://t.example/page\">';padding(".repeat(30).as_str(),
            "el.innerHTML='<a href=\"https://t.example/page\">Follow us</a>'",
            "",
        ] {
            assert!(!loads_tracker(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([é'+/.:=?; ]|src=|https://|t.example|createElement\\(|%22|.js){0,40}") {
            loads(&Script::new(&text)).count();
        }
    }
}
