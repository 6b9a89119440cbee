//! What a visitor asks for, and what must come.

use http::{Method, StatusCode};

use super::pages::{Coding, DOWNLOAD, TRACKERS};
use crate::support::Client;
use crate::support::client::{Reply, collect};

/// What a visitor does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Errand {
    Page(Coding),
    Again,
    Api,
    Upload,
    Slow,
    Download,
    Missing,
}

/// In turn; downloads are rare, for they are what costs.
pub(super) const ERRANDS: [Errand; 12] = [
    Errand::Page(Coding::Gzip),
    Errand::Api,
    Errand::Page(Coding::Brotli),
    Errand::Again,
    Errand::Api,
    Errand::Page(Coding::Identity),
    Errand::Upload,
    Errand::Api,
    Errand::Slow,
    Errand::Missing,
    Errand::Api,
    Errand::Again,
];

impl Errand {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Page(Coding::Identity) => "page",
            Self::Page(Coding::Gzip) => "page, gzip",
            Self::Page(Coding::Brotli) => "page, br",
            Self::Again => "page again",
            Self::Api => "json",
            Self::Upload => "upload",
            Self::Slow => "slow page",
            Self::Download => "download",
            Self::Missing => "missing page",
        }
    }

    pub(super) async fn run(self, client: &mut Client, last: bool) -> Result<(), String> {
        let close = ("connection", "close");
        let mut headers = vec![("accept", "*/*")];
        headers.extend(last.then_some(close));
        match self {
            Self::Page(coding) => {
                headers.push(("accept-encoding", coding.name()));
                let page = get(client, "/page", &headers).await?;
                expect(page.status == StatusCode::OK, &page)?;
                let text = coding.decode(&page.body).map_err(text)?;
                expect(text.trim_end().ends_with("</html>") && !TRACKERS.iter().any(|t| text.contains(t)), &page)?;
                let cookies = page.set_cookies();
                let hardened =
                    cookies.iter().any(|line| line.starts_with("PHPSESSID=") && line.contains("SameSite=Strict"));
                expect(hardened && !cookies.iter().any(|line| line.starts_with("_ga=")), &page)
            }
            Self::Again => {
                let page = get(client, "/page", &headers).await?;
                let tag = page.header("etag").unwrap_or_default().to_owned();
                expect(page.status == StatusCode::OK && tag.starts_with("W/\"one~"), &page)?;
                if last {
                    return Ok(());
                }
                headers.push(("if-none-match", &tag));
                let page = get(client, "/page", &headers).await?;
                // A reload in between may have changed what the tag stands for.
                expect(page.status == StatusCode::NOT_MODIFIED || page.status == StatusCode::OK, &page)
            }
            Self::Api => {
                let json = get(client, "/api", &headers).await?;
                expect(json.status == StatusCode::OK && &*json.body == br#"{"answer":42}"#, &json)
            }
            Self::Upload => {
                let body = "y".repeat(300_000);
                let response = client.start(Method::POST, "/upload", &headers, &body).await.map_err(told)?;
                let reply = collect(response).await.map_err(told)?;
                expect(reply.text() == "300000 bytes", &reply)
            }
            Self::Slow => {
                let page = get(client, "/slow", &headers).await?;
                let text = page.text();
                let whole = text.contains("First.") && text.ends_with("</html>");
                expect(whole && !TRACKERS.iter().any(|t| text.contains(t)), &page)
            }
            Self::Download => {
                let whole = get(client, "/download", &headers).await?;
                expect(whole.body.len() == DOWNLOAD, &whole)
            }
            Self::Missing => {
                let page = get(client, "/nothing", &headers).await?;
                expect(page.status == StatusCode::NOT_FOUND, &page)
            }
        }
    }
}

pub(super) async fn get(client: &mut Client, path: &str, headers: &[(&str, &str)]) -> Result<Reply, String> {
    collect(client.start(Method::GET, path, headers, "").await.map_err(told)?).await.map_err(told)
}

pub(super) fn expect(right: bool, reply: &Reply) -> Result<(), String> {
    let start: String = reply.text().chars().take(200).collect();
    if right {
        Ok(())
    } else {
        Err(format!("{} with {} bytes: {:?} {start:?}", reply.status, reply.body.len(), reply.headers))
    }
}

pub(super) fn text(error: std::io::Error) -> String {
    error.to_string()
}

pub(super) fn told(error: hyper::Error) -> String {
    format!("{error:?}")
}
