//! Undoes content codings. Output comes in pieces of at most 32 KiB, so that memory does not depend on the input.

use super::engine::Engine;
use super::{Coding, Error};

/// The largest piece that a sink is given. lol_html takes it in one go; two stages stay within a cache.
const PIECE: usize = 32 * 1024;

/// Below this a body is never called a bomb: 1 MiB of white space is legitimate, and compresses a thousandfold.
const RATIO_FLOOR: u64 = 1024 * 1024;

/// What a decoded body may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// The largest decoded body, in bytes.
    pub bytes: u64,
    /// The most decoded bytes for one coded byte; counts only past the first MiB.
    pub ratio: u32,
}

/// Undoes the codings of one body.
pub struct Decoder {
    /// In the order in which they are undone.
    stages: Vec<Stage>,
}

impl Decoder {
    /// For a body coded so, in the order of `Content-Encoding`. No coding at all passes the bytes on.
    pub fn new(codings: &[Coding], caps: Caps) -> Self {
        Self { stages: codings.iter().rev().map(|coding| Stage::new(*coding, caps)).collect() }
    }

    /// Decodes a chunk into the sink. After an error nothing more may be written: the body must be aborted.
    pub fn write<E: From<Error>>(
        &mut self,
        chunk: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        write_through(&mut self.stages, chunk, sink)
    }

    /// Says that the body is over. It is an error if the coded data isn't.
    pub fn end(self) -> Result<(), Error> {
        self.stages.iter().try_for_each(Stage::end)
    }
}

fn write_through<E: From<Error>>(
    stages: &mut [Stage],
    chunk: &[u8],
    sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    match stages {
        [] => sink(chunk),
        [stage, rest @ ..] => stage.write(chunk, &mut |piece| write_through(rest, piece, sink)),
    }
}

/// One coding, with its own count: a stage in the middle can be a bomb too.
struct Stage {
    coding: Coding,
    engine: Engine,
    caps: Caps,
    read: u64,
    written: u64,
    /// The coded data is complete; what follows is ignored, as browsers do.
    done: bool,
    output: Box<[u8]>,
}

impl Stage {
    fn new(coding: Coding, caps: Caps) -> Self {
        let engine = Engine::new(coding);
        Self { coding, engine, caps, read: 0, written: 0, done: false, output: vec![0; PIECE].into() }
    }

    fn write<E: From<Error>>(
        &mut self,
        mut chunk: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !self.done {
            let step = self.engine.step(chunk, &mut self.output).ok_or(Error::Corrupt(self.coding))?;
            chunk = &chunk[step.read..];
            self.read += step.read as u64;
            self.written += step.written as u64;
            self.check()?;
            self.done = step.done;
            if step.written > 0 {
                sink(&self.output[..step.written])?;
            }
            // A full buffer may hide more output behind it; anything less means that the engine wants input.
            if chunk.is_empty() && step.written < self.output.len() {
                break;
            }
            if step.read == 0 && step.written == 0 && !step.done {
                return Err(Error::Corrupt(self.coding).into());
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        if self.written > self.caps.bytes {
            return Err(Error::TooLarge);
        }
        let most = self.read.saturating_mul(self.caps.ratio.into()).max(RATIO_FLOOR);
        if self.written > most { Err(Error::TooDense) } else { Ok(()) }
    }

    fn end(&self) -> Result<(), Error> {
        // An empty body is an empty body in any coding: legacy servers label those too, and browsers show them.
        if self.done || self.read == 0 || self.engine.at_boundary() {
            Ok(())
        } else {
            Err(Error::Truncated(self.coding))
        }
    }
}
