//! The batches of one epoch.

use std::ops::Range;
use std::time::{Duration, Instant};

use crate::augment::{mix, pairs_around, partner, share};
use crate::dataset::CHANNELS;
use crate::prefetch::Prefetch;
use crate::{
    Augmentation, DataError, ImageKey, Mixture, Normalization, Order, Samples, Targets, epoch_order,
};

/// Normalized images with what is to be recognized in them.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The inputs, `[len, 3, height, width]`.
    pub pixels: Vec<f32>,
    /// What is to be recognized; in mixtures, of their first images.
    pub targets: Targets,
    /// What else is to be recognized, with [`Augmentation::mixup`].
    pub mixture: Option<Mixture>,
    /// The images' indices in their split.
    pub indices: Vec<u32>,
}

impl Batch {
    /// Returns the number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Returns whether there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }
}

/// The rules by which the batches of one epoch are made.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchPlan {
    /// The images of a batch; the last of an epoch may have fewer.
    pub batch_size: usize,
    /// The order of the images.
    pub order: Order,
    /// What is done to each image; [`Augmentation::none`] for testing.
    pub augmentation: Augmentation,
    /// The statistics that inputs are normalized with.
    pub normalization: Normalization,
    /// The run's seed.
    pub seed: u64,
    /// The epoch, from 0.
    pub epoch: u64,
    /// The batch to start at, from 0, to resume in the middle of an epoch.
    pub start_batch: usize,
    /// Whether a last batch with fewer images is left out.
    pub drop_last: bool,
    /// The most threads that prepare batches ahead: one at first, and another whenever a batch wasn't ready in time. With 0 each
    /// is made when it is asked for, in the caller's thread. The batches are the same.
    pub workers: usize,
}

impl BatchPlan {
    /// For training: shuffled, with the usual augmentation, from the start of epoch 0, in the caller's thread.
    #[must_use]
    pub fn train(batch_size: usize, normalization: Normalization, seed: u64) -> Self {
        Self {
            order: Order::Shuffled,
            augmentation: Augmentation::default(),
            seed,
            ..Self::test(batch_size, normalization)
        }
    }

    /// For testing: every image once, in order, unchanged, in the caller's thread.
    #[must_use]
    pub fn test(batch_size: usize, normalization: Normalization) -> Self {
        Self {
            batch_size,
            order: Order::Sequential,
            augmentation: Augmentation::none(),
            normalization,
            seed: 0,
            epoch: 0,
            start_batch: 0,
            drop_last: false,
            workers: 0,
        }
    }
}

/// Returns the number of batches of an epoch over `images` images; 0 where `batch_size` is 0.
#[must_use]
pub fn num_batches(images: usize, batch_size: usize, drop_last: bool) -> usize {
    match batch_size {
        0 => 0,
        _ if drop_last => images / batch_size,
        _ => images.div_ceil(batch_size),
    }
}

/// An iterator over the batches of one epoch.
///
/// With workers, a batch is prepared while the one before is in use; there are never more than two batches and one for each worker
/// in memory, and dropping the iterator early ends the threads. A panic in a worker is passed on to the caller of `next`.
pub struct Batches(Inner);

enum Inner {
    Here {
        maker: BatchMaker,
        next: Range<usize>,
        /// Time in which batches were made.
        made: Duration,
    },
    Ahead(Prefetch<Batch>),
}

