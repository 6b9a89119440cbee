//! Receipts for people, and as data.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use super::{Format, progress};
use crate::receipt::{Entry, csv, stamp};
use crate::store::{Backend, Error, Filter};

/// One a line, in columns.
pub(super) fn list(store: Option<Box<dyn Backend>>, filter: &Filter) -> Result<ExitCode, Error> {
    let Some(mut store) = store else { return Ok(ExitCode::SUCCESS) };
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(out, "{:20}  {:10}  {:22}  {:24}  {:>7}  GRANTED", "TIME", "METHOD", "CONSENT ID", "SITE", "VERSION")?;
    store.each(filter, &mut |receipt| {
        let granted = if receipt.granted.is_empty() { "nothing".to_owned() } else { receipt.granted.join(" ") };
        let (time, method, version) = (stamp(receipt.time), receipt.method.name(), receipt.policy.version);
        let (consent, site) = (receipt.consent.to_string(), &receipt.site);
        Ok(writeln!(out, "{time:20}  {method:10}  {consent:22}  {site:24}  {version:>7}  {granted}")?)
    })?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// As JSON or CSV, into a file or to standard output.
pub(super) fn export(
    store: Option<Box<dyn Backend>>,
    filter: &Filter,
    format: Format,
    output: Option<&Path>,
) -> Result<ExitCode, Error> {
    let Some(path) = output else {
        return write(store, filter, format, &mut BufWriter::new(io::stdout().lock()), &mut || ());
    };
    let explain = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(explain)?;
    let mut store = store;
    let bar = progress(store.as_mut().map_or(Ok(0), |store| store.count(filter))?, "receipts");
    let written = write(store, filter, format, &mut BufWriter::new(file), &mut || bar.inc(1));
    bar.finish_and_clear();
    written
}

fn write(
    store: Option<Box<dyn Backend>>,
    filter: &Filter,
    format: Format,
    out: &mut impl Write,
    step: &mut dyn FnMut(),
) -> Result<ExitCode, Error> {
    out.write_all(match format {
        Format::Json => b"[",
        Format::Csv => csv::HEADER.as_bytes(),
    })?;
    let mut before = "\n";
    if let Some(mut store) = store {
        store.each(filter, &mut |receipt| {
            step();
            let written = match format {
                Format::Csv => out.write_all(csv::line(&receipt).as_bytes()),
                Format::Json => {
                    let separator = std::mem::replace(&mut before, ",\n");
                    write!(out, "{separator}{}", Entry::Choice(receipt).canonical())
                }
            };
            Ok(written?)
        })?;
    }
    if matches!(format, Format::Json) {
        out.write_all(b"\n]\n")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
