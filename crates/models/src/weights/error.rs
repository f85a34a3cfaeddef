//! What can be wrong with a weights file.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;
use xception_formats::FormatError;
use xception_messages::nearest;

use crate::{ModelConfig, ModelError};

/// How many names of each kind an error lists.
const LISTED: usize = 10;

/// What can be wrong with a weights file.
///
/// An error of the operating system is the `source` and no part of the message: see
/// [`with_causes`](xception_messages::with_causes).
#[derive(Debug, Error)]
pub enum WeightsError {
    /// The file as such: it can't be read or written, or is in no format that is known.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The names are those of no network that is known.
    #[error(
        "{} holds {count} tensors{first}, and no network that is known: {families} as timm, torchvision or Keras \
         name them",
        path.display(), first = such_as(.first), families = ModelConfig::FAMILIES.join(", ")
    )]
    UnknownNetwork {
        /// The file.
        path: PathBuf,
        /// Number of tensors in it.
        count: usize,
        /// The first names.
        first: Vec<String>,
    },
    /// The file holds several networks.
    #[error(
        "{} holds the network several times, under {}; say which one by its prefix",
        path.display(), prefixes.join(", ")
    )]
    SeveralNetworks {
        /// The file.
        path: PathBuf,
        /// What stands before the names of each.
        prefixes: Vec<String>,
    },
    /// The tensors aren't those of the network.
    #[error("{} doesn't fit {network}: {mismatch}", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// The network's name.
        network: String,
        /// The tensors that differ.
        mismatch: Box<Mismatch>,
    },
    /// The file has the whole network but its classifier.
    #[error(
        "{} holds {network} without a classifier, which is {}: load it with a new one, and train that",
        path.display(), missing.join(", ")
    )]
    NoClassifier {
        /// The file.
        path: PathBuf,
        /// The network's name.
        network: String,
        /// The classifier's tensors, as the file would name them.
        missing: Vec<String>,
    },
    /// A custom head that the networks here can't represent.
    #[error(
        "{} has a classifier that isn't read: {reason}; the rest can be loaded under a new one",
        path.display()
    )]
    UnknownHead {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The configuration that the file gives, or that was asked for, makes no network.
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

/// A tensor whose shape isn't the network's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshapen {
    /// Its name in the file.
    pub name: String,
    /// Its shape in the file.
    pub found: Vec<usize>,
    /// The shape that the network wants, in the file's layout.
    pub expected: Vec<usize>,
}

/// The tensors of a file that differ from what a network wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Wanted, but not in the file.
    pub missing: Vec<String>,
    /// In the file, but not wanted.
    pub unused: Vec<String>,
    /// In the file, but of another shape.
    pub misshapen: Vec<Misshapen>,
    /// Whether the missing ones are all of the head.
    pub only_the_head_is_missing: bool,
}

impl Mismatch {
    /// Whether the file has all that the network wants, and more.
    pub fn only_unused(&self) -> bool {
        !self.unused.is_empty() && self.missing.is_empty() && self.misshapen.is_empty()
    }

    /// Whether nothing differs.
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

/// A kind of difference, its count, and the first of its names.
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
