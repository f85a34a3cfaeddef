//! Reading of images in batches, and the account of those that fail.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rayon::prelude::*;
use xception::models::preprocessing::Preprocessing;
use xception_messages::with_causes;

use crate::images::ImageSource;
use crate::terminal::{escaped, escaped_path};

/// A batch of images that were read, ready for a network.
pub struct Batch {
    /// Paths of the images, in the order of the rows.
    pub paths: Vec<PathBuf>,
    /// Indices of the images in the list.
    pub indices: Vec<u32>,
    /// Preprocessed images, `[paths, 3, height, width]`.
    pub inputs: Vec<f32>,
}

/// The numbers of images without a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failures {
    /// Images that couldn't be read.
    pub unreadable: usize,
    /// Images for which the network's output isn't finite.
    pub not_finite: usize,
}

impl Failures {
    /// Reports on standard error that an image, or a file that may be one, is skipped.
    pub fn skip(&mut self, message: &str) {
        self.unreadable += 1;
        tell_skipped(message);
    }

    /// Reports on standard error that the network's output for an image isn't finite.
    pub fn no_numbers(&mut self, path: &Path) {
        self.not_finite += 1;
        let path = escaped_path(path);
        // A closed standard error is no reason to stop.
        let _ = writeln!(
            std::io::stderr(),
            "{path}: the network's output isn't finite numbers"
        );
    }

    /// Returns the error for the failures reported, if there were any.
    pub fn check(self, images: usize) -> Result<()> {
        let Self {
            unreadable,
            not_finite,
        } = self;
        let unread = format!("{unreadable} of {images} images could not be read");
        let broken = format!(
            "the network's output isn't finite numbers for {not_finite} of {images} images: its weights are damaged, or \
             their training diverged"
        );
        match (unreadable, not_finite) {
            (0, 0) => Ok(()),
            (_, 0) => anyhow::bail!(unread),
            (0, _) => anyhow::bail!(broken),
            _ => anyhow::bail!("{unread}; {broken}"),
        }
    }
}

/// Reports on standard error that something is skipped.
pub fn tell_skipped(message: &str) {
    // A closed standard error is no reason to stop.
    let _ = writeln!(std::io::stderr(), "skipped: {}", escaped(message));
}

/// Reads images in batches, in parallel within a batch, and passes those that could be read to `each`. The others are
/// reported on standard error, skipped and counted in `failures`.
pub fn for_each_batch(
    images: &[ImageSource],
    preprocessing: &Preprocessing,
    batch_size: usize,
    failures: &mut Failures,
    mut each: impl FnMut(Batch, &mut Failures) -> Result<()>,
) -> Result<()> {
    let mut index = 0;
    for images in images.chunks(batch_size.max(1)) {
        let inputs: Vec<_> = images
            .par_iter()
            .map(|image| preprocessing.apply(&image.read()?))
            .collect();
        let mut batch = Batch {
            paths: Vec::new(),
            indices: Vec::new(),
            inputs: Vec::new(),
        };
        for (image, input) in images.iter().zip(inputs) {
            match input {
                Ok(input) => {
                    batch.paths.push(image.path().to_owned());
                    batch.indices.push(index);
                    batch.inputs.extend(input);
                }
                Err(error) => failures.skip(&with_causes(&error)),
            }
            index += 1;
        }
        if !batch.paths.is_empty() {
            each(batch, failures)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_at_the_end_counts_both() {
        let error = |unreadable, not_finite| {
            let failures = Failures {
                unreadable,
                not_finite,
            };
            failures.check(9).map_err(|error| error.to_string())
        };
        assert_eq!(error(0, 0), Ok(()));
        assert_eq!(error(2, 0).unwrap_err(), "2 of 9 images could not be read");
        let text = error(0, 3).unwrap_err();
        assert!(text.contains("finite numbers for 3 of 9 images"), "{text}");
        let text = error(1, 3).unwrap_err();
        assert!(text.contains("1 of 9") && text.contains("3 of 9"), "{text}");
    }
}
