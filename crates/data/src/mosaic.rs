//! Mosaics of a data set's images: images with a set of labels, from images with one label each.

use std::ops::Range;
use std::sync::Arc;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xception_messages::Bounds;

use crate::content::{Content, Sample, SampleError};
use crate::dataset::CHANNELS;
use crate::keyed_rng::{Purpose, keyed_rng};
use crate::{DataError, ImageKey, Samples};

const GRID: Bounds = Bounds::at_least(1.0).at_most(16.0);
const LABELS: Bounds = Bounds::at_least(1.0);
const SKEW: Bounds = Bounds::at_least(0.0).at_most(10.0);

/// How images are put together to mosaics, whose labels are the set of the classes of their parts: a stand-in for a data set
/// with many labels an image, such as JFT.
///
/// A mosaic has `grid` x `grid` parts of the size of an image, and exactly `labels` classes. The classes are drawn by their
/// frequency, which falls with their index, the parts uniformly from the images of these classes. A split has as many mosaics
/// as its images fill. Those to train on are other ones in every epoch, drawn by the seed; those to score on are always the
/// same.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(description = "How images are put together to mosaics with a set of labels each.")]
pub struct Mosaic {
    /// Images in a row, and in a column.
    #[schemars(example = 3, transform = GRID.of_number())]
    pub grid: usize,
    /// Different classes in a mosaic; at most as many as it has parts.
    #[schemars(example = 4, transform = LABELS.of_number())]
    pub labels: usize,
    /// How unequal the frequencies of the classes are: that of class i is in proportion to (i + 1) to the power of minus this;
    /// 0 for equal ones.
    #[schemars(example = 0.5, transform = SKEW.of_number())]
    pub skew: f64,
}

impl Default for Mosaic {
    fn default() -> Self {
        Self {
            grid: 2,
            labels: 3,
            skew: 1.0,
        }
    }
}

impl Mosaic {
    /// Returns the number of images in a mosaic.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.grid * self.grid
    }

    /// Returns the first option that is out of its range: its name, its value and what is expected.
    #[must_use]
    pub fn out_of_range(&self) -> Option<(&'static str, String, String)> {
        if !GRID.contains_count(self.grid) {
            return Some(("grid", self.grid.to_string(), GRID.to_string()));
        }
        if !SKEW.contains(self.skew) {
            return Some(("skew", self.skew.to_string(), SKEW.to_string()));
        }
        let (parts, grid) = (self.parts(), self.grid);
        (self.labels == 0 || self.labels > parts).then(|| {
            let expected = format!("1 to {parts}, the parts of {grid} x {grid} images");
            ("labels", self.labels.to_string(), expected)
        })
    }
}

/// The mosaics of a split.
#[derive(Debug, Clone)]
pub struct Mosaics {
    mosaic: Mosaic,
    images: Arc<Samples>,
    /// The images of each class.
    by_class: Arc<Vec<Vec<u32>>>,
    /// The frequency of each class, of which only the proportions count; 0 where it has no image.
    frequencies: Arc<Vec<f64>>,
    /// Whether a mosaic depends on its index alone, and not on the seed and the epoch.
    is_fixed: bool,
    indices: Range<usize>,
}

impl Mosaics {
    /// Puts images of `classes` classes together: anew in every epoch, or always the same.
    ///
    /// # Errors
    ///
    /// [`DataError::Mosaic`] where the images have fewer classes than a mosaic, or don't fill one, and
    /// [`DataError::MosaicOfSets`] where they have sets of classes themselves.
    pub fn new(
        images: impl Into<Samples>,
        classes: usize,
        mosaic: Mosaic,
        is_fixed: bool,
    ) -> Result<Self, DataError> {
        let images = images.into();
        if images.set_classes().is_some() {
            return Err(DataError::MosaicOfSets);
        }
        let mut by_class = vec![Vec::new(); classes];
        for index in 0..images.len() {
            for &label in images.labels(index) {
                if let Some(class) = by_class.get_mut(label as usize) {
                    class.push(index as u32);
                }
            }
        }
        let frequency = |(class, images): (usize, &Vec<u32>)| match images.is_empty() {
            true => 0.0,
            false => ((class + 1) as f64).powf(-mosaic.skew),
        };
        let frequencies: Vec<f64> = by_class.iter().enumerate().map(frequency).collect();
        let filled = frequencies.iter().filter(|&&f| f > 0.0).count();
        let count = images.len() / mosaic.parts().max(1);
        if filled < mosaic.labels || count == 0 || mosaic.out_of_range().is_some() {
            return Err(DataError::Mosaic {
                grid: mosaic.grid,
                labels: mosaic.labels,
                images: images.len(),
                classes: filled,
            });
        }
        Ok(Self {
            mosaic,
            images: Arc::new(images),
            by_class: Arc::new(by_class),
            frequencies: Arc::new(frequencies),
            is_fixed,
            indices: 0..count,
        })
    }

