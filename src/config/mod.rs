//! From YAML to one checked [`Config`], telling every mistake of every file at once.
//!
//! A file becomes a tree with places (`tree`), the tree is walked key by key (`section`) by one reader
//! for each kind of file (`file`, `site_file`, `policy_file`, `catalogue_file`), and what is right in each
//! place but wrong together is found by `across`.

mod across;
mod admin;
mod amounts;
mod catalogue_file;
mod categories;
mod certificate_file;
mod consent_tool;
mod duration;
mod file;
mod host_name;
mod lifetime;
mod limits;
mod listen;
mod log_file;
mod model;
mod numbers;
mod origin_file;
mod origins;
mod otlp_file;
mod pages;
mod pages_file;
mod policy_cache;
mod policy_file;
mod problem;
mod published;
mod read_files;
mod reading;
mod reload;
mod rules;
mod secret;
mod section;
mod site;
mod site_file;
mod size;
mod tree;
mod visitor_file;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use catalogue_file::catalogue;
pub(crate) use certificate_file::WARN_DAYS;
pub use host_name::{HostName, HostNameError};
pub use limits::{Limits, Timeouts};
pub use listen::Listen;
pub use log_file::Log;
pub use model::*;
pub use origins::{Balance, Health, Origin, Origins, Place};
pub use pages::{ClearData, ConsentMode, Guarding, SettingsLink, Withdraw};
pub(crate) use problem::suggest;
pub use problem::{Problem, Severity};
pub use reload::{Outcome, Running, keep_fixed};
pub use secret::Secret;
pub use site::*;

use certificate_file::Certificates;
use policy_cache::Policies;
use problem::Source;
use reading::{Item, Problems};

/// The JSON Schema (2020-12) of the configuration, for editors; policy files have its `#/$defs/policy`.
pub const SCHEMA: &str = include_str!("../../config/schema.json");

/// Whether the files of certificates and keys are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFiles {
    /// Read and checked; a config without a certificate for each site is wrong.
    Read,
    /// Not looked at: for checking a config away from the machine that holds them. Sites get no certificate.
    Skip,
}

/// Reads a configuration and everything that it names, to serve it.
///
/// `now` is in seconds since 1970; certificates are held against it.
/// Gives the config and its warnings, or all problems, of which at least one is an error.
pub fn load(path: &Path, now: i64) -> Loaded {
    check(path, now, CertificateFiles::Read)
}

/// As [`load`], while another configuration runs.
///
/// Gives the files that were read or asked for, too, whatever is in them.
pub fn load_again(path: &Path, now: i64) -> (Loaded, Vec<PathBuf>) {
    let problems = Problems::default();
    let loaded = of_file(path, &Certificates::new(now, false), &problems);
    let files = problems.files.paths();
    (finish(loaded, problems), files)
}

/// A config and its warnings, or all problems.
pub type Loaded = Result<(Config, Vec<Problem>), Vec<Problem>>;

/// As [`load`], with a say in whether certificates are looked at.
pub fn check(path: &Path, now: i64, files: CertificateFiles) -> Loaded {
    let problems = Problems::default();
    let config = of_file(path, &Certificates::new(now, files == CertificateFiles::Skip), &problems);
    finish(config, problems)
}

fn of_file(path: &Path, certificates: &Certificates, problems: &Problems) -> Option<Config> {
    let name = path.to_string_lossy();
    match problems.files.text(path) {
        Ok(text) => {
            let source = Arc::new(Source::new(&name, &text).in_folder(path.with_file_name("")));
            read(&source, certificates, problems)
        }
        Err(error) => {
            problems.push(Problem::of_file(&name, format!("cannot be read: {error}")));
            None
        }
    }
}

/// As [`check()`], from text. `name` stands in problems; paths in the text are relative to `folder`.
pub fn parse(text: &str, name: &str, folder: &Path, now: i64, files: CertificateFiles) -> Loaded {
    let problems = Problems::default();
    problems.files.hash(text.as_bytes());
    let source = Arc::new(Source::new(name, text).in_folder(folder));
    let config = read(&source, &Certificates::new(now, files == CertificateFiles::Skip), &problems);
    finish(config, problems)
}

fn finish(config: Option<Config>, problems: Problems) -> Loaded {
    let (files, hash) = (problems.files.paths(), problems.files.digest());
    let failed = problems.errors() > 0;
    let list = problems.into_list();
    match config {
        Some(config) if !failed => Ok((Config { files, hash, ..config }, list)),
        _ => Err(list),
    }
}

fn read(source: &Arc<Source>, certificates: &Certificates, problems: &Problems) -> Option<Config> {
    let root = tree::parse(source, problems)?;
    let root = Item::root(&root, source, problems);
    root.section(|s| file::read(s, certificates, &Policies::default())).flatten()
}

#[cfg(test)]
mod tests;
