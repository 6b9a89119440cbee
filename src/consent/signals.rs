//! What a browser says on its owner's behalf: `Sec-GPC` (Global Privacy Control) and `DNT`.

/// Signals of one request. Which categories heed them is the policy's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signals {
    /// `Sec-GPC: 1`.
    pub gpc: bool,
    /// `DNT: 1`.
    pub dnt: bool,
}

impl Signals {
    /// Reads the values of all `Sec-GPC` and all `DNT` lines. Only the exact value `1` means anything (GPC §3.2).
    pub fn read<'a>(gpc: impl IntoIterator<Item = &'a [u8]>, dnt: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self { gpc: gpc.into_iter().any(|value| value == b"1"), dnt: dnt.into_iter().any(|value| value == b"1") }
    }
}
