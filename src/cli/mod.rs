//! The command line: one file or folder a command.

mod ask;
pub mod check;
mod config;
pub mod demo;
mod documents;
mod drift;
mod explain;
mod init;
mod policy;
mod receipts;
mod rewrite;
mod scan;
mod serve;
mod site;
mod yaml;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// Enforces a site's cookie policy at the edge.
#[derive(Debug, Parser)]
#[command(name = "consentry", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Stand before the sites of a configuration
    Serve(serve::Args),
    /// Try it: a legacy shop behind the proxy, on this machine
    Demo(demo::Args),
    /// Tell every problem of a configuration
    Check(check::Args),
    /// Write a first configuration that only observes
    Init(init::Args),
    /// About the format of configurations
    Config(config::Args),
    /// Visit a site, list its cookies and tags, and draft a policy
    Scan(scan::Args),
    /// Say what happens to a cookie or URL, and which rule decides
    Explain(explain::Args),
    /// Rewrite a page as for a visitor, and say what was removed and why
    Rewrite(rewrite::Args),
    /// The cookie policy of a site: as published, and where reality differs from it
    Policy(policy::Args),
    /// The records of visitors' choices
    Receipts(receipts::Args),
    /// Print the completions of a shell
    Completions(documents::Completions),
    /// Print the manual page, or write those of all commands into a folder
    Man(documents::Man),
}

/// Runs what the command line asks for.
pub fn run() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Scan(args) => scan::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Rewrite(args) => rewrite::run(&args),
        Command::Policy(args) => policy::run(&args),
        Command::Receipts(args) => receipts::run(&args),
        Command::Completions(args) => documents::completions(&args, Arguments::command()),
        Command::Man(args) => documents::man(&args, Arguments::command()),
    }
}