    /// Returns the number of mosaics.
    #[must_use]
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Returns the images that mosaics are made of.
    #[must_use]
    pub fn images(&self) -> &Samples {
        &self.images
    }

    /// Returns the number of all classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.by_class.len()
    }

    /// Returns the height and width of a mosaic.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        self.images.size().map(|side| side * self.mosaic.grid)
    }

    /// Returns the mosaics of a range of indices, which is cut to what there is.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let within = |index: usize| self.indices.start + index.min(self.len());
        Self {
            indices: within(range.start)..within(range.end).max(within(range.start)),
            ..self.clone()
        }
    }

    /// Returns the share of all labels that each class has, in the mosaics of the first epoch with seed 0.
    #[must_use]
    pub fn label_shares(&self) -> Vec<f64> {
        let mut counts = vec![0u64; self.by_class.len()];
        for index in 0..self.len() as u32 {
            let key = ImageKey {
                seed: 0,
                epoch: 0,
                index,
            };
            for label in self.labels(&mut self.rng(key)) {
                counts[label as usize] += 1;
            }
        }
        let all = (self.len() * self.mosaic.labels).max(1) as f64;
        counts.into_iter().map(|count| count as f64 / all).collect()
    }

    /// Makes a mosaic; its labels are rising.
    pub(crate) fn sample(&self, key: ImageKey) -> Result<Sample<'_>, SampleError> {
        let mut rng = self.rng(key);
        let mut labels = self.labels(&mut rng);
        // Each label once, then any of them, in a random order.
        let mut classes = labels.clone();
        while classes.len() < self.mosaic.parts() {
            classes.push(labels[rng.random_range(0..labels.len())]);
        }
        for last in (1..classes.len()).rev() {
            classes.swap(last, rng.random_range(0..=last));
        }
        let [height, width] = self.size();
        let mut pixels = vec![0; CHANNELS * height * width];
        for (place, &class) in classes.iter().enumerate() {
            let images = &self.by_class[class as usize];
            let image = images[rng.random_range(0..images.len())];
            let part = self.images.pixels(image as usize)?;
            self.copy(&part, place, &mut pixels);
        }
        labels.sort_unstable();
        Ok(Sample {
            content: Content::Pixels(pixels.into()),
            labels: labels.into(),
        })
    }

    fn rng(&self, key: ImageKey) -> ChaCha8Rng {
        let (seed, epoch) = match self.is_fixed {
            true => (0, 0),
            false => (key.seed, key.epoch),
        };
        let index = self.indices.start as u64 + u64::from(key.index);
        keyed_rng(Purpose::Mosaic, seed, epoch, index)
    }

    /// Draws different classes, one after the other, each by the frequencies of those that are left.
    fn labels(&self, rng: &mut ChaCha8Rng) -> Vec<u32> {
        let mut left = self.frequencies.as_ref().clone();
        let mut labels = Vec::with_capacity(self.mosaic.labels);
        while labels.len() < self.mosaic.labels {
            let mut at = rng.random::<f64>() * left.iter().sum::<f64>();
            // The last class with a frequency, where rounding leads past it.
            let mut drawn = 0;
            for (class, &frequency) in left.iter().enumerate() {
                if frequency > 0.0 {
                    drawn = class;
                    at -= frequency;
                    if at < 0.0 {
                        break;
                    }
                }
            }
            left[drawn] = 0.0;
            labels.push(drawn as u32);
        }
        labels
    }

    /// Copies an image to a place of the mosaic; places are counted from left to right and from top to bottom.
    fn copy(&self, image: &[u8], place: usize, pixels: &mut [u8]) {
        let grid = self.mosaic.grid;
        let [height, width] = self.images.size();
        let (top, left) = (place / grid * height, place % grid * width);
        let rows = image.chunks_exact(width);
        for (index, row) in rows.enumerate() {
            let (channel, y) = (index / height, index % height);
            debug_assert!(channel < CHANNELS);
            let line = channel * height * grid + top + y;
            pixels[line * width * grid + left..][..width].copy_from_slice(row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Images;

    /// Images of 2 x 2 pixels, whose pixels are their index.
    fn images(labels: &[u32]) -> Arc<Images> {
        let pixels = (0..labels.len()).flat_map(|i| [i as u8; 12]).collect();
        Arc::new(Images::new([2, 2], pixels, labels.to_vec(), 4).unwrap())
    }

    fn labels() -> Vec<u32> {
        (0..40).map(|i| i % 4).collect()
    }

    fn mosaics(is_fixed: bool) -> Mosaics {
        let mosaic = Mosaic {
            labels: 2,
            ..Mosaic::default()
        };
        Mosaics::new(images(&labels()), 4, mosaic, is_fixed).unwrap()
    }

    fn key(seed: u64, epoch: u64, index: u32) -> ImageKey {
        ImageKey { seed, epoch, index }
    }

    fn drawn(mosaics: &Mosaics, key: ImageKey) -> (Vec<u32>, Vec<u8>) {
        let sample = mosaics.sample(key).unwrap();
        let pixels = sample.content.pixels().unwrap();
        (sample.labels.into_owned(), pixels.into_owned())
    }

    #[test]
    fn labels_are_the_classes_of_the_parts() {
        let mosaics = mosaics(false);
        assert_eq!((mosaics.len(), mosaics.size()), (10, [4, 4]));
        for index in 0..10 {
            let (labels, pixels) = drawn(&mosaics, key(1, 2, index));
            let mut classes: Vec<u32> = Vec::new();
            for channel in 0..3 {
                for part in 0..4 {
                    let corner = channel * 16 + part / 2 * 8 + part % 2 * 2;
                    let image = pixels[corner];
                    // The part's four pixels are of one image.
                    for pixel in [1, 4, 5] {
                        assert_eq!(pixels[corner + pixel], image);
                    }
                    classes.push(u32::from(image) % 4);
                }
            }
            classes.sort_unstable();
            classes.dedup();
            assert_eq!(labels, classes);
            assert_eq!(labels.len(), 2);
        }
    }

    #[test]
    fn mosaics_to_train_on_change_with_seed_and_epoch_and_others_do_not() {
        let (training, fixed) = (mosaics(false), mosaics(true));
        let base = drawn(&training, key(1, 2, 3));
        assert_eq!(base, drawn(&training, key(1, 2, 3)));
        for other in [key(2, 2, 3), key(1, 3, 3), key(1, 2, 4)] {
            assert_ne!(base, drawn(&training, other));
        }
        assert_eq!(drawn(&fixed, key(1, 2, 3)), drawn(&fixed, key(5, 6, 3)));
        assert_ne!(drawn(&fixed, key(1, 2, 3)), drawn(&fixed, key(1, 2, 4)));
    }

    #[test]
    fn a_slice_has_the_mosaics_of_its_range() {
        let mosaics = mosaics(true);
        let slice = mosaics.slice(4..20);
        assert_eq!(slice.len(), 6);
        assert_eq!(drawn(&slice, key(0, 0, 1)), drawn(&mosaics, key(0, 0, 5)));
        assert!(mosaics.slice(12..20).is_empty());
    }

    #[test]
    fn frequencies_fall_as_the_skew_says() {
        let many = images(&labels().repeat(6)); // 60 mosaics of 1 image
        let shares = |skew, labels| {
            let mosaic = Mosaic {
                grid: 1,
                labels,
                skew,
            };
            let mosaics = Mosaics::new(many.clone(), 4, mosaic, false).unwrap();
            let mut counts = [0.0; 4];
            for epoch in 0..200 {
                for index in 0..mosaics.len() as u32 {
                    for label in drawn_labels(&mosaics, key(7, epoch, index)) {
                        counts[label as usize] += 1.0;
                    }
                }
            }
            let all: f64 = counts.iter().sum();
            counts.map(|count| count / all)
        };
        // 1, 1/2, 1/3 and 1/4 of their sum, 25/12; 48,000 draws, so within 4 standard errors of 0.0023.
        let expected = [0.48, 0.24, 0.16, 0.12];
        for (found, expected) in shares(1.0, 1).iter().zip(expected) {
            assert!((found - expected).abs() < 0.0092, "{found} {expected}");
        }
        for found in shares(0.0, 1) {
            assert!((found - 0.25).abs() < 0.0092, "{found}");
        }
    }

    fn drawn_labels(mosaics: &Mosaics, key: ImageKey) -> Vec<u32> {
        mosaics.labels(&mut mosaics.rng(key))
    }

    #[test]
    fn shares_are_those_of_the_labels() {
        let shares = mosaics(false).label_shares();
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(shares[0] > shares[3]);
    }

    #[test]
    fn what_images_cannot_fill_is_an_error() {
        let labels = [0, 0, 1, 1, 1, 1];
        let error = |grid, labels_of_one| {
            let mosaic = Mosaic {
                grid,
                labels: labels_of_one,
                skew: 1.0,
            };
            Mosaics::new(images(&labels), 4, mosaic, true)
                .err()
                .unwrap()
                .to_string()
        };
        assert!(
            error(2, 3).contains("2 classes with an image"),
            "{}",
            error(2, 3)
        );
        assert!(error(3, 2).contains("6 images"), "{}", error(3, 2));
    }

    #[test]
    fn options_out_of_range_are_named() {
        let named = |mosaic: Mosaic| mosaic.out_of_range().map(|(name, _, _)| name);
        let base = Mosaic::default();
        assert_eq!(named(base), None);
        assert_eq!(named(Mosaic { grid: 0, ..base }), Some("grid"));
        assert_eq!(named(Mosaic { labels: 5, ..base }), Some("labels"));
        assert_eq!(
            named(Mosaic {
                skew: f64::NAN,
                ..base
            }),
            Some("skew")
        );
    }
}
