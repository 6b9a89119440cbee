//! `consentry completions` and `consentry man`: what packages install beside the program, made from its own help.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// The shell that is to complete
    shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// Where to write a page for each command, e.g. consentry-serve.1
    folder: Option<PathBuf>,
}

/// Prints a script for the shell.
pub(super) fn completions(args: &Completions, mut command: clap::Command) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "consentry", &mut script);
    code(io::stdout().write_all(&script))
}

/// Prints roff, or writes files of it.
pub(super) fn man(args: &Man, command: clap::Command) -> ExitCode {
    code(match &args.folder {
        Some(folder) => std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder)),
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page).and_then(|()| io::stdout().write_all(&page))
        }
    })
}

fn code(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("consentry: {error}");
            ExitCode::FAILURE
        }
    }
}
