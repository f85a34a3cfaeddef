//! The archives that can be fetched: where they are, how they are recognized and what is in them.

use std::fmt;
use std::path::Path;

use xception_fetch::{Check, File};

use crate::DataError;
use crate::cifar::{CIFAR10, CIFAR100, Cifar};

/// The largest size, in bytes, of a file of class names.
const TEXT_BYTES: u64 = 64 << 10;

/// An archive (`.tar.gz`) of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The name to fetch it by, such as `cifar10`.
    pub name: String,
    /// Its address; the last part is the file's name.
    pub url: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in lower-case hexadecimal.
    pub sha256: String,
    /// The one folder in it, which is made where it is unpacked.
    pub folder: String,
    /// The files of that folder that are wanted.
    pub members: Vec<Member>,
}

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name, without a folder.
    pub name: String,
    /// Its size.
    pub size: Size,
}

/// What is known of a file's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// These bytes.
    Exactly(u64),
    /// From one byte up to these.
    UpTo(u64),
}

impl Size {
    /// Returns whether a file of so many bytes agrees.
    #[must_use]
    pub fn allows(self, bytes: u64) -> bool {
        match self {
            Self::Exactly(expected) => bytes == expected,
            Self::UpTo(most) => (1..=most).contains(&bytes),
        }
    }

    /// Returns the largest size allowed.
    #[must_use]
    pub fn most(self) -> u64 {
        let (Self::Exactly(most) | Self::UpTo(most)) = self;
        most
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(bytes) => write!(f, "{bytes}"),
            Self::UpTo(most) => write!(f, "1 to {most}"),
        }
    }
}

impl Archive {
    /// Returns all archives. Sizes and SHA-256 are those that TensorFlow Datasets records.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![
            Self::of(
                &CIFAR10,
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
            Self::of(
                &CIFAR100,
                "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
                168_513_733,
                "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
            ),
        ]
    }

    /// Returns the archive of this name.
    ///
    /// # Errors
    ///
    /// [`DataError::UnknownArchive`] where there is none.
    pub fn named(name: &str) -> Result<Self, DataError> {
        let mut all = Self::all();
        match all.iter().position(|archive| archive.name == name) {
            Some(index) => Ok(all.swap_remove(index)),
            None => {
                let known: Vec<_> = all
                    .iter()
                    .map(|archive| format!("`{}`", archive.name))
                    .collect();
                Err(DataError::UnknownArchive {
                    given: name.into(),
                    known: known.join(" and "),
                })
            }
        }
    }

    fn of(cifar: &Cifar, url: &str, bytes: u64, sha256: &str) -> Self {
        let binary = |names: &'static [&str], records| {
            let size = Size::Exactly(cifar.file_bytes(records));
            names.iter().map(move |name| Member {
                name: name.to_string(),
                size,
            })
        };
        let text = Member {
            name: cifar.class_names.into(),
            size: Size::UpTo(TEXT_BYTES),
        };
        Self {
            name: cifar.kind.into(),
            url: url.into(),
            bytes,
            sha256: sha256.into(),
            folder: cifar.folder.into(),
            members: binary(cifar.train, cifar.train_records)
                .chain(binary(cifar.test, cifar.test_records))
                .chain([text])
                .collect(),
        }
    }

    /// Returns the archive's own file name.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or(&self.url)
    }

    /// Returns the address to fetch it from: its own, or the file of the same name at a mirror.
    #[must_use]
    pub fn address(&self, mirror: Option<&str>) -> String {
        self.file().address(mirror)
    }

    /// Returns the file to download.
    pub(crate) fn file(&self) -> File<'_> {
        File {
            url: &self.url,
            name: self.file_name(),
            bytes: Some(self.bytes),
            check: Check::Sha256(&self.sha256),
        }
    }

    /// Returns whether all files are in `folder`, with their sizes.
    #[must_use]
    pub fn is_complete_in(&self, folder: &Path) -> bool {
        self.members.iter().all(|member| {
            folder
                .join(&member.name)
                .metadata()
                .is_ok_and(|found| found.is_file() && member.size.allows(found.len()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_have_names_addresses_and_members() {
        let archive = Archive::named("cifar10").unwrap();
        assert_eq!(archive.file_name(), "cifar-10-binary.tar.gz");
        assert_eq!(
            archive.address(Some("http://mirror/data/")),
            "http://mirror/data/cifar-10-binary.tar.gz"
        );
        assert_eq!(archive.address(None), archive.url);
        assert_eq!(archive.members.len(), 7);
        for archive in Archive::all() {
            assert_eq!(archive.sha256.len(), 64);
            assert!(
                archive
                    .sha256
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            );
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        assert_eq!(
            Archive::named("cifar").unwrap_err().to_string(),
            "unknown data set `cifar`: those that can be fetched are `cifar10` and `cifar100`"
        );
    }
}
