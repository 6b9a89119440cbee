//! The inputs of html5lib's tests of tokenizers and tree builders, with refused elements put into them: whatever state
//! a browser is in there, nothing refused lives on, and nothing else changes.

use super::browser::Browser;
use super::*;

/// One input a line, as a JSON string. Inputs of tokenizers stand behind a tag that leads into their state.
const INPUTS: [(&str, usize); 2] = [
    (include_str!("../../../tests/golden/html5lib/tree-construction.jsonl"), 1630),
    (include_str!("../../../tests/golden/html5lib/tokenizer.jsonl"), 2114),
];

const REFUSED: [&str; 5] = [
    "<img src=//bad.example/>",
    "<script src='//bad.example/'></script>",
    "<a ping=//bad.example/>",
    "<svg><image href=//bad.example/ /></svg>",
    "<object data=//bad.example/></object>",
];

/// Leads out of whatever may be open.
const CLOSED: &str =
    "\"'>--></script></style></textarea></title></xmp></iframe></noframes></svg></math></select></table>";

#[test]
fn no_input_hides_what_is_refused_or_suffers_for_it() {
    let settings = settings();
    // All of them takes minutes without optimisation: `HTML5LIB=1` does.
    let step = if std::env::var_os("HTML5LIB").is_some() { 1 } else { 7 };
    let mut wrong = Vec::new();
    for (file, expected) in INPUTS {
        let inputs: Vec<String> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(inputs.len(), expected);
        for (number, input) in inputs.iter().enumerate().step_by(step) {
            let refused = REFUSED[number % REFUSED.len()];
            let mut pages = vec![format!("{input}{refused}"), format!("{input}{CLOSED}{refused}")];
            let places: Vec<_> =
                input.match_indices(['<', '>']).map(|(at, sign)| at + usize::from(sign == ">")).collect();
            let every = if step == 1 { 1 } else { places.len().max(1) };
            pages.extend(places.iter().skip(number % every).step_by(every).map(|at| {
                let (before, after) = input.split_at(*at);
                format!("{before}{refused}{after}")
            }));
            wrong.extend(pages.iter().filter_map(|page| check(&settings, page).err()));
        }
    }
    assert!(wrong.is_empty(), "{} pages\n{}", wrong.len(), wrong.join("\n"));
}

fn check(settings: &Settings, page: &str) -> Result<(), String> {
    let (out, result, changed) = pieces(settings, std::iter::once(page.as_bytes()));
    result.map_err(|error| format!("{page:?}: {error}"))?;
    let text = String::from_utf8(out).map_err(|_| format!("{page:?} became no text"))?;
    if changed != (text != page) {
        return Err(format!("{page:?} became {text:?}, and changed() says {changed}"));
    }
    let (bytewise, ..) = pieces(settings, page.as_bytes().chunks(1));
    if bytewise != text.as_bytes() {
        return Err(format!("{page:?} became {text:?}, byte by byte {:?}", lossy(&bytewise)));
    }
    for scripting in [true, false] {
        let left = Browser { settings, scripting }.contacts(&text);
        if !left.is_empty() {
            return Err(format!("{page:?} became {text:?}, with {left:?}, scripting {scripting}"));
        }
    }
    let granted = Settings { grant: granted().grant, ..settings.clone() };
    let (same, ..) = pieces(&granted, page.as_bytes().chunks(5));
    if same == page.as_bytes() { Ok(()) } else { Err(format!("{page:?}, granted, became {:?}", lossy(&same))) }
}
