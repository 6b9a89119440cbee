//! UTF-16 to UTF-8 and back, losing nothing: the parser needs ASCII-compatible bytes, the browser its own charset.
//!
//! Lone surrogates become three bytes as in UTF-8 (that is WTF-8), so that they come back as they were.

/// Reads UTF-16.
#[derive(Debug)]
pub(super) struct Decoder {
    big_endian: bool,
    /// The first byte of a unit whose second has not come.
    odd: Option<u8>,
    /// A high surrogate that may be half of a pair.
    high: Option<u16>,
}

impl Decoder {
    pub(super) fn new(big_endian: bool) -> Self {
        Self { big_endian, odd: None, high: None }
    }

    /// Appends what `bytes` say as UTF-8.
    pub(super) fn decode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            match self.odd.take() {
                None => self.odd = Some(*byte),
                Some(first) if self.big_endian => self.unit(u16::from_be_bytes([first, *byte]), out),
                Some(first) => self.unit(u16::from_le_bytes([first, *byte]), out),
            }
        }
    }

    /// The text is complete. Returns the byte that is half a unit, if there is one.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Option<u8> {
        if let Some(high) = self.high.take() {
            push(u32::from(high), out);
        }
        self.odd.take()
    }

    fn unit(&mut self, unit: u16, out: &mut Vec<u8>) {
        match (self.high.take(), unit) {
            (Some(high), 0xdc00..=0xdfff) => {
                push(0x1_0000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00), out);
            }
            (high, unit) => {
                if let Some(high) = high {
                    push(u32::from(high), out);
                }
                match unit {
                    0xd800..=0xdbff => self.high = Some(unit),
                    _ => push(u32::from(unit), out),
                }
            }
        }
    }
}

/// Appends a code point, be it a surrogate, as UTF-8 would.
fn push(code: u32, out: &mut Vec<u8>) {
    let tail = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
    match code {
        0..=0x7f => out.push(code as u8),
        0x80..=0x7ff => out.extend([0xc0 | (code >> 6) as u8, tail(0)]),
        0x800..=0xffff => out.extend([0xe0 | (code >> 12) as u8, tail(6), tail(0)]),
        _ => out.extend([0xf0 | (code >> 18) as u8, tail(12), tail(6), tail(0)]),
    }
}

/// Writes what a [`Decoder`] read as UTF-16 again.
#[derive(Debug)]
pub(super) struct Encoder {
    big_endian: bool,
    code: u32,
    /// Bytes of the code point that are still to come.
    missing: u8,
}

impl Encoder {
    pub(super) fn new(big_endian: bool) -> Self {
        Self { big_endian, code: 0, missing: 0 }
    }

    /// Appends the text as UTF-16.
    pub(super) fn encode(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for byte in text {
            let byte = u32::from(*byte);
            (self.code, self.missing) = match byte {
                0x80..=0xbf => (self.code << 6 | byte & 0x3f, self.missing.saturating_sub(1)),
                0xc0..=0xdf => (byte & 0x1f, 1),
                0xe0..=0xef => (byte & 0x0f, 2),
                0xf0..=0xff => (byte & 0x07, 3),
                _ => (byte, 0),
            };
            if self.missing == 0 {
                self.code_point(out);
            }
        }
    }

    fn code_point(&self, out: &mut Vec<u8>) {
        match self.code.checked_sub(0x1_0000) {
            Some(beyond) => {
                self.unit(0xd800 | (beyond >> 10 & 0x3ff) as u16, out);
                self.unit(0xdc00 | (beyond & 0x3ff) as u16, out);
            }
            None => self.unit(self.code as u16, out),
        }
    }

    fn unit(&self, unit: u16, out: &mut Vec<u8>) {
        out.extend(if self.big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..80), big: bool, cut in 0_usize..80) {
            let (mut decoder, mut text) = (Decoder::new(big), Vec::new());
            let (one, two) = bytes.split_at(cut.min(bytes.len()));
            decoder.decode(one, &mut text);
            decoder.decode(two, &mut text);
            let odd = decoder.end(&mut text);
            let mut again = Vec::new();
            Encoder::new(big).encode(&text, &mut again);
            again.extend(odd);
            prop_assert_eq!(again, bytes);
        }

        #[test]
        fn text_becomes_utf8(text: String) {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let mut decoded = Vec::new();
            Decoder::new(false).decode(&bytes, &mut decoded);
            prop_assert_eq!(decoded, text.into_bytes());
        }
    }
}
