//! The names in a script: whose they are, and where they end.

/// Frameworks' names begin so. Not all that begin with two underscores: trackers have such names too, and what Next.js
/// has in `__next_s` are scripts that it runs.
pub(super) const NAMES: &str = "__next_f __NEXT __N_ __NUXT __nuxt __remix __reactRouter __staticRouter __APOLLO \
    __apollo __sveltekit __INITIAL __PRELOAD __REDUX __VUE __PINIA __pinia __RELAY __URQL __REACT __TANSTACK __TSR \
    __TSS __SSR __GATSBY ___gatsby ___loader ___webpack ___chunk __ASTRO __QWIK __LOADABLE __SOLID __FRSH __WAKU \
    __vike __VIKE __rsc __RSC $_TSR _$HY INITIAL_STATE qwikevents";

/// What may be called among literals: it makes one of another, and does nothing else.
const MAKERS: &str = "JSON.parse Date Map Set URL URLSearchParams Headers BigInt Symbol Symbol.for RegExp Number String \
    Boolean Array Array.from Array.of Array.prototype.slice.call Object Object.freeze Object.seal Object.assign \
    Object.create Object.fromEntries Object.defineProperty Object.defineProperties Error AggregateError EvalError \
    RangeError ReferenceError SyntaxError TypeError URIError ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray \
    Int16Array Uint16Array Int32Array Uint32Array Float16Array Float32Array Float64Array BigInt64Array BigUint64Array \
    Uint8Array.from decodeURIComponent decodeURI unescape atob";

/// Members that are no data: what is set to these, or called by them, a browser runs or fetches.
const ACTIVE: [&str; 8] = ["constructor", "innerHTML", "outerHTML", "srcdoc", "src", "href", "cookie", "location"];

/// No name or path of names that counts is longer, nor is anything that is looked ahead for.
pub(super) const LONGEST: usize = 128;

/// The path of names that stands here, without the global object, and where it ends.
pub(super) fn path(text: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let mut end = name_end(text, at);
    let mut start = at;
    while end > start && end - at <= LONGEST {
        if matches!(&text[start..end], b"window" | b"self" | b"globalThis") {
            let rest = &text[end..];
            start = end + if rest.starts_with(b"[") { 2 } else { 1 };
            let is_member = rest.starts_with(b".") || rest.starts_with(b"[\"") || rest.starts_with(b"['");
            is_member.then_some(())?;
            end = name_end(text, start);
            let name = &text[start..end];
            if rest.starts_with(b"[") {
                let closes = text.get(end) == Some(&rest[1]) && text.get(end + 1) == Some(&b']');
                return closes.then(|| (name, members(text, end + 2)));
            }
            continue;
        }
        let end = members(text, end);
        return Some((&text[start..end], end));
    }
    None
}

/// Where the members of members end that begin here: `.a`, `["b"]`, `[0]`.
pub(super) fn members(text: &[u8], mut at: usize) -> usize {
    loop {
        let rest = &text[at..];
        let end = match rest {
            [b'.', ..] => name_end(text, at + 1),
            [b'?', b'.', ..] => name_end(text, at + 2),
            [b'[', quote @ (b'"' | b'\''), inner @ ..] => {
                match memchr::memchr(*quote, &inner[..inner.len().min(LONGEST)]) {
                    Some(length) if inner.get(length + 1) == Some(&b']') && !inner[..length].contains(&b'\\') => {
                        at + length + 4
                    }
                    _ => return at,
                }
            }
            [b'[', inner @ ..] => {
                let digits = inner.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if digits == 0 || inner.get(digits) != Some(&b']') {
                    return at;
                }
                at + digits + 2
            }
            _ => return at,
        };
        if end <= at + 1 {
            return at;
        }
        at = end;
    }
}

pub(super) fn is_framework(path: &[u8]) -> bool {
    let name = &path[..name_end(path, 0)];
    let starts = |known: &str| name.starts_with(known.as_bytes());
    // `__MY_STATE__`
    let shouts = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let is_state = starts("__") && name.ends_with(b"__") && name.len() > 4 && name.iter().all(shouts);
    let is_data = || {
        let mut members = path.split(|byte| !is_name(*byte));
        !members.any(|member| ACTIVE.iter().any(|active| active.as_bytes() == member))
    };
    path.is_ascii() && (is_state || name == b"$R" || NAMES.split(' ').any(starts)) && is_data()
}

pub(super) fn is_maker(path: &[u8]) -> bool {
    MAKERS.split(' ').any(|maker| maker.as_bytes() == path)
}

pub(super) fn comment(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at + 2..)?;
    match text[at + 1] {
        b'*' => memchr::memmem::find(rest, b"*/").map(|length| at + 2 + length + 2),
        // Beyond ASCII there are line ends of other kinds.
        b'/' => {
            let length = memchr::memchr2(b'\n', b'\r', rest)?;
            rest[..length].is_ascii().then_some(at + 2 + length)
        }
        _ => None,
    }
}

pub(super) fn spaces(text: &[u8], at: usize) -> usize {
    text.get(at..)
        .unwrap_or_default()
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())
        .map_or(text.len(), |n| at + n)
}

pub(super) fn name_end(text: &[u8], at: usize) -> usize {
    text.get(at..).unwrap_or_default().iter().position(|byte| !is_name(*byte)).map_or(text.len(), |n| at + n)
}

pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}
