//! The decompressors themselves, one step at a time: some input, one buffer of output. No limits here: see `decode`.

use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, InBuffer, Operation, OutBuffer};

use super::Coding;

/// zstd frames with a larger window are refused, as browsers do (RFC 9659 §3).
const ZSTD_WINDOW_LOG: u32 = 23;

/// What one call of an engine did.
pub(super) struct Step {
    pub(super) read: usize,
    pub(super) written: usize,
    /// Nothing can follow.
    pub(super) done: bool,
}

/// A decompressor and what must be remembered between its streams.
pub(super) enum Engine {
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
    pub(super) fn new(coding: Coding) -> Self {
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
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Option<Step> {
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
    pub(super) fn at_boundary(&self) -> bool {
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
pub(super) struct Gzip {
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
