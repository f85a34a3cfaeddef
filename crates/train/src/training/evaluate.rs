//! A network's scores on a set of images.

use std::sync::Arc;

use burn::prelude::Device;
use burn::train::InferenceStep;

use super::scores::ScoreSum;
use super::task::{ClassificationTask, ImageBatch};
use crate::TrainError;
use crate::data::{BatchPlan, Batches, Images, Normalization};
use crate::record::Scores;

/// Scores of a task in evaluation mode, on a device without autodiff. `observe` is told how many
/// images are done after each batch.
///
/// # Errors
///
/// Where the batches can't be made or the device fails.
pub fn evaluate(
    task: &ClassificationTask,
    images: &Arc<Images>,
    normalization: Normalization,
    batch_size: usize,
    device: &Device,
    observe: &mut dyn FnMut(usize),
) -> Result<Scores, TrainError> {
    let mut sum = ScoreSum::default();
    let mut done = 0;
    for batch in Batches::new(images.clone(), BatchPlan::test(batch_size, normalization))? {
        done += batch.len();
        let batch = ImageBatch::new(batch, images.size(), device);
        sum.add(&InferenceStep::step(task, batch));
        observe(done);
    }
    sum.mean()
}
