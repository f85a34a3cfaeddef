//! Images in memory, with one label each.

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::DataError;
use crate::dataset::CHANNELS;
use crate::stratified::{draw, first};

/// RGB images of one size with their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    size: [usize; 2],
    pixels: Vec<u8>,
    labels: Vec<u32>,
}

impl Images {
    /// Puts images together.
    ///
    /// # Shapes
    ///
    /// - `size`: height and width
    /// - `pixels`: `[labels.len(), 3, height, width]`, the order of the CIFAR files
    /// - `labels`: each below `classes`
    ///
    /// # Errors
    ///
    /// [`DataError::Images`] where these don't fit together.
    pub fn new(
        size: [usize; 2],
        pixels: Vec<u8>,
        labels: Vec<u32>,
        classes: usize,
    ) -> Result<Self, DataError> {
        let [height, width] = size;
        let expected = [labels.len(), CHANNELS, height, width]
            .into_iter()
            .try_fold(1usize, usize::checked_mul);
        if height == 0 || width == 0 || expected != Some(pixels.len()) {
            let (found, count) = (pixels.len(), labels.len());
            let problem = format!(
                "{found} bytes of pixels for {count} RGB images of {height}x{width} pixels"
            );
            return Err(DataError::Images { problem });
        }
        if let Some((index, label)) = labels
            .iter()
            .enumerate()
            .find(|(_, label)| **label as usize >= classes)
        {
            let problem =
                format!("image {index} has label {label}, but there are {classes} classes");
            return Err(DataError::Images { problem });
        }
        Ok(Self {
            size,
            pixels,
            labels,
        })
    }

    /// Returns the number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Returns whether there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Returns the height and width.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// Returns all pixels, `[len, 3, height, width]`.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Returns all labels.
    #[must_use]
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Returns the number of bytes, and of elements, of one image.
    #[must_use]
    pub fn image_len(&self) -> usize {
        CHANNELS * self.size[0] * self.size[1]
    }

    /// Returns the pixels of one image, `[3, height, width]`.
    ///
    /// # Panics
    ///
    /// Where `index` isn't below [`len`](Self::len).
    #[must_use]
    pub fn image(&self, index: usize) -> &[u8] {
        let len = self.image_len();
        &self.pixels[index * len..][..len]
    }

    /// Returns the label of one image.
    ///
    /// # Panics
    ///
    /// Where `index` isn't below [`len`](Self::len).
    #[must_use]
    pub fn label(&self, index: usize) -> u32 {
        self.labels[index]
    }

