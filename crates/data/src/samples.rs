//! The samples of a split: a finite table, from which batches are made.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use sha2::Sha256;

use crate::content::{Content, Sample, SampleError};
use crate::{BrokenImage, DataError, ImageKey, Images, Mosaics, StoredImages, epoch_order};

/// The samples of a split, by their index.
#[derive(Debug, Clone)]
pub enum Samples {
    /// Images that lie in memory, with one class each.
    Images(Arc<Images>),
    /// Images in files or shards, decoded when a batch asks for them, with a class or a set of classes each.
    Stored(StoredImages),
    /// Mosaics of images, made when a batch asks for them, with a set of classes each.
    Mosaics(Mosaics),
}

impl Samples {
    /// Returns the images themselves, where they lie in memory.
    #[must_use]
    pub fn in_memory(&self) -> Option<&Arc<Images>> {
        match self {
            Self::Images(images) => Some(images),
            Self::Stored(_) | Self::Mosaics(_) => None,
        }
    }

    /// Returns the number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Images(images) => images.len(),
            Self::Stored(images) => images.len(),
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
            Self::Stored(images) => images.size(),
            Self::Mosaics(mosaics) => mosaics.size(),
        }
    }

    /// Returns the number of all classes, where samples have sets of them; `None` where each has one class.
    #[must_use]
    pub fn set_classes(&self) -> Option<usize> {
        match self {
            Self::Images(_) => None,
            Self::Stored(images) => images.set_classes(),
            Self::Mosaics(mosaics) => Some(mosaics.classes()),
        }
    }

    /// Returns a sample's classes, rising; one where each has one class, and none of a mosaic, whose classes are drawn with it.
    ///
    /// # Panics
    ///
    /// Where `index` isn't below [`len`](Self::len).
    #[must_use]
    pub fn labels(&self, index: usize) -> &[u32] {
        match self {
            Self::Images(images) => std::slice::from_ref(&images.labels()[index]),
            Self::Stored(images) => images.labels(index),
            Self::Mosaics(_) => &[],
        }
    }

    /// Returns the number of samples that have each class; of mosaics, those of the images that they are made of.
    #[must_use]
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        if let Self::Mosaics(mosaics) = self {
            return mosaics.images().class_counts(classes);
        }
        let mut counts = vec![0; classes];
        for label in (0..self.len()).flat_map(|index| self.labels(index)) {
            if let Some(count) = counts.get_mut(*label as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// Returns how common each class is among the labels of the samples, where these have sets of labels; the shares sum to 1.
    /// Those of mosaics are of the first epoch with seed 0.
    #[must_use]
    pub fn label_shares(&self) -> Option<Vec<f64>> {
        if let Self::Mosaics(mosaics) = self {
            return Some(mosaics.label_shares());
        }
        let counts = self.class_counts(self.set_classes()?);
        let all = counts.iter().sum::<usize>().max(1) as f64;
        Some(counts.into_iter().map(|count| count as f64 / all).collect())
    }

    /// Returns the samples of a range of indices, which is cut to what there is.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        match self {
            Self::Images(images) => Self::Images(Arc::new(images.slice(range))),
            Self::Stored(images) => Self::Stored(images.slice(range)),
            Self::Mosaics(mosaics) => Self::Mosaics(mosaics.slice(range)),
        }
    }

    /// Returns `count` of the samples: see [`Images::limit`] and [`StoredImages::limit`]; of mosaics the first. `None` where
    /// `count` is 0 or above [`len`](Self::len).
    #[must_use]
    pub fn limit(&self, count: usize) -> Option<Self> {
        match self {
            Self::Images(images) => Some(Self::Images(Arc::new(images.limit(count)?))),
            Self::Stored(images) => images.limit(count).map(Self::Stored),
            Self::Mosaics(_) if count == 0 || count > self.len() => None,
            Self::Mosaics(_) => Some(self.slice(0..count)),
        }
    }

    /// Divides the samples in two parts, of which the second has `count`: see [`Images::split`] and [`StoredImages::split`]; of
    /// mosaics the last. `None` where one would be empty.
    #[must_use]
    pub fn split(&self, count: usize) -> Option<(Self, Self)> {
        match self {
            Self::Images(images) => {
                let (left, drawn) = images.split(count)?;
                Some((Self::Images(Arc::new(left)), Self::Images(Arc::new(drawn))))
            }
            Self::Stored(images) => {
                let (left, drawn) = images.split(count)?;
                Some((Self::Stored(left), Self::Stored(drawn)))
            }
            Self::Mosaics(_) if count == 0 || count >= self.len() => None,
            Self::Mosaics(_) => {
                let left = self.len() - count;
                Some((self.slice(0..left), self.slice(left..self.len())))
            }
        }
    }

    /// Returns the order in which an epoch goes through the samples: a permutation of their indices that depends on the seed
    /// and the epoch alone.
    #[must_use]
    pub fn shuffled(&self, seed: u64, epoch: u64) -> Vec<u32> {
        match self {
            Self::Images(_) | Self::Mosaics(_) => epoch_order(seed, epoch, self.len() as u32),
            Self::Stored(images) => images.shuffled(seed, epoch),
        }
    }

    /// Returns a sample.
    ///
    /// # Panics
    ///
    /// Where its index isn't below [`len`](Self::len).
    pub(crate) fn sample(&self, key: ImageKey) -> Result<Sample<'_>, SampleError> {
        let index = key.index as usize;
        match self {
            Self::Images(images) => Ok(Sample {
                content: Content::Pixels(images.image(index).into()),
                labels: self.labels(index).into(),
            }),
            Self::Stored(images) => Ok(images.sample(index)),
            Self::Mosaics(mosaics) => mosaics.sample(key),
        }
    }

    /// Returns the pixels of a sample, `[3, height, width]`, prepared without chance: of a mosaic those of the first epoch with
    /// seed 0.
    pub(crate) fn pixels(&self, index: usize) -> Result<Cow<'_, [u8]>, SampleError> {
        let key = ImageKey {
            seed: 0,
            epoch: 0,
            index: index as u32,
        };
        self.sample(key)?.content.pixels()
    }

    /// Counts broken images, and returns those that weren't met before in the table of the samples.
    pub(crate) fn count_broken(
        &self,
        broken: Vec<BrokenImage>,
    ) -> Result<Vec<BrokenImage>, DataError> {
        match self {
            Self::Images(_) => Ok(broken),
            Self::Stored(images) => images.broken().count(broken),
            Self::Mosaics(mosaics) => mosaics.images().count_broken(broken),
        }
    }

    /// Adds to a digest what the samples are; of mosaics, the images that they are made of.
    pub(crate) fn update_digest(&self, digest: &mut Sha256) {
        match self {
            Self::Images(images) => images.update_digest(digest),
            Self::Stored(images) => images.update_digest(digest),
            Self::Mosaics(mosaics) => mosaics.images().update_digest(digest),
        }
    }
}

impl From<Arc<Images>> for Samples {
    fn from(images: Arc<Images>) -> Self {
        Self::Images(images)
    }
}

impl From<Images> for Samples {
    fn from(images: Images) -> Self {
        Self::Images(Arc::new(images))
    }
}

impl From<StoredImages> for Samples {
    fn from(images: StoredImages) -> Self {
        Self::Stored(images)
    }
}
