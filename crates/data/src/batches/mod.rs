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
        maker: Box<BatchMaker>,
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
                maker: Box::new(maker),
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
mod tests;
