//! Training steps on several devices.

use burn::prelude::*;
use burn::train::TrainOutput;
use xception_optimizers::GradientAccumulator;
use xception_parallel::{DataParallel, Part, PartOutput, Step, even_parts};

use super::micro_batches::LEAST_IMAGES;
use super::output::TaskOutput;
use super::run::Run;
use super::strategy::step_seed;
use super::targets::{ImageBatch, ImageTargets};
use super::task::ClassificationTask;
use crate::TrainError;
use crate::config::RunConfig;
use crate::data::{Batch, Dataset};
use crate::network::{ImageClassifier, NetworkConfig};

/// Computes the gradients of a batch of images of this height and width, in [parts](crate::config::Recipe::accumulation) one after
/// the other, each divided among the devices. The output lies in this process's memory; its loss is the mean over all images.
pub(super) fn parallel_step<N: ImageClassifier>(
    parallel: &DataParallel,
    mut task: ClassificationTask<N>,
    batch: &Batch,
    size: [usize; 2],
    seed: u64,
) -> Result<(ClassificationTask<N>, TrainOutput<TaskOutput>), TrainError> {
    let mut gradients = GradientAccumulator::new();
    let mut outputs = Vec::new();
    for (index, range) in even_parts(batch.len(), task.accumulation, LEAST_IMAGES).enumerate() {
        let images = range.len();
        let seed = match index {
            0 => seed,
            index => step_seed(!seed, index as u64),
        };
        let output;
        (task, output) = divided_step(parallel, task, &batch.part(range), size, seed)?;
        gradients.add(&task, output.grads, images as f64);
        outputs.push(output.item);
    }
    let output = TrainOutput {
        grads: gradients.mean(&task),
        item: TaskOutput::join(outputs),
    };
    Ok((task, output))
}

/// Computes the gradients of a batch, a part on each device. Each part draws its dropout by a seed of its own.
fn divided_step<N: ImageClassifier>(
    parallel: &DataParallel,
    task: ClassificationTask<N>,
    batch: &Batch,
    size: [usize; 2],
    seed: u64,
) -> Result<(ClassificationTask<N>, TrainOutput<TaskOutput>), TrainError> {
    let ranges = even_parts(batch.len(), parallel.devices().len(), LEAST_IMAGES);
    let parts = ranges.map(|range| Part {
        images: range.len(),
        input: batch.part(range),
    });
    let parts: Vec<_> = parts.collect();
    let sizes: Vec<_> = parts.iter().map(|part| part.images).collect();
    let Step {
        module,
        gradients,
        values,
    } = parallel.step(task, parts, |task, part, place| {
        place.device.seed(match place.part {
            0 => seed,
            part => step_seed(seed, part as u64),
        });
        let batch = ImageBatch::new(part, size, &place.device);
        let (loss, output) = task.forward_loss(batch);
        let logits: Tensor<1> = output.logits.flatten(0, 1);
        PartOutput {
            loss,
            values: Tensor::cat(vec![output.loss, logits], 0),
        }
    })?;

    let (mut loss, mut logits) = (0.0, Vec::new());
    for (values, images) in values.into_iter().zip(sizes) {
        let Some((&own, others)) = values.split_first() else {
            continue;
        };
        loss += f64::from(own) * images as f64 / batch.len() as f64;
        logits.extend_from_slice(others);
    }
    let host = Device::flex();
    let classes = logits.len() / batch.len().max(1);
    let output = TaskOutput {
        loss: Tensor::from_floats([loss as f32], &host),
        logits: Tensor::from_data(TensorData::new(logits, [batch.len(), classes]), &host),
        targets: ImageTargets::new(&batch.targets, &host),
    };
    let output = TrainOutput {
        grads: gradients,
        item: output,
    };
    Ok((module, output))
}

/// Calls a function that computes on the devices. Where it fails because of one of them, the error says which, even if Burn
/// panicked.
pub(super) fn guarded<T>(
    parallel: &DataParallel,
    function: impl FnOnce() -> Result<T, TrainError>,
) -> Result<T, TrainError> {
    match parallel.guard(function)? {
        // Where a value was read: perhaps a device is the reason.
        Err(error @ TrainError::Burn { .. }) => Err(match parallel.check() {
            Err(lost) => lost.into(),
            Ok(()) => error,
        }),
        result => result,
    }
}

impl<M: NetworkConfig> Run<'_, M> {
    /// Says which of some devices have nothing to do, because a batch has too few images.
    pub fn devices_warning(
        config: &RunConfig<M>,
        data: &Dataset,
        devices: usize,
    ) -> Option<String> {
        let images = Self::batch_size(config, data);
        let used = even_parts(images, devices, LEAST_IMAGES).len();
        (used < devices).then(|| {
            format!(
                "batches of {images} images, at least {LEAST_IMAGES} a device, are for the first {used} of the {devices} devices"
            )
        })
    }
}
