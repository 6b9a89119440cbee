//! What an access line can tell, by name.

/// One thing that a line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// When the response ended, in seconds since 1970.
    Time,
    /// Who asked: the address that connected, or that a trusted proxy vouches for.
    Client,
    /// The address that connected.
    Peer,
    /// The request's method.
    Method,
    /// The authority that was asked for.
    Host,
    /// The site that this was, by its first host; empty for none of ours.
    Site,
    /// The path, without the query.
    Path,
    /// The query. It may identify people: only where it is asked for.
    Query,
    /// The protocol towards the client.
    Version,
    /// The status; 0 if the client went before there was one.
    Status,
    /// Bytes of the body that went out.
    Sent,
    /// From the request's head to the response's last byte.
    Total,
    /// How long the origin took to the response head.
    Origin,
    /// How much we added to that.
    Added,
    /// Whether the body broke off.
    Aborted,
    /// What the request is called (`X-Request-Id`).
    RequestId,
    /// The trace that it belongs to (`traceparent`).
    TraceId,
    /// Its parent in that trace.
    ParentId,
    /// Our span in that trace, in builds that have any.
    SpanId,
    /// The page that led here; its query only together with [`Field::Query`].
    Referer,
    /// The browser's name.
    UserAgent,
}

impl Field {
    /// All of them, by their names.
    pub const ALL: [(&'static str, Self); 21] = [
        ("time", Self::Time),
        ("client", Self::Client),
        ("peer", Self::Peer),
        ("method", Self::Method),
        ("host", Self::Host),
        ("site", Self::Site),
        ("path", Self::Path),
        ("query", Self::Query),
        ("version", Self::Version),
        ("status", Self::Status),
        ("sent", Self::Sent),
        ("total_us", Self::Total),
        ("origin_us", Self::Origin),
        ("added_us", Self::Added),
        ("aborted", Self::Aborted),
        ("request_id", Self::RequestId),
        ("trace_id", Self::TraceId),
        ("parent_id", Self::ParentId),
        ("span_id", Self::SpanId),
        ("referer", Self::Referer),
        ("user_agent", Self::UserAgent),
    ];

    /// What a line tells where nobody has chosen.
    pub(super) const USUAL: [Self; 11] = [
        Self::Time,
        Self::Client,
        Self::Method,
        Self::Host,
        Self::Path,
        Self::Version,
        Self::Status,
        Self::Sent,
        Self::Total,
        Self::Origin,
        Self::Aborted,
    ];

    /// In configurations and lines.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, field)| *field == self).map_or("", |(word, _)| word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_one_name() {
        for (at, (word, field)) in Field::ALL.into_iter().enumerate() {
            assert_eq!(field as usize, at, "{word}");
            assert_eq!(field.word(), word);
        }
    }

    #[test]
    fn each_field_is_told_where_people_look() {
        let readme = include_str!("../../../README.md");
        let reference = include_str!("../../../config/consentry.yaml");
        let schema: serde_json::Value = serde_json::from_str(include_str!("../../../config/schema.json")).unwrap();
        let words: Vec<_> = Field::ALL.iter().map(|(word, _)| *word).collect();
        assert_eq!(schema["$defs"]["logField"]["enum"], serde_json::json!(words));
        let rows: String = readme.lines().skip_while(|line| !line.starts_with("| field |")).take(17).collect();
        let comment = reference.split_once("What it tells").unwrap().1.split_once("#fields:").unwrap().0;
        for word in words {
            assert!(rows.contains(&format!("`{word}`")), "{word} is not in README.md: {rows}");
            assert!(comment.contains(word), "{word} is not in consentry.yaml");
        }
    }
}
