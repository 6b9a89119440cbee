//! Looks, before anything is measured, whether each proxy does what its figures will be about.

use std::io::Read as _;

use crate::Result;
use crate::client::{Ask, HOST, Reply, fetch};
use crate::peers::{Kind, Running};
use crate::workload::{Task, Workload};

/// What is in a page only where a tracker is.
const TRACKERS: [&str; 4] = ["googletagmanager.com", "facebook.com/tr", "fbq(", "doubleclick.net"];

/// Fetches once; gives the bytes of the body as they came. An error says what is wrong with the answer.
pub(crate) fn look(proxy: &Running, workload: &Workload) -> Result<usize> {
    let ask = Ask { path: workload.path, codings: workload.codings, host: HOST };
    let reply = fetch(&proxy.target, ask)?;
    let kind = proxy.peer.kind;
    let wrong = match workload.task {
        Task::Pass if workload.path == "/w1" => four_cookies(&reply),
        Task::Pass => None,
        Task::Cookies if kind == Kind::Off => four_cookies(&reply),
        Task::Cookies => cookies(&reply),
        Task::Page | Task::CleanPage => page(kind, workload.task, &decoded(&reply)?),
    };
    match wrong {
        Some(wrong) => Err(format!("{} on {}: {wrong}", proxy.peer.about.id, workload.id).into()),
        None => Ok(reply.body.len()),
    }
}

fn four_cookies(reply: &Reply) -> Option<String> {
    let cookies = reply.cookies();
    (cookies.len() != 4 || reply.body.len() != 1024).then(|| format!("not as the origin sent it: {cookies:?}"))
}

fn cookies(reply: &Reply) -> Option<String> {
    let cookies = reply.cookies();
    let named = |name: &str| cookies.iter().find(|line| line.starts_with(name));
    let hardened = named("PHPSESSID=").is_some_and(|line| {
        ["; Secure", "; HttpOnly", "; SameSite=Strict"].iter().all(|attribute| line.contains(attribute))
    });
    let right = hardened && named("lang=").is_some() && named("_ga=").is_none() && named("_fbp=").is_none();
    (!right).then(|| format!("cookies not dropped or hardened: {cookies:?}"))
}

fn page(kind: Kind, task: Task, page: &str) -> Option<String> {
    if !page.ends_with("</html>") || !page.contains("/assets/app.") {
        return Some("the page is not whole".to_owned());
    }
    let there: Vec<_> = TRACKERS.iter().filter(|tracker| page.contains(**tracker)).collect();
    let passes = matches!(kind, Kind::Off | Kind::Haproxy) && task == Task::Page;
    (there.is_empty() == passes).then(|| format!("trackers left in the page: {there:?}"))
}

fn decoded(reply: &Reply) -> Result<String> {
    let body = &*reply.body;
    let mut page = String::new();
    match reply.field("content-encoding") {
        None => page = String::from_utf8(body.to_vec())?,
        Some("gzip") => drop(flate2::read::GzDecoder::new(body).read_to_string(&mut page)?),
        Some("br") => drop(brotli::Decompressor::new(body, 4096).read_to_string(&mut page)?),
        Some("zstd") => drop(zstd::Decoder::new(body)?.read_to_string(&mut page)?),
        Some(other) => return Err(format!("nobody asked for the coding {other}").into()),
    }
    Ok(page)
}
