//! In which country an address is, by a database in MaxMind's format (GeoLite2-Country, DB-IP and the like).

use std::net::IpAddr;

use maxminddb::{MaxMindDbError, PathElement, Reader};

use super::Country;

/// A database that was read into memory.
pub struct Countries(Reader<Vec<u8>>);

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum CountriesError {
    /// It is in another format, or broken.
    #[error("it is no MaxMind database: {0}")]
    Format(#[from] MaxMindDbError),
    /// It tells something else of addresses.
    #[error("it is a database of type `{0}`, which tells no countries")]
    Kind(String),
}

impl Countries {
    /// Takes a database.
    ///
    /// # Errors
    /// If it is broken, or tells no countries.
    pub fn read(file: Vec<u8>) -> Result<Self, CountriesError> {
        let reader = Reader::from_source(file)?;
        let kind = &reader.metadata().database_type;
        if !["Country", "City", "Enterprise"].iter().any(|known| kind.contains(known)) {
            return Err(CountriesError::Kind(kind.clone()));
        }
        Ok(Self(reader))
    }

    /// `None` for what the database does not know.
    pub fn of(&self, address: IpAddr) -> Option<Country> {
        const CODE: [PathElement<'_>; 2] = [PathElement::Key("country"), PathElement::Key("iso_code")];
        let code: &str = self.0.lookup(address.to_canonical()).ok()?.decode_path(&CODE).ok()??;
        Country::parse(code.as_bytes())
    }
}

impl std::fmt::Debug for Countries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Countries").field(&self.0.metadata().database_type).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_database_says_so() {
        for file in [&b""[..], b"garbage", b"\xab\xcd\xefMaxMind.com", b"\xab\xcd\xefMaxMind.com\xe1\x41a\x41b"] {
            let error = Countries::read(file.to_vec()).unwrap_err();
            assert!(error.to_string().starts_with("it is no MaxMind database: "), "{error}");
        }
    }
}
