//! Which cookies are Consentry's own.

/// Our cookies' names begin with these where the configuration names none, the markers' always.
const PREFIXES: [&[u8]; 2] = [b"__Host-consentry", b"__Secure-consentry"];

/// Names of the cookies that are ours: no policy judges them, no refusal deletes them, no origin sees them.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnCookies<'a> {
    /// What the site calls the cookie that holds the choice.
    pub choice: &'a str,
    /// What other sites call it whose cookie reaches this one: theirs holds a choice as well.
    pub neighbours: &'a [Box<str>],
}

impl OwnCookies<'_> {
    /// Whether this is one of them.
    pub fn contains(&self, name: &[u8]) -> bool {
        name == self.choice.as_bytes()
            || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
            || self.neighbours.iter().any(|neighbour| neighbour.as_bytes() == name)
    }
}
