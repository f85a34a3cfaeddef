//! Errors of weights files.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// An error of a weights file as such, whatever network it holds.
///
/// An error of the operating system is the `source` and no part of the message.
#[derive(Debug, Error)]
pub enum FormatError {
    /// The operating system can't read the file.
    #[error("can't read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The operating system can't write the file.
    #[error(
        "can't write {}: check that its folder is there and may be written",
        path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The tensors can't be put into a format.
    #[error("can't write {} as {format}: {reason}", path.display())]
    Save {
        /// The file.
        path: PathBuf,
        /// The format.
        format: &'static str,
        /// The reason.
        reason: String,
    },
    /// The file's first bytes are those of no format that is read.
    #[error(
        "{} is in no format that is read: safetensors, PyTorch (.pth), Keras (.h5, .weights.h5, .keras) \
         or burnpack (.bpk)", path.display()
    )]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged, or uses a part of its format that isn't read.
    #[error("{} can't be read as {format}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The format it was taken for.
        format: &'static str,
        /// The reason.
        reason: String,
    },
}

impl FormatError {
    /// Makes the error of a file that can't be read.
    pub fn read(path: &Path, source: std::io::Error) -> Self {
        Self::Read {
            path: path.to_owned(),
            source,
        }
    }

    /// Makes the error of a file that can't be written.
    pub fn write(path: &Path, source: std::io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            source,
        }
    }

    /// Makes the error of tensors that a format can't hold.
    pub fn save(path: &Path, format: &'static str, reason: impl ToString) -> Self {
        Self::Save {
            path: path.to_owned(),
            format,
            reason: reason.to_string(),
        }
    }

    /// Makes the error of a damaged file.
    pub fn malformed(path: &Path, format: &'static str, reason: impl ToString) -> Self {
        Self::Malformed {
            path: path.to_owned(),
            format,
            reason: reason.to_string(),
        }
    }
}