impl Batches {
    /// Starts an epoch.
    ///
    /// # Errors
    ///
    /// [`DataError`] where the plan's batch size is 0, its start is behind the end of the epoch, its padding is too large
    /// for the images, or a thread can't be started.
    pub fn new(samples: impl Into<Samples>, plan: BatchPlan) -> Result<Self, DataError> {
        let samples = samples.into();
        if plan.batch_size == 0 {
            return Err(DataError::BatchSize);
        }
        plan.augmentation.check(samples.size())?;
        let len = u32::try_from(samples.len()).map_err(|_| DataError::Images {
            problem: format!(
                "{} images are more than {} can be counted",
                samples.len(),
                u32::MAX
            ),
        })?;
        let batches = num_batches(samples.len(), plan.batch_size, plan.drop_last);
        let start = plan.start_batch;
        if start > batches {
            return Err(DataError::StartBatch { start, batches });
        }
        let order = match plan.order {
            Order::Shuffled => epoch_order(plan.seed, plan.epoch, len),
            Order::Sequential => (0..len).collect(),
        };
        let workers = plan.workers;
        let maker = BatchMaker {
            samples,
            order,
            plan,
        };
        let next = start..batches;
        if workers == 0 {
            let made = Duration::ZERO;
            return Ok(Self(Inner::Here { maker, next, made }));
        }
        Prefetch::new(next, workers, move |batch| maker.make(batch))
            .map(|prefetch| Self(Inner::Ahead(prefetch)))
            .map_err(|error| DataError::Worker {
                worker: error.worker,
                workers,
                source: error.source,
            })
    }
}

impl Batches {
    /// Returns the time that the caller of `next` has waited until now: for workers, or while batches were made in its thread.
    #[must_use]
    pub fn waited(&self) -> Duration {
        match &self.0 {
            Inner::Here { made, .. } => *made,
            Inner::Ahead(prefetch) => prefetch.waited(),
        }
    }

    /// Returns the number of threads that prepare batches now.
    #[must_use]
    pub fn workers(&self) -> usize {
        match &self.0 {
            Inner::Here { .. } => 0,
            Inner::Ahead(prefetch) => prefetch.workers(),
        }
    }
}

impl Iterator for Batches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        match &mut self.0 {
            Inner::Here { maker, next, made } => {
                let start = Instant::now();
                let batch = next.next().map(|batch| maker.make(batch));
                *made += start.elapsed();
                batch
            }
            Inner::Ahead(prefetch) => prefetch.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Inner::Here { next, .. } => next.size_hint(),
            Inner::Ahead(prefetch) => prefetch.size_hint(),
        }
    }
}

impl ExactSizeIterator for Batches {}

/// Makes any batch of an epoch, by its number.
struct BatchMaker {
    samples: Samples,
    order: Vec<u32>,
    plan: BatchPlan,
}

impl BatchMaker {
    fn make(&self, batch: usize) -> Batch {
        let BatchPlan {
            batch_size,
            augmentation,
            ..
        } = self.plan;
        let first = batch * batch_size;
        let wanted = first..self.order.len().min(first.saturating_add(batch_size));
        let Some(alpha) = augmentation.mixup else {
            return self.samples_at(wanted);
        };
        // An image at the edge of the batch has its partner outside.
        let pairs = pairs_around(&wanted, self.order.len());
        let cut = wanted.start - pairs.start..wanted.end - pairs.start;
        let mut made = self.samples_at(pairs);
        let image_len = self.image_len();
        let shares = self.mix(alpha, &mut made);
        made.pixels.truncate(cut.end * image_len);
        made.pixels.drain(..cut.start * image_len);
        let partner = |place| partner(place, made.indices.len()).unwrap_or(place);
        Batch {
            targets: made.targets.pick(cut.clone()),
            mixture: Some(Mixture {
                targets: made.targets.pick(cut.clone().map(partner)),
                shares: shares[cut.clone()].to_vec(),
            }),
            indices: made.indices[cut].to_vec(),
            pixels: made.pixels,
        }
    }

    /// Mixes each pair of images, of a batch that starts with a whole pair, and returns the share of each image in its mixture.
    fn mix(&self, alpha: f64, batch: &mut Batch) -> Vec<f32> {
        let image_len = self.image_len();
        let share_of = |(place, &index): (usize, &u32)| {
            let key = self.key(index);
            partner(place, batch.indices.len()).map_or(1.0, |_| share(alpha, key))
        };
        let shares: Vec<f32> = batch.indices.iter().enumerate().map(share_of).collect();
        let pairs = batch.pixels.chunks_exact_mut(2 * image_len);
        for (pair, shares) in pairs.zip(shares.chunks_exact(2)) {
            let (one, other) = pair.split_at_mut(image_len);
            mix([shares[0], shares[1]], one, other);
        }
        shares
    }

