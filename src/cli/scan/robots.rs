//! `robots.txt` (RFC 9309): what a site asks crawlers to leave alone. What cannot be read asks nothing.

use std::time::Duration;

/// The name by which a site can speak to us alone.
const OURS: &str = "consentry";

/// No site makes us wait longer than this between two requests.
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// What one origin asks of us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Robots {
    rules: Vec<Rule>,
    /// `Crawl-delay`: no part of the RFC, but written by people who mean it.
    pub(super) delay: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    allow: bool,
    path: String,
}

/// One group: whom it is for, and what it says.
#[derive(Debug, Default)]
struct Group {
    agents: Vec<String>,
    robots: Robots,
}

impl Robots {
    /// What holds where `robots.txt` cannot be had because the server is broken (RFC 9309 §2.3.1.4).
    pub(super) fn forbid_all() -> Self {
        Self { rules: vec![Rule { allow: false, path: "/".into() }], delay: None }
    }

    /// Reads the groups for us, or, where there is none, those for everybody.
    pub(super) fn parse(text: &str) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let mut naming = false;
        for line in text.trim_start_matches('\u{feff}').lines().flat_map(|line| line.split('\r')) {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match (&*key.trim().to_ascii_lowercase(), groups.last_mut()) {
                ("user-agent", Some(group)) if naming => group.agents.push(value.to_ascii_lowercase()),
                ("user-agent", _) => {
                    groups.push(Group { agents: vec![value.to_ascii_lowercase()], ..Group::default() });
                    naming = true;
                }
                (key @ ("allow" | "disallow"), Some(group)) => {
                    naming = false;
                    // An empty `Disallow:` forbids nothing.
                    if !value.is_empty() {
                        group.robots.rules.push(Rule { allow: key == "allow", path: normal(value) });
                    }
                }
                ("crawl-delay", Some(group)) => {
                    naming = false;
                    let seconds = value.parse::<f32>().ok().and_then(|s| Duration::try_from_secs_f32(s).ok());
                    group.robots.delay = seconds.map(|delay| delay.min(LONGEST_DELAY));
                }
                _ => {}
            }
        }
        let of = |name: &str| {
            let mut fitting = groups.iter().filter(|group| group.agents.iter().any(|agent| agent == name)).peekable();
            fitting.peek()?;
            Some(fitting.fold(Self::default(), |mut all, group| {
                all.rules.extend(group.robots.rules.iter().cloned());
                all.delay = all.delay.or(group.robots.delay);
                all
            }))
        };
        of(OURS).or_else(|| of("*")).unwrap_or_default()
    }

    /// Whether a path with its query may be fetched: the longest rule counts, and `Allow` between equals.
    pub(super) fn allows(&self, target: &str) -> bool {
        let target = normal(target);
        let fitting = self.rules.iter().filter(|rule| matches(&rule.path, &target));
        fitting.max_by_key(|rule| (rule.path.len(), rule.allow)).is_none_or(|rule| rule.allow)
    }
}

/// Escapes alike on both sides: as the URL parser writes them.
fn normal(path: &str) -> String {
    let rooted = path.starts_with('/');
    let url = url::Url::parse(&format!("http://any.invalid{}{path}", if rooted { "" } else { "/" }));
    match url {
        Ok(url) if rooted => url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
        _ => path.to_owned(),
    }
}

/// `*` stands for anything; `$` at the end for the end.
fn matches(pattern: &str, target: &str) -> bool {
    let (pattern, whole) = pattern.strip_suffix('$').map_or((pattern, false), |pattern| (pattern, true));
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| target.strip_prefix(first)) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return !whole || rest.is_empty() };
    for piece in middle {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    if whole { rest.ends_with(last) } else { rest.contains(last) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn longest_rule_of_the_nearest_group_counts() {
        let text = "\u{feff}User-Agent: *\nDisallow: /\n\nUSER-agent: other\nuser-agent: Consentry # us\n\
                    disallow: /private\nAllow: /private/open\nDisallow: /*.pdf$\nDisallow: /caf\u{e9}\nDisallow:\n\
                    Crawl-delay: 0.5\nUser-agent: consentry\nDisallow: /more?\n";
        let robots = Robots::parse(text);
        for (path, allowed) in [
            ("/", true),
            ("/private", false),
            ("/private/x", false),
            ("/private/open/x", true),
            ("/a.pdf", false),
            ("/a.pdfs", true),
            ("/caf%C3%A9", false),
            ("/more", true),
            ("/more?x", false),
        ] {
            assert_eq!(robots.allows(path), allowed, "{path}");
        }
        assert_eq!(robots.delay, Some(Duration::from_millis(500)));
    }

    #[test]
    fn everybody_is_meant_unless_we_are_named() {
        assert!(!Robots::parse("user-agent: *\ndisallow: /").allows("/"));
        assert!(Robots::parse("user-agent: other\ndisallow: /").allows("/"));
        assert!(Robots::parse("disallow: /").allows("/"));
        assert!(Robots::parse("user-agent: *\ndisallow: /\nallow: /").allows("/"));
        assert!(Robots::parse("<!DOCTYPE html><p>Not found: sorry").allows("/"));
        assert!(!Robots::forbid_all().allows("/x"));
        assert_eq!(Robots::parse("user-agent: *\ncrawl-delay: 99999").delay, Some(LONGEST_DELAY));
        assert_eq!(Robots::parse("user-agent: *\ncrawl-delay: nan").delay, None);
    }

    proptest! {
        #[test]
        fn anything_can_be_asked(text in "(user-agent: \\*\n|disallow: [/*$a?%é]{0,6}\n|.{0,9}\n){0,9}", path in "/[/*$a?%é]{0,9}") {
            let _ = Robots::parse(&text).allows(&path);
        }
    }
}
