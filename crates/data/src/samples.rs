//! The samples of a split: a finite table, from which batches are made.

use std::ops::Range;
use std::sync::Arc;

use crate::dataset::CHANNELS;
use crate::{ImageKey, Images, Mosaics, Targets};

/// The samples of a split, by their index: images that lie in memory, or mosaics that are made of such images when a batch
/// asks for them.
#[derive(Debug, Clone)]
pub enum Samples {
    /// Images with one class each.
    Images(Arc<Images>),
    /// Mosaics with a set of classes each.
    Mosaics(Mosaics),
}

impl Samples {
    /// Returns the number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Images(images) => images.len(),
            Self::Mosaics(mosaics) => mosaics.len(),
        }
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the height and width of a sample.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        match self {
            Self::Images(images) => images.size(),
            Self::Mosaics(mosaics) => mosaics.size(),
        }
    }

    /// Returns the samples of a range of indices, which is cut to what there is.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        match self {
            Self::Images(images) => Self::Images(Arc::new(images.slice(range))),
            Self::Mosaics(mosaics) => Self::Mosaics(mosaics.slice(range)),
        }
    }

    /// Calls `take` with the pixels, `[3, height, width]`, of each of some samples, and returns what is to be recognized in
    /// them.
    ///
    /// # Panics
    ///
    /// Where an index isn't below [`len`](Self::len).
    pub(crate) fn for_each(
        &self,
        keys: impl Iterator<Item = ImageKey>,
        mut take: impl FnMut(ImageKey, &[u8]),
    ) -> Targets {
        match self {
            Self::Images(images) => Targets::Classes(
                keys.map(|key| {
                    take(key, images.image(key.index as usize));
                    images.label(key.index as usize)
                })
                .collect(),
            ),
            Self::Mosaics(mosaics) => {
                let [height, width] = mosaics.size();
                let mut pixels = vec![0; CHANNELS * height * width];
                let set = |key: ImageKey| {
                    let labels = mosaics.draw(key, &mut pixels);
                    take(key, &pixels);
                    labels
                };
                Targets::Sets {
                    sets: keys.map(set).collect(),
                    classes: mosaics.classes(),
                }
            }
        }
    }
}

impl From<Arc<Images>> for Samples {
    fn from(images: Arc<Images>) -> Self {
        Self::Images(images)
    }
}
