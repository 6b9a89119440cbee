//! Applies a content coding to a page that was rewritten, so that what was written can be read at once after a flush.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::Coding;

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// For pages that are made for one visitor and sent once.
    ///
    /// A page of 116 KB took: gzip 1 341 µs (47.6 KB), 2 558 µs (36.9 KB), 4 1,358 µs (34.0 KB), 6 1,797 µs (33.3 KB);
    /// brotli 1 609 µs (36.2 KB), 4 1,593 µs, 5 2,722 µs. Past gzip 2 and brotli 1 a tenth of the size costs more
    /// than twice the time.
    #[default]
    Fast,
    /// Where the line is slower than the processor: gzip 6, brotli 4, zstd 6.
    Small,
}

/// Codes one body.
pub struct Encoder {
    engine: Engine,
}

enum Engine {
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
    // The encoder's state is some kilobytes, on the heap like the others'.
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    /// Fails only where the zstd library cannot allocate.
    pub fn new(coding: Coding, level: Level) -> io::Result<Self> {
        let pick = |fast, small| if level == Level::Fast { fast } else { small };
        let engine = match coding {
            Coding::Gzip => Engine::Gzip(GzEncoder::new(Vec::new(), Compression::new(pick(2, 6)))),
            Coding::Deflate => Engine::Deflate(ZlibEncoder::new(Vec::new(), Compression::new(pick(2, 6)))),
            Coding::Brotli => {
                // A window of 256 KiB holds most pages whole; the default of 4 MiB is memory of each slow reader.
                Engine::Brotli(Box::new(brotli::CompressorWriter::new(Vec::new(), 4096, pick(1, 4), 18)))
            }
            Coding::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), pick(1, 6).cast_signed())?;
                // As for brotli; also far below the 8 MiB that browsers read (RFC 9659).
                encoder.window_log(18)?;
                Engine::Zstd(encoder)
            }
        };
        Ok(Self { engine })
    }

    /// Codes a chunk, appending to `out` whatever is ready.
    pub fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.writer().write_all(chunk)?;
        self.drain(out);
        Ok(())
    }

    /// Appends all that is needed to read every byte written so far.
    pub fn flush(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        self.writer().flush()?;
        self.drain(out);
        Ok(())
    }

    /// Appends the rest and the end of the coded data.
    pub fn end(mut self, out: &mut Vec<u8>) -> io::Result<()> {
        // So that only what `finish` adds is left, and no large buffer is copied.
        self.drain(out);
        let rest = match self.engine {
            Engine::Gzip(encoder) => encoder.finish()?,
            Engine::Deflate(encoder) => encoder.finish()?,
            Engine::Brotli(encoder) => encoder.into_inner(),
            Engine::Zstd(encoder) => encoder.finish()?,
        };
        out.extend_from_slice(&rest);
        Ok(())
    }

    fn writer(&mut self) -> &mut dyn Write {
        match &mut self.engine {
            Engine::Gzip(encoder) => encoder,
            Engine::Deflate(encoder) => encoder,
            Engine::Brotli(encoder) => encoder,
            Engine::Zstd(encoder) => encoder,
        }
    }

    fn drain(&mut self, out: &mut Vec<u8>) {
        let ready = match &mut self.engine {
            Engine::Gzip(encoder) => encoder.get_mut(),
            Engine::Deflate(encoder) => encoder.get_mut(),
            Engine::Brotli(encoder) => encoder.get_mut(),
            Engine::Zstd(encoder) => encoder.get_mut(),
        };
        out.append(ready);
    }
}
