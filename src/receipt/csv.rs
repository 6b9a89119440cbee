//! Receipts as CSV (RFC 4180) for people with spreadsheets.

use super::entry::Receipt;
use super::time::stamp;

/// The first line.
pub const HEADER: &str =
    "receipt_id,consent_id,site,time,method,granted,refused,policy_version,policy_hash,language,ip,user_agent\r\n";

/// One line, with its end.
pub fn line(receipt: &Receipt) -> String {
    let Receipt { id, consent, site, time, method, granted, refused, policy, language, ip, user_agent, .. } = receipt;
    let fields = [
        &*id.to_string(),
        &consent.to_string(),
        site,
        &stamp(*time),
        method.name(),
        &granted.join(" "),
        &refused.join(" "),
        &policy.version.to_string(),
        &policy.hash.to_string(),
        language,
        ip.as_deref().unwrap_or_default(),
        user_agent.as_deref().unwrap_or_default(),
    ];
    fields.map(field).join(",") + "\r\n"
}

/// A field that no spreadsheet takes for a formula, whatever a visitor's browser called itself.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let guard = if formula { "'" } else { "" };
    if formula || text.contains([',', '"', '\r', '\n', ';', '\t']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
