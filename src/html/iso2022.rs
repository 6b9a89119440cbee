//! ISO-2022-JP made readable for a parser of ASCII-compatible bytes, and back, losing nothing.
//!
//! Between its escape sequences two bytes of the ASCII range stand for one character, and `<` may be one of them. Every
//! byte that is not ASCII to a browser becomes a private character, so that it can be neither markup nor lost.

const ESCAPE: u8 = 0x1b;

/// Where byte 0 goes; the others follow. Three bytes in UTF-8.
const PRIVATE: u32 = 0xe000;

/// What bytes mean at the moment (Encoding Standard §12.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Ascii,
    /// ASCII but for `\` and `~`.
    Roman,
    /// Katakana, or one of the two-byte sets.
    Japanese,
}

/// Makes ISO-2022-JP readable.
#[derive(Debug)]
pub(super) struct Decoder {
    mode: Mode,
    /// The beginning of what may be an escape sequence.
    escape: Vec<u8>,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self { mode: Mode::Ascii, escape: Vec::new() }
    }

    /// Appends what `bytes` say as UTF-8.
    pub(super) fn decode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            self.byte(*byte, out);
        }
    }

    /// The text is complete.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        for byte in std::mem::take(&mut self.escape) {
            private(byte, out);
        }
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.escape.is_empty() {
            match byte {
                ESCAPE => self.escape.push(byte),
                _ => self.plain(byte, out),
            }
            return;
        }
        self.escape.push(byte);
        let mode = match &self.escape[1..] {
            b"(" | b"$" => return,
            b"(B" => Mode::Ascii,
            b"(J" => Mode::Roman,
            b"(I" | b"$@" | b"$B" => Mode::Japanese,
            _ => {
                // No sequence: what follows the first byte is text.
                let escape = std::mem::take(&mut self.escape);
                private(ESCAPE, out);
                escape[1..].iter().for_each(|byte| self.byte(*byte, out));
                return;
            }
        };
        self.end(out);
        self.mode = mode;
    }

    fn plain(&self, byte: u8, out: &mut Vec<u8>) {
        match (self.mode, byte) {
            (Mode::Roman, b'\\' | b'~') | (_, 0x80..) | (Mode::Japanese, _) => private(byte, out),
            _ => out.push(byte),
        }
    }
}

fn private(byte: u8, out: &mut Vec<u8>) {
    let private = char::from_u32(PRIVATE + u32::from(byte)).expect("private characters are characters");
    out.extend_from_slice(private.encode_utf8(&mut [0; 3]).as_bytes());
}

/// Writes what a [`Decoder`] read as ISO-2022-JP again.
///
/// A token that had begun when the first escape byte came was not read by one: whatever else there is in it passes.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    /// What has come of a private character: none, the first byte, or the first two.
    come: Vec<u8>,
}

impl Encoder {
    /// Appends the text as it was.
    pub(super) fn encode(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for byte in text {
            self.byte(*byte, out);
        }
    }

    /// The text is complete.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.come);
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        match (&self.come[..], byte) {
            ([], 0xee) | ([_], 0x80..=0x83) => self.come.push(byte),
            ([_, second], 0x80..=0xbf) => {
                out.push((second & 3) << 6 | byte & 0x3f);
                self.come.clear();
            }
            ([], _) => out.push(byte),
            _ => {
                self.end(out);
                self.byte(byte, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_is_ascii_to_browsers_stays_ascii() {
        for (bytes, ascii) in [
            (&b"<b>\x1b$B<a>\x1b(B</b>"[..], "<b></b>"),
            (b"\x1b(J<\\>~", "<>"),
            (b"\x1b(I<\x1b(B>", ">"),
            (b"\x1b$<b", "$<b"),
            (b"\x1b\x1b$@<\x1bx", ""),
            (b"<\xe9>\x1b(", "<>"),
        ] {
            let mut out = Vec::new();
            let mut decoder = Decoder::new();
            decoder.decode(bytes, &mut out);
            decoder.end(&mut out);
            let text = String::from_utf8(out).unwrap();
            let kept: String = text.chars().filter(char::is_ascii).collect();
            assert_eq!(kept, ascii, "{}", bytes.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn every_byte_comes_back(bits in prop::collection::vec(prop_oneof![
            Just(b"\x1b$B".to_vec()), Just(b"\x1b(B".to_vec()), Just(b"\x1b".to_vec()), any::<Vec<u8>>(),
        ], 0..8), cut in 0_usize..20) {
            let bytes = bits.concat();
            let (one, two) = bytes.split_at(cut.min(bytes.len()));
            let (mut decoder, mut encoder) = (Decoder::new(), Encoder::default());
            let (mut text, mut back) = (Vec::new(), Vec::new());
            decoder.decode(one, &mut text);
            decoder.decode(two, &mut text);
            decoder.end(&mut text);
            for byte in text {
                encoder.encode(&[byte], &mut back);
            }
            prop_assert_eq!(back, bytes);
        }
    }
}
