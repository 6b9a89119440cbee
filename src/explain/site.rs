//! One site of a configuration, by any of its hosts.

use std::sync::Arc;

use crate::config::{self, Site};

/// A site, and the host by which it was asked for.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) site: Arc<Site>,
    pub(crate) host: String,
}

/// The site of a host; the only one where no host is named.
///
/// # Errors
/// In words, with what to write instead.
pub(crate) fn choose(sites: &[Arc<Site>], host: Option<&str>) -> Result<Chosen, String> {
    let Some(asked) = host else {
        return match sites {
            [site] => Ok(Chosen { site: site.clone(), host: any_host(site) }),
            _ => Err(format!("name one of the {} sites: --site {}", sites.len(), hosts(sites).join(" | "))),
        };
    };
    let host = asked.strip_suffix('.').unwrap_or(asked).to_ascii_lowercase();
    let find = |wildcard: bool| {
        let fits = |site: &&Arc<Site>| site.hosts.iter().any(|h| h.is_wildcard() == wildcard && h.matches(&host));
        sites.iter().find(fits)
    };
    if let Some(site) = find(false).or_else(|| find(true)) {
        return Ok(Chosen { site: site.clone(), host });
    }
    // `*.shop.example` as the file has it.
    if let Some(site) = sites.iter().find(|site| site.hosts.iter().any(|h| h.to_string() == host)) {
        return Ok(Chosen { site: site.clone(), host: any_host(site) });
    }
    let known = hosts(sites);
    let hint = config::suggest(&host, known.iter().map(String::as_str));
    Err(format!("no site has the host `{asked}`\n  {hint}"))
}

fn hosts(sites: &[Arc<Site>]) -> Vec<String> {
    sites.iter().flat_map(|site| site.hosts.iter().map(ToString::to_string)).collect()
}

/// A host that visitors could ask for.
fn any_host(site: &Site) -> String {
    let host = site.hosts.iter().find(|host| !host.is_wildcard()).or_else(|| site.hosts.first());
    let host = host.expect("a site has a host");
    if host.is_wildcard() { format!("www.{}", host.name()) } else { host.name().to_owned() }
}
