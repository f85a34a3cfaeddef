//! Any batch of an epoch, from its samples.

use crate::augment::{mix, pairs_around, partner, share};
use crate::content::SampleError;
use crate::dataset::CHANNELS;
use crate::targets::TargetsBuilder;
use crate::{Batch, BatchPlan, BrokenImage, DataError, ImageKey, Mixture, Samples};

/// A batch, and what was left out of it.
pub(crate) struct Made {
    pub batch: Batch,
    pub broken: Vec<BrokenImage>,
}

/// Makes any batch of an epoch, by its number.
pub(crate) struct BatchMaker {
    pub samples: Samples,
    /// The order in which the epoch goes through the samples.
    pub order: Vec<u32>,
    pub plan: BatchPlan,
}

impl BatchMaker {
    /// Makes the batch of this number.
    pub(crate) fn make(&self, number: usize) -> Result<Made, DataError> {
        let BatchPlan {
            batch_size,
            augmentation,
            part,
            ..
        } = &self.plan;
        let first = number * batch_size;
        let last = self.order.len().min(first.saturating_add(*batch_size));
        let asked = part.within(first..last);
        // An image at the edge of the batch may have its partner outside.
        let places = match augmentation.mixup {
            Some(_) => pairs_around(&asked, self.order.len()),
            None => asked.clone(),
        };
        let mut broken = Vec::new();
        let mut table = Table {
            pixels: vec![0.0; places.len() * self.image_len()],
            labels: Vec::with_capacity(places.len()),
        };
        let outputs = table.pixels.chunks_exact_mut(self.image_len());
        for (place, out) in places.clone().zip(outputs) {
            let labels = match self.sample(self.key(place), out) {
                Ok(labels) => Some(labels),
                Err(SampleError::Broken(image)) => {
                    broken.extend(asked.contains(&place).then_some(image));
                    None
                }
                Err(SampleError::Failed(error)) => return Err(error),
            };
            table.labels.push(labels);
        }
        let shares = augmentation
            .mixup
            .map(|alpha| self.mix(alpha, places.start, &mut table));
        let rows = asked.start - places.start..asked.end - places.start;
        let whole: Vec<usize> = rows.filter(|&row| table.labels[row].is_some()).collect();
        let targets_of = |row_of: &dyn Fn(usize) -> usize| {
            let mut targets = TargetsBuilder::new(self.samples.set_classes());
            for labels in whole.iter().flat_map(|&row| &table.labels[row_of(row)]) {
                targets.push(labels);
            }
            targets.finish()
        };
        let batch = Batch {
            targets: targets_of(&|row| row),
            mixture: shares.map(|shares| Mixture {
                targets: targets_of(&|row| table.partner(row).unwrap_or(row)),
                shares: whole.iter().map(|&row| shares[row]).collect(),
            }),
            indices: whole
                .iter()
                .map(|row| self.order[places.start + row])
                .collect(),
            number,
            pixels: table.into_pixels(&whole, self.image_len()),
        };
        Ok(Made { batch, broken })
    }

    /// Mixes each pair of images, the first of which is at an even place, and returns each image's share in its mixture.
    fn mix(&self, alpha: f64, start: usize, table: &mut Table) -> Vec<f32> {
        let shares: Vec<f32> = (0..table.labels.len())
            .map(|at| match table.partner(at) {
                Some(_) => share(alpha, self.key(start + at)),
                None => 1.0,
            })
            .collect();
        let pairs = table.pixels.chunks_exact_mut(2 * self.image_len());
        for (pair, shares) in pairs.zip(shares.chunks_exact(2)) {
            let (one, other) = pair.split_at_mut(self.image_len());
            mix([shares[0], shares[1]], one, other);
        }
        shares
    }

    /// Writes an image and returns its labels.
    fn sample(&self, key: ImageKey, out: &mut [f32]) -> Result<Vec<u32>, SampleError> {
        let BatchPlan {
            augmentation,
            normalization,
            ..
        } = &self.plan;
        let sample = self.samples.sample(key)?;
        augmentation.apply_to(sample.content, self.samples.size(), normalization, key, out)?;
        Ok(sample.labels.into_owned())
    }

    /// Returns the key of the image at a place of the epoch's order.
    fn key(&self, place: usize) -> ImageKey {
        ImageKey {
            seed: self.plan.seed,
            epoch: self.plan.epoch,
            index: self.order[place],
        }
    }

    fn image_len(&self) -> usize {
        let [height, width] = self.samples.size();
        CHANNELS * height * width
    }
}

/// Images, a row each, of which some may be broken.
struct Table {
    pixels: Vec<f32>,
    /// The labels of each, or `None` of one that is broken.
    labels: Vec<Option<Vec<u32>>>,
}

impl Table {
    /// Returns the image that one is mixed with; `None` where there is none, or one of them is broken.
    fn partner(&self, row: usize) -> Option<usize> {
        let partner = partner(row, self.labels.len())?;
        let are_whole = self.labels[row].is_some() && self.labels[partner].is_some();
        are_whole.then_some(partner)
    }

    /// Returns the pixels of the images in these rows, which rise.
    fn into_pixels(mut self, rows: &[usize], image_len: usize) -> Vec<f32> {
        for (to, &row) in rows.iter().enumerate().filter(|(to, row)| to != *row) {
            let pixels = row * image_len..(row + 1) * image_len;
            self.pixels.copy_within(pixels, to * image_len);
        }
        self.pixels.truncate(rows.len() * image_len);
        self.pixels
    }
}
