//! Rules for the paths of a host, or of any.

use aho_corasick::AhoCorasick;

/// The paths of one host, longest first, tried one after the other.
#[derive(Debug, Default)]
pub(super) struct PathRules {
    rules: Vec<(PathPattern, usize)>,
    /// Text of which a path must hold something for any of the rules to match; `None` where they are few.
    any_of: Option<AhoCorasick>,
}

/// So few rules are tried as fast as a path is searched.
const FEW: usize = 3;

impl PathRules {
    pub(super) fn push(&mut self, path: &str, item: usize) {
        self.rules.push((PathPattern::new(path), item));
    }

    /// To be called once all of them are there.
    pub(super) fn compile(&mut self) {
        // Stable: the order of the file decides between equals.
        self.rules.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.weight()));
        if self.rules.len() > FEW {
            self.any_of = AhoCorasick::new(self.rules.iter().map(|(pattern, _)| pattern.longest_piece())).ok();
        }
    }

    pub(super) fn find(&self, path_and_query: &str) -> Option<usize> {
        if self.any_of.as_ref().is_some_and(|any_of| !any_of.is_match(path_and_query)) {
            return None;
        }
        self.rules.iter().find(|(pattern, _)| pattern.matches(path_and_query)).map(|(_, item)| *item)
    }
}

/// Of the paths of one host, the one that weighs most is asked first.
pub(super) fn weight(path: &str) -> impl Ord + use<> {
    PathPattern::new(path).weight()
}

/// A path cut at its `*`s.
#[derive(Debug)]
struct PathPattern {
    /// At least one; the first must stand at the start, the last at the end, the others in between in order.
    pieces: Box<[Box<str>]>,
    with_query: bool,
}

impl PathPattern {
    fn new(path: &str) -> Self {
        Self { pieces: path.split('*').map(Box::from).collect(), with_query: path.contains('?') }
    }

    /// Literal length; at the same length a pattern with fewer stars says more.
    fn weight(&self) -> (usize, std::cmp::Reverse<usize>) {
        (self.pieces.iter().map(|piece| piece.len()).sum(), std::cmp::Reverse(self.pieces.len()))
    }

    /// A part of every path that matches; empty if the pattern is nothing but stars.
    fn longest_piece(&self) -> &str {
        self.pieces.iter().map(|piece| &**piece).max_by_key(|piece| piece.len()).unwrap_or_default()
    }

    fn matches(&self, path_and_query: &str) -> bool {
        let path = match path_and_query.find('?') {
            Some(at) if !self.with_query => &path_and_query[..at],
            _ => path_and_query,
        };
        let [first, middle @ .., last] = &*self.pieces else {
            return self.pieces.first().is_some_and(|whole| **whole == *path);
        };
        let Some(rest) = path.strip_prefix(&**first) else { return false };
        let Some(mut rest) = rest.strip_suffix(&**last) else { return false };
        // The leftmost place for each piece leaves most room for the next, so no backtracking is needed.
        middle.iter().all(|piece| match rest.find(&**piece) {
            Some(at) => {
                rest = &rest[at + piece.len()..];
                true
            }
            None => false,
        })
    }
}
