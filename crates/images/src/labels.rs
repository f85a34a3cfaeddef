//! Names of classes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::PreprocessingError;

/// ImageNet-1k's classes in the order of their sorted synset numbers, one a line: the list
/// `_IMAGENET_CATEGORIES` of torchvision 0.29 (torchvision/models/_meta.py, BSD 3-clause license),
/// which tells the two cranes and the two maillots apart.
const IMAGENET_1K: &str = include_str!("imagenet_1k.txt");

/// The largest file of names that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// The names of a network's classes, by their index.
///
/// ```
/// use xception_images::Labels;
///
/// let labels = Labels::imagenet_1k();
/// assert_eq!(labels.len(), 1000);
/// assert_eq!(labels.name(281), Some("tabby"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    names: Vec<String>,
}

impl Labels {
    /// Returns the 1000 classes of ImageNet, in the order that Keras's, timm's and torchvision's weights
    /// share.
    #[must_use]
    pub fn imagenet_1k() -> Self {
        Self::parse(IMAGENET_1K)
    }

    /// Creates labels from names by their index.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        Self { names }
    }

    /// Parses a text with one name a line; space around them, and empty lines at the end, don't
    /// count.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}').trim_end();
        Self::new(text.lines().map(|line| line.trim().to_owned()).collect())
    }

    /// Reads a file in UTF-8 with one name a line. A pipe is read too, as a shell's `<(command)` gives it.
    ///
    /// # Errors
    ///
    /// If the file can't be read or isn't UTF-8 ([`PreprocessingError::Read`]), or has more than 16 MiB
    /// ([`PreprocessingError::FileTooLarge`]).
    pub fn read(path: &Path) -> Result<Self, PreprocessingError> {
        let failed = |source| PreprocessingError::Read {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let mut text = String::new();
        // A pipe may go on forever: one byte over the limit is enough to know.
        let read = file.take(MAX_BYTES + 1).read_to_string(&mut text);
        let bytes = read.map_err(failed)? as u64;
        if bytes > MAX_BYTES {
            return Err(PreprocessingError::FileTooLarge {
                name: path.display().to_string(),
                bytes,
                limit: MAX_BYTES,
            });
        }
        Ok(Self::parse(&text))
    }

    /// Returns the name of the class `index`.
    #[must_use]
    pub fn name(&self, index: usize) -> Option<&str> {
        self.names.get(index).map(String::as_str)
    }

    /// Returns the number of names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns whether there are no names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the names in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Checks that there is a name for each of a network's classes.
    ///
    /// # Errors
    ///
    /// If there are more or fewer: [`PreprocessingError::LabelCount`].
    pub fn check(&self, classes: usize) -> Result<(), PreprocessingError> {
        if self.len() == classes {
            return Ok(());
        }
        Err(PreprocessingError::LabelCount {
            names: self.len(),
            classes,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn imagenet_has_its_landmarks() {
        let labels = Labels::imagenet_1k();
        labels.check(1000).unwrap();
        for (index, name) in [
            (0, "tench"),
            (1, "goldfish"),
            (134, "crane bird"),
            (207, "golden retriever"),
            (281, "tabby"),
            (386, "African elephant"),
            (517, "crane"),
            (817, "sports car"),
            (999, "toilet tissue"),
        ] {
            assert_eq!(labels.name(index), Some(name));
        }
        assert_eq!(labels.name(1000), None);
        let unique: HashSet<_> = labels.iter().collect();
        assert_eq!(unique.len(), 1000);
        assert!(labels.iter().all(|name| !name.is_empty()));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_without_an_end_is_an_error() {
        let error = Labels::read(Path::new("/dev/zero")).unwrap_err();
        assert!(
            matches!(error, PreprocessingError::FileTooLarge { .. }),
            "{error}"
        );
    }

    #[test]
    fn files_are_read_line_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.txt");
        std::fs::write(&path, "\u{feff}cat\r\n dog \n\nhorse\n\n").unwrap();
        let labels = Labels::read(&path).unwrap();
        assert_eq!(
            labels.iter().collect::<Vec<_>>(),
            ["cat", "dog", "", "horse"]
        );
        assert_eq!(
            labels.check(3).unwrap_err().to_string(),
            "there are 4 class names, but the network has 3 classes; use the list it was trained with"
        );
        let error = Labels::read(&folder.path().join("none.txt")).unwrap_err();
        assert!(error.to_string().contains("none.txt"));
    }
}
