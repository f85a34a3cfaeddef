//! The batches of one epoch.

use std::ops::Range;
use std::time::{Duration, Instant};

use crate::batch_maker::{BatchMaker, Made};
use crate::prefetch::Prefetch;
use crate::{
    Augmentation, BrokenImage, DataError, Mixture, Normalization, Order, Samples, Targets,
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
    /// The batch's place in its epoch, from 0.
    pub number: usize,
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

    /// Returns the images of a range, which is cut off at the end of the batch.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Self {
        let end = range.end.min(self.len());
        let range = range.start.min(end)..end;
        let image_len = self.pixels.len() / self.len().max(1);
        Self {
            pixels: self.pixels[range.start * image_len..range.end * image_len].to_vec(),
            targets: self.targets.part(range.clone()),
            mixture: self
                .mixture
                .as_ref()
                .map(|mixture| mixture.part(range.clone())),
            indices: self.indices[range].to_vec(),
            number: self.number,
        }
    }
}

/// A part of every batch, for one of several devices that take a step together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The part's place among the parts, from 0.
    pub index: usize,
    /// The number of parts.
    pub of: usize,
}

impl Part {
    /// The whole of every batch.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Returns the part of a range: parts follow each other, and their lengths differ by 1 at most.
    pub(crate) fn within(self, range: Range<usize>) -> Range<usize> {
        let cut = |part: usize| {
            let offset = range.len() as u128 * part as u128 / self.of as u128;
            range.start + offset as usize
        };
        cut(self.index)..cut(self.index + 1)
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
    /// The part of every batch that is made.
    pub part: Part,
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
            part: Part::WHOLE,
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
///
/// An image that can't be decoded is left out of its batch, which is smaller by one then, and told by
/// [`take_broken`](Self::take_broken). A batch that is left with none is passed over where the order is sequential; in an epoch to
/// train on, where every batch is a step, it is an error. An error is the last item: it also comes where a file can't be read, or
/// more than 1 % of a data set's images, rounded up, are broken. All of it is the same with any number of workers.
pub struct Batches {
    order: Order,
    batches: Inner,
    samples: Samples,
    broken: Vec<BrokenImage>,
    has_failed: bool,
}

enum Inner {
    Here {
        maker: BatchMaker,
        next: Range<usize>,
        /// Time in which batches were made.
        made: Duration,
    },
    Ahead(Prefetch<Result<Made, DataError>>),
}

impl Batches {
    /// Starts an epoch.
    ///
    /// # Errors
    ///
    /// [`DataError`] where the plan's batch size is 0, its start is behind the end of the epoch, its part isn't one, its padding
    /// is too large for the images, or a thread can't be started.
    pub fn new(samples: impl Into<Samples>, plan: BatchPlan) -> Result<Self, DataError> {
        let samples = samples.into();
        if plan.batch_size == 0 {
            return Err(DataError::BatchSize);
        }
        let Part { index, of } = plan.part;
        if index >= of {
            return Err(DataError::Part { index, of });
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
        let kind = plan.order;
        let order = match kind {
            Order::Shuffled => samples.shuffled(plan.seed, plan.epoch),
            Order::Sequential => (0..len).collect(),
        };
        let workers = plan.workers;
        let maker = BatchMaker {
            samples: samples.clone(),
            order,
            plan,
        };
        let next = start..batches;
        let batches = match workers {
            0 => Inner::Here {
                maker,
                next,
                made: Duration::ZERO,
            },
            _ => Prefetch::new(next, workers, move |batch| maker.make(batch))
                .map(Inner::Ahead)
                .map_err(|error| DataError::Worker {
                    worker: error.worker,
                    workers,
                    source: error.source,
                })?,
        };
        Ok(Self {
            order: kind,
            batches,
            samples,
            broken: Vec::new(),
            has_failed: false,
        })
    }

    /// Returns the images that were left out since the last call, each once in all epochs of a data set: for the program to tell.
    pub fn take_broken(&mut self) -> Vec<BrokenImage> {
        std::mem::take(&mut self.broken)
    }

    /// Returns the time that the caller of `next` has waited until now: for workers, or while batches were made in its thread.
    #[must_use]
    pub fn waited(&self) -> Duration {
        match &self.batches {
            Inner::Here { made, .. } => *made,
            Inner::Ahead(prefetch) => prefetch.waited(),
        }
    }

    /// Returns the number of threads that prepare batches now.
    #[must_use]
    pub fn workers(&self) -> usize {
        match &self.batches {
            Inner::Here { .. } => 0,
            Inner::Ahead(prefetch) => prefetch.workers(),
        }
    }

    /// Returns the next batch that has an image.
    fn next_batch(&mut self) -> Option<Result<Batch, DataError>> {
        loop {
            let made = match &mut self.batches {
                Inner::Here { maker, next, made } => {
                    let number = next.next()?;
                    let start = Instant::now();
                    let batch = maker.make(number);
                    *made += start.elapsed();
                    batch
                }
                Inner::Ahead(prefetch) => prefetch.next()?,
            };
            let Made { batch, broken } = match made {
                Ok(made) => made,
                Err(error) => return Some(Err(error)),
            };
            let (is_whole, number) = (broken.is_empty(), batch.number);
            // Counted here, in the order of the batches, and not where batches are made.
            match self.samples.count_broken(broken) {
                Ok(new) => self.broken.extend(new),
                Err(error) => return Some(Err(error)),
            }
            match self.order {
                _ if !batch.is_empty() => return Some(Ok(batch)),
                Order::Shuffled if !is_whole => return Some(Err(DataError::EmptyBatch { number })),
                // Parts of a short batch may have no image.
                Order::Shuffled | Order::Sequential => {}
            }
        }
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let next = self.next_batch();
        self.has_failed = matches!(next, Some(Err(_)));
        next
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.batches {
            _ if self.has_failed => (0, Some(0)),
            Inner::Here { next, .. } => (0, Some(next.len())),
            Inner::Ahead(prefetch) => (0, prefetch.size_hint().1),
        }
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
        Batches::new(images(), plan)
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    #[test]
    fn parts_put_together_are_the_batch() {
        let batch = collect(plan()).swap_remove(0);
        let parts = [0..2, 2..3, 3..5].map(|range| batch.part(range));
        let pixels: Vec<f32> = parts.iter().flat_map(|part| part.pixels.clone()).collect();
        let indices: Vec<u32> = parts.iter().flat_map(|part| part.indices.clone()).collect();
        assert_eq!(
            (pixels, indices),
            (batch.pixels.clone(), batch.indices.clone())
        );
        for part in &parts {
            assert_eq!(part.targets.len(), part.len());
        }
        assert_eq!(batch.part(0..9), batch);
        assert!(batch.part(7..9).is_empty());
        let sets = Targets::Sets {
            sets: vec![vec![0], vec![1, 2], vec![2]],
            classes: 3,
        };
        let expected = Targets::Sets {
            sets: vec![vec![1, 2], vec![2]],
            classes: 3,
        };
        assert_eq!(sets.part(1..3), expected);
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
        batches.next().unwrap().unwrap();
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