    /// Makes the samples at these places of the epoch's order.
    fn samples_at(&self, places: Range<usize>) -> Batch {
        let indices = self.order[places].to_vec();
        let mut pixels = vec![0.0; indices.len() * self.image_len()];
        let mut outputs = pixels.chunks_exact_mut(self.image_len());
        let keys = indices.iter().map(|&index| self.key(index));
        let targets = self.samples.for_each(keys, |key, image| {
            if let Some(out) = outputs.next() {
                let BatchPlan {
                    augmentation,
                    normalization,
                    ..
                } = &self.plan;
                augmentation.apply(image, self.samples.size(), normalization, key, out);
            }
        });
        Batch {
            pixels,
            targets,
            mixture: None,
            indices,
        }
    }

    fn key(&self, index: u32) -> ImageKey {
        ImageKey {
            seed: self.plan.seed,
            epoch: self.plan.epoch,
            index,
        }
    }

    fn image_len(&self) -> usize {
        let [height, width] = self.samples.size();
        CHANNELS * height * width
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Images;

    const COUNT: usize = 23;

    fn images() -> Arc<Images> {
        let pixels = (0..COUNT * 3 * 8 * 8)
            .map(|i| (i * 7 % 256) as u8)
            .collect();
        let labels = (0..COUNT as u32).map(|i| i % 3).collect();
        Arc::new(Images::new([8, 8], pixels, labels, 3).unwrap())
    }

    fn plan() -> BatchPlan {
        BatchPlan::train(5, Normalization::CIFAR10, 11)
    }

    fn collect(plan: BatchPlan) -> Vec<Batch> {
        Batches::new(images(), plan).unwrap().collect()
    }

    #[test]
    fn workers_change_nothing() {
        let expected = collect(plan());
        assert_eq!(expected.len(), 5);
        for workers in [1, 3, 100] {
            assert_eq!(
                collect(BatchPlan { workers, ..plan() }),
                expected,
                "{workers} workers"
            );
        }
    }

    #[test]
    fn starting_in_the_middle_skips() {
        let expected = collect(plan());
        for workers in [0, 2] {
            for start_batch in 0..=5 {
                let found = collect(BatchPlan {
                    start_batch,
                    workers,
                    ..plan()
                });
                assert_eq!(found, expected[start_batch..]);
            }
        }
    }

    #[test]
    fn every_image_comes_once_an_epoch() {
        let mut orders = Vec::new();
        for epoch in 0..2 {
            let batches = collect(BatchPlan { epoch, ..plan() });
            let indices: Vec<u32> = batches
                .iter()
                .flat_map(|batch| batch.indices.clone())
                .collect();
            let mut sorted = indices.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..COUNT as u32).collect::<Vec<_>>());
            for batch in &batches {
                assert_eq!(batch.pixels.len(), batch.len() * 3 * 8 * 8);
                let labels = batch.indices.iter().map(|index| index % 3).collect();
                assert_eq!(batch.targets, Targets::Classes(labels));
            }
            orders.push(indices);
        }
        assert_ne!(orders[0], orders[1]);
    }

    #[test]
    fn batch_size_does_not_change_what_happens_to_an_image() {
        let whole = collect(BatchPlan {
            batch_size: usize::MAX,
            ..plan()
        });
        let parts = collect(plan());
        assert_eq!(whole.len(), 1);
        assert_eq!(
            whole[0].pixels,
            parts
                .into_iter()
                .flat_map(|batch| batch.pixels)
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn mixtures_depend_on_neither_batch_size_nor_workers() {
        let mixed = |batch_size, workers| BatchPlan {
            batch_size,
            workers,
            augmentation: Augmentation {
                mixup: Some(0.4),
                ..Augmentation::default()
            },
            ..plan()
        };
        let joined = |batches: Vec<Batch>| {
            let (mut pixels, mut shares, mut second) = (Vec::new(), Vec::new(), Vec::new());
            for batch in batches {
                let mixture = batch.mixture.unwrap();
                let Targets::Classes(classes) = mixture.targets else {
                    panic!("images have one class each");
                };
                assert_eq!(classes.len(), mixture.shares.len());
                pixels.extend(batch.pixels);
                shares.extend(mixture.shares);
                second.extend(classes);
            }
            (pixels, shares, second)
        };
        let expected = joined(collect(mixed(COUNT, 0)));
        for (batch_size, workers) in [(1, 0), (2, 1), (5, 3), (7, 0), (22, 0)] {
            assert_eq!(joined(collect(mixed(batch_size, workers))), expected);
        }
        // By the definition, from the images without mixing.
        let (pixels, shares, second) = expected;
        let [plain] = &collect(BatchPlan {
            batch_size: COUNT,
            ..plan()
        })[..] else {
            panic!("one batch");
        };
        let len = 3 * 8 * 8;
        for place in 0..COUNT {
            let other = if place == COUNT - 1 { place } else { place ^ 1 };
            assert_eq!(second[place], plain.indices[other] % 3);
            assert_eq!(shares[place] == 1.0, place == other, "{}", shares[place]);
            for i in 0..len {
                let expected = shares[place] * plain.pixels[place * len + i]
                    + (1.0 - shares[place]) * plain.pixels[other * len + i];
                assert!((pixels[place * len + i] - expected).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn waiting_is_counted() {
        for workers in [0, 2] {
            let mut batches = Batches::new(images(), BatchPlan { workers, ..plan() }).unwrap();
            assert_eq!(batches.waited(), Duration::ZERO);
            assert_eq!(batches.by_ref().count(), 5);
            assert!(batches.waited() > Duration::ZERO);
            assert!((workers.min(1)..=workers).contains(&batches.workers()));
        }
    }

    #[test]
    fn last_batch_is_short_or_dropped() {
        let lens = |plan| collect(plan).iter().map(Batch::len).collect::<Vec<_>>();
        assert_eq!(lens(plan()), [5, 5, 5, 5, 3]);
        assert_eq!(
            lens(BatchPlan {
                drop_last: true,
                ..plan()
            }),
            [5, 5, 5, 5]
        );
        assert_eq!(Batches::new(images(), plan()).unwrap().len(), 5);
        assert_eq!(num_batches(20, 5, true), 4);
        assert_eq!(num_batches(20, 5, false), 4);
        assert_eq!(num_batches(3, 5, true), 0);
        assert_eq!(num_batches(3, 0, false), 0);
    }

    #[test]
    fn test_batches_are_the_images_in_order() {
        let batches = collect(BatchPlan::test(
            10,
            Normalization {
                mean: [0.0; 3],
                std: [1.0 / 255.0; 3],
            },
        ));
        let pixels = batches.into_iter().flat_map(|batch| batch.pixels);
        for (found, expected) in pixels.zip(images().pixels()) {
            assert!((found - f32::from(*expected)).abs() < 1e-3);
        }
    }

    #[test]
    fn dropping_early_ends_the_workers() {
        let images = images();
        let mut batches = Batches::new(
            Arc::clone(&images),
            BatchPlan {
                workers: 2,
                batch_size: 1,
                ..plan()
            },
        )
        .unwrap();
        batches.next().unwrap();
        drop(batches);
        assert_eq!(Arc::strong_count(&images), 1);
    }

    #[test]
    fn impossible_plans_are_errors() {
        let error = |plan| Batches::new(images(), plan).err().unwrap();
        assert!(matches!(
            error(BatchPlan {
                batch_size: 0,
                ..plan()
            }),
            DataError::BatchSize
        ));
        assert!(matches!(
            error(BatchPlan {
                start_batch: 6,
                ..plan()
            }),
            DataError::StartBatch {
                start: 6,
                batches: 5
            }
        ));
        let augmentation = Augmentation {
            crop_padding: usize::MAX,
            ..Augmentation::default()
        };
        assert!(matches!(
            error(BatchPlan {
                augmentation,
                ..plan()
            }),
            DataError::CropPadding { .. }
        ));
    }
}
