//! What a batch gets of a sample.

use std::borrow::Cow;

use crate::stored::StoredImage;
use crate::{BrokenImage, DataError};

/// A sample, as a batch takes it up.
pub(crate) struct Sample<'a> {
    pub content: Content<'a>,
    /// Its classes, rising; one where each sample has one class.
    pub labels: Cow<'a, [u32]>,
}

/// Where the pixels of a sample come from.
///
/// This is the one place where a sample's bytes become pixels: what varies an image decides how it is decoded.
pub(crate) enum Content<'a> {
    /// They are there, at the size of the samples: `[3, height, width]`.
    Pixels(Cow<'a, [u8]>),
    /// They are to be decoded.
    Stored(StoredImage<'a>),
}

/// Why a sample can't be had.
#[derive(Debug)]
pub(crate) enum SampleError {
    /// Its image is broken: it is left out of its batch.
    Broken(BrokenImage),
    /// Reading failed: nothing can be said of the image, and the run ends.
    Failed(DataError),
}

impl From<DataError> for SampleError {
    fn from(error: DataError) -> Self {
        Self::Failed(error)
    }
}

impl<'a> Content<'a> {
    /// Returns the pixels at the size of the samples, `[3, height, width]`, prepared without chance.
    pub(crate) fn pixels(self) -> Result<Cow<'a, [u8]>, SampleError> {
        match self {
            Self::Pixels(pixels) => Ok(pixels),
            Self::Stored(image) => image.pixels(),
        }
    }
}
