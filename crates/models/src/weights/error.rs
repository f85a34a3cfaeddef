//! The errors of weights files, and the differences between a file's tensors and a network's.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;
use xception_formats::FormatError;
use xception_messages::nearest;

use crate::{ModelConfig, ModelError};

/// Number of names of each kind that an error lists.
const LISTED: usize = 10;

/// An error of a weights file.
///
/// An error of the operating system is the `source` and not part of the message: see
/// [`with_causes`](xception_messages::with_causes).
#[derive(Debug, Error)]
pub enum WeightsError {
    /// The file can't be read or written, or its format is unknown.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The tensors' names belong to no known network.
    #[error(
        "{} holds {count} tensors{first}, and no network that is known: {families} as timm, torchvision, pytorchcv \
         or Keras name them",
        path.display(), first = such_as(.first), families = ModelConfig::FAMILIES.join(", ")
    )]
    UnknownNetwork {
        /// Path of the file.
        path: PathBuf,
        /// Number of tensors in it.
        count: usize,
        /// First of the names.
        first: Vec<String>,
    },
    /// The file holds several networks.
    #[error(
        "{} holds the network several times, under {}; say which one by its prefix",
        path.display(), prefixes.join(", ")
    )]
    SeveralNetworks {
        /// Path of the file.
        path: PathBuf,
        /// Prefix of each network's names.
        prefixes: Vec<String>,
    },
    /// The tensors don't fit the network.
    #[error("{} doesn't fit {network}: {mismatch}", path.display())]
    Mismatch {
        /// Path of the file.
        path: PathBuf,
        /// Name of the network.
        network: String,
        /// The tensors that differ.
        mismatch: Box<Mismatch>,
    },
    /// The file has all of the network except its classifier.
    #[error(
        "{} holds {network} without a classifier, which is {}: load it with a new one, and train that",
        path.display(), missing.join(", ")
    )]
    NoClassifier {
        /// Path of the file.
        path: PathBuf,
        /// Name of the network.
        network: String,
        /// Names that the classifier's tensors would have in the file.
        missing: Vec<String>,
    },
    /// The file has a custom head that no network here can have.
    #[error(
        "{} has a classifier that isn't read: {reason}; the rest can be loaded under a new one",
        path.display()
    )]
    UnknownHead {
        /// Path of the file.
        path: PathBuf,
        /// Description of the head.
        reason: String,
    },
    /// The configuration, from the file or from the options, is invalid.
    #[error(transparent)]
    Model(#[from] ModelError),
}

fn such_as(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!(" such as {}", names.join(", "))
}

impl WeightsError {
    pub(super) fn malformed(path: &Path, format: &'static str, reason: impl ToString) -> Self {
        FormatError::malformed(path, format, reason).into()
    }

    pub(super) fn write(path: &Path, source: std::io::Error) -> Self {
        FormatError::write(path, source).into()
    }

    pub(super) fn save(path: &Path, format: &'static str, reason: impl ToString) -> Self {
        FormatError::save(path, format, reason).into()
    }
}

/// A tensor whose shape differs from the network's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshapen {
    /// Name in the file.
    pub name: String,
    /// Shape in the file.
    pub found: Vec<usize>,
    /// Shape that the network requires, in the file's layout.
    pub expected: Vec<usize>,
}

/// The differences between a file's tensors and those that a network requires.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Names of required tensors that aren't in the file.
    pub missing: Vec<String>,
    /// Names of tensors in the file that aren't required.
    pub unused: Vec<String>,
    /// Tensors in the file that have another shape than the network's.
    pub misshapen: Vec<Misshapen>,
    /// Whether all missing tensors belong to the classifier, and no shape differs.
    pub only_the_head_is_missing: bool,
}

impl Mismatch {
    /// Returns whether the only difference is that the file has tensors that the network doesn't use.
    pub fn only_unused(&self) -> bool {
        !self.unused.is_empty() && self.missing.is_empty() && self.misshapen.is_empty()
    }

    /// Returns whether there are no differences.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unused.is_empty() && self.misshapen.is_empty()
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut separator = "";
        if !self.missing.is_empty() {
            let hinted = self.missing.iter().take(LISTED).map(|name| {
                match nearest(name, self.unused.iter().map(String::as_str)) {
                    Some(near) => format!("{name} (there is {near})"),
                    None => name.clone(),
                }
            });
            list(f, "missing", self.missing.len(), hinted)?;
            separator = "; ";
        }
        if !self.misshapen.is_empty() {
            write!(f, "{separator}")?;
            let shapes = self.misshapen.iter().take(LISTED).map(|tensor| {
                format!(
                    "{} is {:?} but has to be {:?}",
                    tensor.name, tensor.found, tensor.expected
                )
            });
            list(f, "of another shape", self.misshapen.len(), shapes)?;
            separator = "; ";
        }
        if !self.unused.is_empty() {
            write!(f, "{separator}")?;
            let names = self.unused.iter().take(LISTED).cloned();
            list(f, "unused", self.unused.len(), names)?;
            separator = "; ";
        }
        if self.only_the_head_is_missing {
            write!(
                f,
                "{separator}only the classifier is missing, which a new head can replace"
            )
        } else if self.only_unused() {
            write!(f, "{separator}they can be allowed")
        } else {
            Ok(())
        }
    }
}

/// Writes a kind of difference: its count, and the first names.
fn list(
    f: &mut fmt::Formatter,
    what: &str,
    count: usize,
    first: impl Iterator<Item = String>,
) -> fmt::Result {
    let first: Vec<_> = first.collect();
    write!(f, "{count} {what}: {}", first.join(", "))?;
    match count - first.len() {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::io;

    use super::*;

    #[test]
    fn messages_leave_their_causes_out() {
        let (path, missing) = (Path::new("a.h5"), || io::Error::from_raw_os_error(2));
        for error in [
            FormatError::read(path, missing()).into(),
            WeightsError::write(path, missing()),
        ] {
            let cause = error.source().unwrap().to_string();
            assert!(!error.to_string().contains(&cause), "{error}");
        }
    }
}
