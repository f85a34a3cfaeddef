//! Hashes that files are recognized by.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::FetchError;

/// The fewest digits of a hash's beginning that are taken for a check: torchvision's file names carry 8.
const LEAST_PREFIX: usize = 8;

/// The hash by which a file is recognized, in hexadecimal, as its publisher gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check<'a> {
    /// The SHA-256.
    Sha256(&'a str),
    /// The first digits of the SHA-256, 8 at least, as the names of PyTorch's files carry them.
    ///
    /// A few digits tell a damaged file, or one that was mixed up with another; they don't stop somebody who makes a file
    /// on purpose.
    Sha256Prefix(&'a str),
    /// The MD5, as Keras publishes it.
    ///
    /// It tells a damaged file; whoever makes two files of the same MD5 on purpose has published one of them.
    Md5(&'a str),
}

impl<'a> Check<'a> {
    /// Returns the name of the hash.
    #[must_use]
    pub fn algorithm(self) -> &'static str {
        match self {
            Self::Sha256(_) | Self::Sha256Prefix(_) => "SHA-256",
            Self::Md5(_) => "MD5",
        }
    }

    /// Returns the digits expected: all of them, or the first.
    #[must_use]
    pub fn expected(self) -> &'a str {
        let (Self::Sha256(digits) | Self::Sha256Prefix(digits) | Self::Md5(digits)) = self;
        digits
    }

    /// Returns the digits expected, with an ellipsis if there are more.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Sha256Prefix(digits) if digits.len() < 64 => format!("{digits}..."),
            _ => self.expected().to_owned(),
        }
    }

    /// Computes the hash of all that `reader` gives, in lower-case hexadecimal.
    ///
    /// # Errors
    ///
    /// If reading fails.
    pub fn digest(self, reader: &mut impl Read) -> io::Result<String> {
        fn hash<D: Digest + io::Write>(reader: &mut impl Read) -> io::Result<String> {
            let mut digest = D::new();
            io::copy(reader, &mut digest)?;
            Ok(digest
                .finalize()
                .iter()
                .fold(String::new(), |mut digits, byte| {
                    let _ = write!(digits, "{byte:02x}"); // a String takes everything
                    digits
                }))
        }
        match self {
            Self::Sha256(_) | Self::Sha256Prefix(_) => hash::<Sha256>(reader),
            Self::Md5(_) => hash::<Md5>(reader),
        }
    }

    /// Returns whether `digest`, in lower-case hexadecimal, is the hash expected.
    #[must_use]
    pub fn accepts(self, digest: &str) -> bool {
        let expected = self.expected().to_ascii_lowercase();
        match self {
            Self::Sha256Prefix(_) => {
                expected.len() >= LEAST_PREFIX && digest.starts_with(&expected)
            }
            Self::Sha256(_) | Self::Md5(_) => digest == expected,
        }
    }

    /// Checks that the digits are those of such a hash.
    pub(crate) fn validate(self) -> Result<(), FetchError> {
        let (lengths, expected) = match self {
            Self::Sha256(_) => (64..=64, "64"),
            Self::Sha256Prefix(_) => (LEAST_PREFIX..=64, "8 to 64"),
            Self::Md5(_) => (32..=32, "32"),
        };
        let digits = self.expected();
        if lengths.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(());
        }
        Err(FetchError::Check {
            algorithm: self.algorithm(),
            given: digits.to_owned(),
            expected,
        })
    }
}

/// Checks that the file at `path` has the hash expected.
///
/// # Errors
///
/// [`FetchError::Damaged`] if it has another, [`FetchError::Read`] if it isn't there or can't be read, and
/// [`FetchError::Check`] if `check` is no such hash.
pub fn verify_file(path: &Path, check: Check) -> Result<(), FetchError> {
    check.validate()?;
    let found = file_digest(path, check)?;
    if check.accepts(&found) {
        return Ok(());
    }
    Err(FetchError::Damaged {
        path: path.to_path_buf(),
        algorithm: check.algorithm(),
        expected: check.describe(),
        found,
    })
}

/// Computes the hash of a file.
pub(crate) fn file_digest(path: &Path, check: Check) -> Result<String, FetchError> {
    fs::File::open(path)
        .and_then(|mut file| check.digest(&mut file))
        .map_err(|source| FetchError::Read {
            path: path.to_path_buf(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::tempdir;

    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";

    /// Checks a file that holds `abc`.
    fn verify(check: Check) -> Result<(), FetchError> {
        let dir = tempdir().unwrap();
        let path = dir.path().join("abc");
        fs::write(&path, "abc").unwrap();
        verify_file(&path, check)
    }

    #[test]
    fn each_hash_is_recognized() {
        verify(Check::Sha256(SHA256)).unwrap();
        verify(Check::Sha256(&SHA256.to_uppercase())).unwrap();
        verify(Check::Sha256Prefix(&SHA256[..8])).unwrap();
        verify(Check::Sha256Prefix(&SHA256[..9])).unwrap();
        verify(Check::Sha256Prefix(SHA256)).unwrap();
        verify(Check::Md5(MD5)).unwrap();
    }

    #[test]
    fn another_hash_is_told_with_both() {
        let error = verify(Check::Sha256Prefix("ba7816be")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("has SHA-256 {SHA256}, expected ba7816be...")),
            "{error}"
        );
        let other = "0".repeat(32);
        let error = verify(Check::Md5(&other)).unwrap_err().to_string();
        assert!(
            error.contains(&format!("has MD5 {MD5}, expected {other}")),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_hash_is_an_error_rather_than_a_match() {
        for check in [
            Check::Sha256Prefix(""),
            Check::Sha256Prefix("ba7816b"),
            Check::Sha256(&SHA256[..63]),
            Check::Sha256(MD5),
            Check::Md5(SHA256),
            Check::Md5("900150983cd24fb0d6963f7d28e17f7z"),
        ] {
            let error = verify(check).unwrap_err();
            assert!(
                matches!(error, FetchError::Check { .. }),
                "{check:?}: {error}"
            );
        }
        assert!(!Check::Sha256Prefix("").accepts(SHA256));
    }

    #[test]
    fn a_file_that_is_not_there_is_a_read_error() {
        let error = verify_file(Path::new("not there"), Check::Md5(MD5)).unwrap_err();
        assert!(matches!(error, FetchError::Read { .. }));
    }
}
