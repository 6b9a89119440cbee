//! The function that is called where it stands, as Nuxt 2 and devalue write it around values that repeat:
//! `(function(a,b){a.x=b;return {…}}({},1))`.

use super::literals::Data;
use super::names::{is_name, members, name_end, spaces};

/// Where it and its call end, if it is called with literals and does nothing but set members of those. It is seen whole
/// or judged: who is called with an element may do anything by setting a member.
pub(super) fn end(text: &[u8], at: usize) -> Option<usize> {
    let opens = skip(text, at + b"function".len(), b'(')?;
    let closes = opens + memchr::memchr(b')', &text[opens..])?;
    let parameters = &text[opens..closes];
    let are_names = parameters.is_ascii() && parameters.iter().all(|byte| is_name(*byte) || b", \n".contains(byte));
    let body = spaces(text, closes + 1);
    (are_names && text.get(body) == Some(&b'{')).then_some(())?;
    let body_ends = Data::enclosed(text, body, Some(parameters))?;
    // The call stands in the bracket or behind it.
    let closed = skip(text, body_ends, b')');
    let call = spaces(text, closed.unwrap_or(body_ends));
    (text.get(call) == Some(&b'(')).then_some(())?;
    let call_ends = Data::enclosed(text, call, None)?;
    if closed.is_some() { Some(call_ends) } else { skip(text, call_ends, b')') }
}

/// Where the parameter that stands here and its members end.
pub(super) fn member(parameters: &[u8], text: &[u8], at: usize) -> Option<usize> {
    let end = name_end(text, at);
    let name = &text[at..end];
    parameters.split(|byte| !is_name(*byte)).any(|known| known == name).then(|| members(text, end))
}

/// Behind the byte, if it comes next.
fn skip(text: &[u8], at: usize, byte: u8) -> Option<usize> {
    let at = spaces(text, at);
    (text.get(at) == Some(&byte)).then_some(at + 1)
}
