//! `consentry config schema`: what a configuration may hold, for editors and other programs.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde_json::Value;

use crate::config::SCHEMA;

/// Arguments of `config`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the JSON Schema (2020-12) to standard output
    #[command(after_help = "\
Editors with a YAML language server read it from the first line of a file:
  # yaml-language-server: $schema=schema.json")]
    Schema {
        /// Of which kind of file
        #[arg(long, value_enum, default_value_t = Of::Config)]
        of: Of,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// The configuration, `consentry.yaml`
    Config,
    /// A policy in a file of its own
    Policy,
}

/// Prints the schema.
pub(super) fn run(args: &Args) -> ExitCode {
    let Command::Schema { of } = args.command;
    let text = match of {
        Of::Config => SCHEMA.to_owned(),
        Of::Policy => policy(),
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// The same definitions, entered at the policy.
fn policy() -> String {
    let schema: Value = serde_json::from_str(SCHEMA).expect("a test reads the same embedded text");
    let policy = serde_json::json!({
        "$schema": schema["$schema"],
        "title": "Cookie policy of Consentry",
        "$ref": "#/$defs/policy",
        "$defs": schema["$defs"],
    });
    format!("{policy:#}\n")
}
