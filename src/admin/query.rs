//! The query of a request: a few known parameters, and none that is not known.

use http::Uri;

/// Parameters as they were given.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// # Errors
    /// In words, if there is a parameter that nobody asks for.
    pub(super) fn read(uri: &Uri, known: &[&str]) -> Result<Self, String> {
        let query = uri.query().unwrap_or_default();
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        match pairs.iter().find(|(name, _)| !known.contains(&&**name)) {
            Some((name, _)) => Err(format!("there is no parameter `{name}`, only {}", known.join(", "))),
            None => Ok(Self(pairs)),
        }
    }

    /// The value of a parameter that is given once.
    ///
    /// # Errors
    /// In words, if it is given twice.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, String> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(format!("`{name}` is given twice")),
            (value, None) => Ok(value),
        }
    }

    /// One of a few words.
    ///
    /// # Errors
    /// In words, if it is another.
    pub(super) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, String> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                Err(format!("`{name}` is one of {}", words.join(", ")))
            }
        }
    }

    /// All values of a parameter, in their order.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| &**value)
    }
}
