//! Undoes content codings. Output comes in pieces of at most 32 KiB, so that memory does not depend on the input.

use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, InBuffer, Operation, OutBuffer};

use super::{Coding, Error};

/// The largest piece that a sink is given. lol_html takes it in one go; two stages stay within a cache.
const PIECE: usize = 32 * 1024;

/// Below this a body is never called a bomb: 1 MiB of white space is legitimate, and compresses a thousandfold.
const RATIO_FLOOR: u64 = 1024 * 1024;

/// zstd frames with a larger window are refused, as browsers do (RFC 9659 §3).
const ZSTD_WINDOW_LOG: u32 = 23;

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

/// What one call of an engine did.
struct Step {
    read: usize,
    written: usize,
    done: bool,
}

enum Engine {
    Gzip(Gzip),
    /// `None` until the first two bytes tell zlib from raw deflate.
    Deflate {
        inflate: Option<Decompress>,
        first: Option<u8>,
    },
    Brotli(Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>),
    Zstd {
        /// `None` if libzstd could not allocate.
        context: Option<zstd::stream::raw::Decoder<'static>>,
        between_frames: bool,
    },
}

impl Engine {
    fn new(coding: Coding) -> Self {
        match coding {
            Coding::Gzip => Self::Gzip(Gzip { inflate: Decompress::new_gzip(15), between: Between::Inside }),
            Coding::Deflate => Self::Deflate { inflate: None, first: None },
            Coding::Brotli => Self::Brotli(Box::new(BrotliState::new_strict(
                StandardAlloc::default(),
                StandardAlloc::default(),
                StandardAlloc::default(),
            ))),
            Coding::Zstd => Self::Zstd { context: zstd_context(), between_frames: false },
        }
    }

    /// Reads some input, writes some output; `None` if the input is corrupt.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Option<Step> {
        match self {
            Self::Gzip(gzip) => gzip.step(input, output),
            Self::Deflate { inflate: Some(inflate), .. } => inflate_step(inflate, input, output),
            Self::Deflate { inflate, first } => sniff_deflate(inflate, first, input, output),
            Self::Brotli(state) => brotli_step(state, input, output),
            Self::Zstd { context, between_frames } => {
                let mut input = InBuffer::around(input);
                let mut output = OutBuffer::around(output);
                let hint = context.as_mut()?.run(&mut input, &mut output).ok()?;
                // 0 means that a frame is complete and flushed. A call without input asks for what follows it.
                *between_frames = hint == 0 || (*between_frames && input.pos() == 0);
                Some(Step { read: input.pos(), written: output.pos(), done: false })
            }
        }
    }

    /// Whether the data may end here although more could follow.
    fn at_boundary(&self) -> bool {
        match self {
            Self::Gzip(gzip) => gzip.between != Between::Inside,
            Self::Zstd { between_frames, .. } => *between_frames,
            Self::Deflate { .. } | Self::Brotli(_) => false,
        }
    }
}

fn zstd_context() -> Option<zstd::stream::raw::Decoder<'static>> {
    let mut context = zstd::stream::raw::Decoder::new().ok()?;
    context.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG)).ok()?;
    Some(context)
}

/// gzip of one or more members (RFC 1952 §2.2).
struct Gzip {
    inflate: Decompress,
    between: Between,
}

/// Where a gzip stream stands between members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Between {
    /// In a member.
    Inside,
    /// A member is complete.
    After,
    /// After it came the first byte of another one.
    Magic,
}

impl Gzip {
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Option<Step> {
        const MAGIC: [u8; 2] = [0x1f, 0x8b];
        match (self.between, input) {
            (Between::Inside, _) => {
                let step = inflate_step(&mut self.inflate, input, output)?;
                if step.done {
                    self.between = Between::After;
                }
                Some(Step { done: false, ..step })
            }
            (_, []) => Some(Step { read: 0, written: 0, done: false }),
            (Between::After, [byte, ..]) if *byte == MAGIC[0] => {
                self.between = Between::Magic;
                Some(Step { read: 1, written: 0, done: false })
            }
            (Between::Magic, [byte, ..]) if *byte == MAGIC[1] => {
                self.between = Between::Inside;
                self.inflate = Decompress::new_gzip(15);
                inflate_step(&mut self.inflate, &MAGIC, output)?;
                Some(Step { read: 1, written: 0, done: false })
            }
            // Padding and trailing garbage, which browsers ignore.
            _ => Some(Step { read: input.len(), written: 0, done: true }),
        }
    }
}

fn inflate_step(inflate: &mut Decompress, input: &[u8], output: &mut [u8]) -> Option<Step> {
    let (read, written) = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, output, FlushDecompress::None).ok()?;
    Some(Step {
        // Both differences are bounded by the slices.
        read: (inflate.total_in() - read) as usize,
        written: (inflate.total_out() - written) as usize,
        done: status == Status::StreamEnd,
    })
}

/// `deflate` is zlib by the letter, but some servers send raw deflate, and browsers read both.
fn sniff_deflate(
    inflate: &mut Option<Decompress>,
    first: &mut Option<u8>,
    input: &[u8],
    output: &mut [u8],
) -> Option<Step> {
    let [byte, ..] = input else { return Some(Step { read: 0, written: 0, done: false }) };
    let Some(cmf) = *first else {
        *first = Some(*byte);
        return Some(Step { read: 1, written: 0, done: false });
    };
    // RFC 1950 §2.2: method 8, and the two bytes are a multiple of 31.
    let zlib = cmf & 0x0f == 8 && cmf >> 4 <= 7 && (u16::from(cmf) << 8 | u16::from(*byte)).is_multiple_of(31);
    let inflate = inflate.insert(Decompress::new(zlib));
    // Neither half a header nor eight bits of a first block (three are its type, the shortest symbol has seven) can
    // give output or end the data.
    inflate_step(inflate, &[cmf], output)?;
    inflate_step(inflate, input, output)
}

fn brotli_step(
    state: &mut BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    input: &[u8],
    output: &mut [u8],
) -> Option<Step> {
    let (mut read, mut written) = (0, 0);
    let (mut input_left, mut output_left, mut total) = (input.len(), output.len(), 0);
    let result = BrotliDecompressStream(
        &mut input_left,
        &mut read,
        input,
        &mut output_left,
        &mut written,
        output,
        &mut total,
        state,
    );
    match result {
        BrotliResult::ResultFailure => None,
        BrotliResult::ResultSuccess => Some(Step { read, written, done: true }),
        BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => Some(Step { read, written, done: false }),
    }
}
