//! `otlp:`, where spans are exported to.

use http::{HeaderName, HeaderValue};
use url::Url;

use super::certificate_file::Certificates;
use super::reading::Item;
use super::secret;
use super::section::Section;
use crate::telemetry::spans::Export;

/// How the addresses of collectors are written.
const FORM: &str = "write e.g. `http://127.0.0.1:4318` or `https://collector.example`";

/// `None` without an endpoint.
pub(super) fn read(s: &Section<'_>, certificates: &Certificates) -> Option<Export> {
    let headers = s.or("headers", Vec::new(), |item| {
        Some(item.entries().iter().filter_map(|item| header(item, certificates.are_skipped())).collect())
    });
    let ca = s.get("ca");
    let roots = ca.as_ref().and_then(|item| certificates.roots(item));
    let sample = s.or("sample", 1.0, part);
    let url = s.read("endpoint", |item| match cfg!(feature = "otlp") {
        true => endpoint(item),
        false => item.fail_with("this build has no OpenTelemetry", "build it with `--features otlp`"),
    })?;
    let tls = url.scheme() == "https";
    if let Some(item) = ca.filter(|_| !tls) {
        item.fail_with::<()>("`ca` is of no use for an http:// endpoint", "write `endpoint: https://…`");
    }
    // As the specification has it for a base URL.
    let path = format!("{}/v1/traces", url.path().trim_end_matches('/')).into();
    Some(Export { tls, host: url.host_str()?.into(), port: url.port_or_known_default()?, path, headers, roots, sample })
}

fn endpoint(item: &Item<'_>) -> Option<Url> {
    let text = item.text()?;
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url else { return item.fail_with("this is no http:// or https:// address", FORM) };
    if !url.username().is_empty() || url.password().is_some() {
        return item
            .fail_with("an endpoint has no user name or password here", "write `headers: { authorization: … }`");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return item.fail_with("an endpoint has no query or fragment", FORM);
    }
    Some(url)
}

/// Values may be tokens, so all are kept like secrets.
fn header(item: &Item<'_>, skip: bool) -> Option<(HeaderName, HeaderValue)> {
    let Ok(name) = HeaderName::try_from(item.name()) else {
        return item.fail_name("this is no name of a header", None);
    };
    let (from, secret) = secret::given(item, skip)?;
    match secret.header() {
        Some(value) => Some((name, value)),
        None => item.fail(format!("what {from} holds cannot be sent in a header")),
    }
}

/// From 0 to 1.
fn part(item: &Item<'_>) -> Option<f64> {
    let text = item.text()?;
    match text.parse() {
        Ok(part) if (0.0..=1.0).contains(&part) => Some(part),
        _ => item.fail_with(format!("`{text}` is no part"), "write a number from 0 to 1, e.g. `0.1` for every tenth"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{CertificateFiles, Config, parse};

    fn check(otlp: &str) -> Result<Config, String> {
        let text = format!(
            "listen: 0.0.0.0:443\nsites: [{{ host: a.example, origin: 'http://b', policy: standard }}]\notlp: {otlp}\n"
        );
        let checked = parse(&text, "test.yaml", Path::new(""), 0, CertificateFiles::Skip);
        let told =
            |problem: &crate::config::Problem| format!("{problem} {}\n", problem.hint.as_deref().unwrap_or_default());
        checked.map(|(config, _)| config).map_err(|problems| problems.iter().map(told).collect())
    }

    #[test]
    fn without_an_endpoint_nothing_is_exported() {
        assert!(check("{ sample: 0.5 }").unwrap().otlp.is_none());
        for (wrong, told) in [
            ("{ sample: 2 }", "a number from 0 to 1"),
            ("{ sample: often }", "a number from 0 to 1"),
            ("{ headers: { authorization: hunter2-hunter2 } }", "no reference to a secret"),
            ("{ headers: { 'not a name': 'env:X' } }", "no name of a header"),
            ("{ endpont: 'http://a' }", "endpoint"),
        ] {
            let said = check(wrong).unwrap_err();
            assert!(said.contains(told) && !said.contains("hunter2"), "{wrong}: {said}");
        }
    }

    #[cfg(not(feature = "otlp"))]
    #[test]
    fn a_build_without_it_says_so() {
        let said = check("{ endpoint: 'http://127.0.0.1:4318' }").unwrap_err();
        assert!(said.contains("this build has no OpenTelemetry") && said.contains("--features otlp"), "{said}");
    }

    #[cfg(feature = "otlp")]
    #[test]
    fn endpoints_are_base_urls() {
        for (endpoint, host, port, path, tls) in [
            ("http://127.0.0.1:4318", "127.0.0.1", 4318, "/v1/traces", false),
            ("https://collector.example", "collector.example", 443, "/v1/traces", true),
            ("https://collector.example/otlp/", "collector.example", 443, "/otlp/v1/traces", true),
            ("http://[::1]:4318/", "[::1]", 4318, "/v1/traces", false),
        ] {
            let export = check(&format!("{{ endpoint: '{endpoint}' }}")).unwrap().otlp.unwrap();
            assert_eq!((&*export.host, export.port, &*export.path, export.tls), (host, port, path, tls), "{endpoint}");
        }
        for (wrong, told) in [
            ("grpc://a:4317", "no http:// or https:// address"),
            ("http://u:hunter2@a", "no user name or password"),
            ("http://a/?x=1", "no query or fragment"),
        ] {
            let said = check(&format!("{{ endpoint: '{wrong}' }}")).unwrap_err();
            assert!(said.contains(told) && !said.contains("hunter2"), "{wrong}: {said}");
        }
    }
}
