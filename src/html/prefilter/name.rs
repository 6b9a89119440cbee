//! The names of tags, read and compared as numbers: nothing in a page is compared as often.

/// The name of a tag; how its letters are written does not count.
#[derive(Debug, Clone, Copy)]
pub(super) enum Name<'t> {
    /// At most eight bytes in lower case, the last of them lowest. It begins with a letter, so that no two are alike.
    Short(u64),
    /// As it is written: only those of custom elements and a few others are longer.
    Long(&'t [u8]),
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Short(one), Self::Short(other)) => one == other,
            (Self::Long(one), Self::Long(other)) => one.eq_ignore_ascii_case(other),
            _ => false,
        }
    }
}

impl<'t> Name<'t> {
    /// The name of a tag that begins at `start`, and where it ends; `None` if more of it may come.
    #[inline]
    pub(super) fn read(bytes: &'t [u8], start: usize) -> Option<(Self, usize)> {
        let (mut packed, mut end) = (0, start);
        loop {
            let byte = *bytes.get(end)?;
            if matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'/' | b'>') {
                break;
            }
            packed = pack(packed, byte);
            end += 1;
        }
        let name = if end - start <= SHORT { Self::Short(packed) } else { Self::Long(&bytes[start..end]) };
        Some((name, end))
    }

    /// The name that is written so.
    pub(super) fn of(name: &'t [u8]) -> Self {
        match name.len() {
            0..=SHORT => Self::Short(name.iter().fold(0, |packed, byte| pack(packed, *byte))),
            _ => Self::Long(name),
        }
    }

    /// Its text in lower case.
    pub(super) fn to_bytes(self) -> Box<[u8]> {
        match self {
            Self::Short(packed) => packed.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect(),
            Self::Long(name) => name.to_ascii_lowercase().into(),
        }
    }
}

const SHORT: usize = size_of::<u64>();

fn pack(packed: u64, byte: u8) -> u64 {
    packed << 8 | u64::from(byte.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_and_keep_their_text() {
        let names = ["a", "b", "ab", "ba", "a\0", "textarea", "textarea\0", "textareas", "h1", "x-café"];
        for name in names {
            let bytes = name.as_bytes();
            for upper in [bytes.to_vec(), bytes.to_ascii_uppercase()] {
                for end in [" ", ">", "/", "\n"] {
                    let tag = [b"<", &*upper, end.as_bytes()].concat();
                    let (read, at) = Name::read(&tag, 1).unwrap();
                    assert_eq!((&*read.to_bytes(), at), (bytes, 1 + bytes.len()), "{name:?}");
                    let same = names.iter().filter(|other| read == Name::of(other.as_bytes()));
                    assert_eq!(same.copied().collect::<Vec<_>>(), [name]);
                }
            }
        }
        assert_eq!(Name::read(b"<div", 1), None);
    }
}
