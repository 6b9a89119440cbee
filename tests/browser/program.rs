//! A program that runs beside a test and ends with it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Killed on drop. Its standard output stays open, so that it may go on writing.
pub(crate) struct Program {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Program {
    /// Starts a program and reads what it prints until `ready` finds what it looks for in a line.
    /// `missing` is what to tell whoever does not have the program.
    pub(crate) fn start<T>(command: &mut Command, missing: &str, ready: impl Fn(&str) -> Option<T>) -> (Self, T) {
        // chromedriver takes a port of IPv6 first, and gives up if another program has its twin of IPv4.
        for _ in 0..10 {
            match Self::attempt(command, missing, &ready) {
                Ok(started) => return started,
                Err(said) => assert!(said.contains("port not available"), "{command:?} ended after saying: {said}"),
            }
        }
        panic!("{command:?} finds no port");
    }

    /// What it said, if it ended before it was ready.
    fn attempt<T>(
        command: &mut Command,
        missing: &str,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T), String> {
        let mut child = match command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(error) => panic!("{missing} ({error})"),
        };
        let stdout = child.stdout.take().unwrap();
        let mut program = Self { child, stdout: BufReader::new(stdout) };
        let mut said = String::new();
        loop {
            let before = said.len();
            let read = program.stdout.read_line(&mut said).unwrap();
            if read == 0 {
                return Err(said);
            }
            if let Some(found) = ready(&said[before..]) {
                return Ok((program, found));
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
