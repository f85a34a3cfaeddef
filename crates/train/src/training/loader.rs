//! Batches on a device, for Burn's learner.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::prelude::Device;
use xception_messages::with_causes;

use super::targets::ImageBatch;
use super::warnings::Warnings;
use crate::TrainError;
use crate::data::{Batch, BatchPlan, Batches, DataError, Samples, num_batches};

/// Returns why a batch can't be had.
pub(crate) fn batch_error(error: DatasetError) -> TrainError {
    TrainError::burn(with_causes(&error))
}

/// Gives the batches of one epoch after the other.
///
/// Burn's interface has no epoch number, so the loader counts them: every call of `epoch` or `iter` starts the
/// next epoch, the first at the plan's first batch.
#[derive(Debug)]
pub(crate) struct EpochLoader {
    samples: Samples,
    plan: BatchPlan,
    device: Device,
    warnings: Warnings,
    epoch: AtomicU64,
    /// The batch to start at, in the next epoch alone.
    start_batch: AtomicUsize,
}

impl EpochLoader {
    /// Makes a loader whose first epoch is the plan's, and that warns of broken images.
    pub(crate) fn new(
        samples: Samples,
        plan: BatchPlan,
        device: Device,
        warnings: Warnings,
    ) -> Self {
        Self {
            epoch: AtomicU64::new(plan.epoch),
            start_batch: AtomicUsize::new(plan.start_batch),
            samples,
            plan,
            device,
            warnings,
        }
    }

    /// Returns a loader of other samples, or on another device, that is at the same place.
    fn with(&self, samples: Samples, device: Device) -> Self {
        let plan = BatchPlan {
            epoch: self.epoch.load(Ordering::Relaxed),
            start_batch: self.start_batch.load(Ordering::Relaxed),
            ..self.plan.clone()
        };
        Self::new(samples, plan, device, self.warnings.clone())
    }

    /// Returns the number of batches in an epoch.
    pub(crate) fn batches(&self) -> usize {
        let BatchPlan {
            batch_size,
            drop_last,
            ..
        } = self.plan;
        num_batches(self.samples.len(), batch_size, drop_last)
    }

    /// Returns height and width of the images, in pixels.
    pub(crate) fn size(&self) -> [usize; 2] {
        self.samples.size()
    }

    /// Starts the next epoch.
    pub(crate) fn epoch(&self) -> EpochBatches<'_> {
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed);
        let start_batch = self.start_batch.swap(0, Ordering::Relaxed);
        let plan = BatchPlan {
            epoch,
            start_batch,
            ..self.plan.clone()
        };
        EpochBatches {
            batches: Batches::new(self.samples.clone(), plan).map_err(Some),
            warnings: &self.warnings,
            done: start_batch * self.plan.batch_size,
            total: self.num_items(),
        }
    }
}

impl DataLoader<ImageBatch> for EpochLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<ImageBatch> + 'a> {
        Box::new(EpochIterator {
            batches: self.epoch(),
            size: self.size(),
            device: &self.device,
        })
    }

    fn num_items(&self) -> usize {
        match self.plan.drop_last {
            true => self.batches() * self.plan.batch_size,
            false => self.samples.len(),
        }
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<ImageBatch>> {
        Arc::new(self.with(self.samples.clone(), device.clone()))
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<ImageBatch>> {
        Arc::new(self.with(self.samples.slice(start..end), self.device.clone()))
    }
}

/// The batches of an epoch in this process's memory, for whatever divides them among devices.
pub(crate) struct EpochBatches<'a> {
    batches: Result<Batches, Option<DataError>>,
    warnings: &'a Warnings,
    done: usize,
    total: usize,
}

impl EpochBatches<'_> {
    /// Returns how many images there were so far.
    pub(crate) fn progress(&self) -> Progress {
        Progress::new(self.done, self.total, Some("images".to_owned()))
    }
}

impl Iterator for EpochBatches<'_> {
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.batches {
            Err(error) => error.take().map(Err),
            Ok(batches) => {
                let batch = batches.next();
                for image in batches.take_broken() {
                    self.warnings.warn(format!("an image is left out: {image}"));
                }
                let batch = batch?;
                self.done += batch.as_ref().map_or(0, Batch::len);
                Some(batch)
            }
        }
    }
}

struct EpochIterator<'a> {
    batches: EpochBatches<'a>,
    size: [usize; 2],
    device: &'a Device,
}

impl Iterator for EpochIterator<'_> {
    type Item = Result<ImageBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?.map_err(DatasetError::new);
        Some(batch.map(|batch| ImageBatch::new(batch, self.size, self.device)))
    }
}

impl DataLoaderIterator<ImageBatch> for EpochIterator<'_> {
    fn progress(&self) -> Progress {
        self.batches.progress()
    }
}
