//! The address of a request, made a URL only where something has to be resolved against it.

use url::Url;

/// Where a response stands, as the browser sees it.
#[derive(Debug, Clone, Copy)]
pub struct Address<'a> {
    /// Host and port that the client asked for.
    pub authority: &'a str,
    /// Path and query.
    pub target: &'a str,
}

impl<'a> Address<'a> {
    /// As a URL; one that leads nowhere if client and proxy disagree on what an authority is.
    pub fn url(&self) -> Url {
        let origin = format!("https://{}", self.authority);
        Url::parse(&format!("{origin}{}", self.target))
            .or_else(|_| Url::parse(&origin))
            .unwrap_or_else(|_| Url::parse("https://invalid.invalid/").expect("a constant"))
    }

    /// The host without its port.
    pub fn host(&self) -> &'a str {
        let end = if self.authority.starts_with('[') {
            self.authority.find(']').map(|i| i + 1)
        } else {
            self.authority.find(':')
        };
        &self.authority[..end.unwrap_or(self.authority.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_urls() {
        for (authority, host, url) in [
            ("shop.example", "shop.example", "https://shop.example/a?b"),
            ("Shop.example:8443", "Shop.example", "https://shop.example:8443/a?b"),
            ("[::1]:8443", "[::1]", "https://[::1]:8443/a?b"),
            ("[::1]", "[::1]", "https://[::1]/a?b"),
            ("a b", "a b", "https://invalid.invalid/"),
        ] {
            let address = Address { authority, target: "/a?b" };
            assert_eq!((address.host(), address.url().as_str()), (host, url));
        }
    }
}
