//! Files to fetch.

use std::path::{Component, Path};

use crate::{Check, FetchError};

/// A file on a server, and how it is recognized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File<'a> {
    /// Its address.
    pub url: &'a str,
    /// Its name, in the folder that it is put into and at a mirror.
    pub name: &'a str,
    /// Its size in bytes, if it is known.
    pub bytes: Option<u64>,
    /// Its hash.
    pub check: Check<'a>,
}

impl File<'_> {
    /// Returns the address to fetch it from: its own, or the file of its name at a mirror.
    #[must_use]
    pub fn address(&self, mirror: Option<&str>) -> String {
        match mirror {
            None => self.url.to_owned(),
            Some(base) => format!("{}/{}", base.trim_end_matches('/'), self.name),
        }
    }

    /// Checks that the name is one of a file in a folder, and the hash one that tells files apart.
    pub(crate) fn validate(&self) -> Result<(), FetchError> {
        let mut parts = Path::new(self.name).components();
        let single = matches!(
            (parts.next(), parts.next()),
            (Some(Component::Normal(part)), None) if part == self.name
        );
        // What separates folders elsewhere is no part of a name here either.
        if !single || self.name.contains(['/', '\\', ':']) {
            return Err(FetchError::Name {
                name: self.name.to_owned(),
            });
        }
        self.check.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: File = File {
        url: "http://home.invalid/v1/file.bin",
        name: "file.bin",
        bytes: None,
        check: Check::Md5("0a58e3b7378bc2990ea3b43d5981f1f6"),
    };

    #[test]
    fn a_mirror_has_the_file_under_its_name() {
        assert_eq!(FILE.address(None), FILE.url);
        for base in ["http://mirror/data", "http://mirror/data/"] {
            assert_eq!(FILE.address(Some(base)), "http://mirror/data/file.bin");
        }
    }

    #[test]
    fn a_name_stays_in_its_folder() {
        FILE.validate().unwrap();
        for name in [
            "", ".", "..", "../x", "a/b", "/x", "x/", "./x", "a\\b", "c:x",
        ] {
            let error = File { name, ..FILE }.validate().unwrap_err();
            assert!(matches!(error, FetchError::Name { .. }), "{name}: {error}");
        }
    }
}