    /// Returns the number of images of each class.
    #[must_use]
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for &label in &self.labels {
            if let Some(count) = counts.get_mut(label as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// Returns the first images of each class, `count` in all, in their order and in the proportions of the classes.
    ///
    /// Where the proportions come out uneven, the classes with the largest remainders get one more, among equals those
    /// of lower label. `None` where `count` is 0 or above [`len`](Self::len).
    #[must_use]
    pub fn limit(&self, count: usize) -> Option<Self> {
        first(&self.labels, count).map(|indices| self.select(&indices))
    }

    /// Divides the images in two parts, of which the second has `count` images, drawn at random in the proportions of the
    /// classes, which are made whole as in [`limit`](Self::limit). Both keep their order. `None` where one would be empty.
    #[must_use]
    pub fn split(&self, count: usize) -> Option<(Self, Self)> {
        let (left, drawn) = draw(&self.labels, count)?;
        Some((self.select(&left), self.select(&drawn)))
    }

    /// Returns the images of these indices, each of which is below [`len`](Self::len).
    fn select(&self, indices: &[usize]) -> Self {
        let mut pixels = Vec::with_capacity(indices.len() * self.image_len());
        for &index in indices {
            pixels.extend_from_slice(self.image(index));
        }
        Self {
            size: self.size,
            pixels,
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
        }
    }

    /// Returns the images of a range of indices, which is cut to what there is.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let end = range.end.min(self.len());
        let start = range.start.min(end);
        let len = self.image_len();
        Self {
            size: self.size,
            pixels: self.pixels[start * len..end * len].to_vec(),
            labels: self.labels[start..end].to_vec(),
        }
    }

    pub(crate) fn update_digest(&self, digest: &mut Sha256) {
        let [height, width] = self.size;
        for number in [height, width, self.len()] {
            digest.update((number as u64).to_le_bytes());
        }
        digest.update(&self.pixels);
        for label in &self.labels {
            digest.update(label.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(labels: &[u32]) -> Images {
        let pixels = (0..labels.len() * 12).map(|i| (i % 251) as u8).collect();
        Images::new([2, 2], pixels, labels.to_vec(), 3).unwrap()
    }

    #[test]
    fn image_and_label_belong_together() {
        let images = images(&[2, 0, 1]);
        assert_eq!(images.len(), 3);
        assert_eq!(images.image(1), (12..24).collect::<Vec<u8>>());
        assert_eq!(images.label(0), 2);
        assert_eq!(images.class_counts(3), [1, 1, 1]);
    }

    #[test]
    fn parts_that_do_not_fit_are_errors() {
        assert!(Images::new([2, 2], vec![0; 11], vec![0], 1).is_err());
        assert!(Images::new([0, 2], vec![], vec![0], 1).is_err());
        assert!(Images::new([usize::MAX, 2], vec![0; 12], vec![0], 1).is_err());
        let error = Images::new([2, 2], vec![0; 24], vec![0, 3], 3).unwrap_err();
        assert_eq!(
            error.to_string(),
            "inconsistent images: image 1 has label 3, but there are 3 classes"
        );
    }

    #[test]
    fn limit_keeps_order_and_proportions() {
        let all = images(&[0, 0, 1, 0, 1, 0, 2, 0, 1, 0]); // 6, 3, 1
        let part = all.limit(5).unwrap(); // shares 3.0, 1.5, 0.5: the tie goes to the lower label
        assert_eq!(part.labels(), [0, 0, 1, 0, 1]);
        assert_eq!(part.image(2), all.image(2));
        assert_eq!(all.limit(10).unwrap(), all);
        assert_eq!(all.limit(1).unwrap().labels(), [0]);
    }

    #[test]
    fn what_is_held_back_has_the_proportions_and_is_no_longer_trained_on() {
        let labels: Vec<u32> = (0..300)
            .map(|index| [0, 0, 0, 1, 1, 2][index % 6])
            .collect();
        let mut all = images(&labels);
        for (index, pixels) in all.pixels.chunks_exact_mut(12).enumerate() {
            pixels[..2].copy_from_slice(&(index as u16).to_le_bytes());
        }
        let (train, held_back) = all.split(60).unwrap();
        assert_eq!((train.len(), held_back.len()), (240, 60));
        assert_eq!(held_back.class_counts(3), [30, 20, 10]);
        let ids = |images: &Images| -> Vec<u16> {
            let of = |index| u16::from_le_bytes([images.image(index)[0], images.image(index)[1]]);
            (0..images.len()).map(of).collect()
        };
        let (train_ids, held_back_ids) = (ids(&train), ids(&held_back));
        assert!(train_ids.is_sorted() && held_back_ids.is_sorted());
        let mut both = [train_ids, held_back_ids.clone()].concat();
        both.sort_unstable();
        assert!(both.into_iter().eq(0..300));
        // Drawn from all over the set.
        assert!(held_back_ids.iter().filter(|&&id| id < 150).count() > 15);
        assert!(held_back_ids.iter().filter(|&&id| id >= 150).count() > 15);
        for (index, &id) in held_back_ids.iter().enumerate() {
            assert_eq!(held_back.label(index), labels[id as usize]);
        }
        assert_eq!(all.split(0), None);
        assert_eq!(all.split(300), None);
    }

    #[test]
    fn slice_is_cut_to_what_there_is() {
        let all = images(&[0, 1, 2, 1]);
        let part = all.slice(1..3);
        assert_eq!(part.labels(), [1, 2]);
        assert_eq!(part.image(1), all.image(2));
        assert_eq!(all.slice(3..9).labels(), [1]);
        assert!(all.slice(7..9).is_empty());
    }
}
