//! A network with its loss, as Burn's learner wants it.

use std::fmt;

use crate::config::Recipe;
use crate::network::ImageClassifier;
use burn::module::{Module, ModuleDisplay};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::activation::relu;
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use xception_optimizers::GradientAccumulator;

use super::output::TaskOutput;
use super::targets::{ImageBatch, ImageTargets};

/// A network that learns to name the class of an image, by cross-entropy with softmax, or each of its classes, by
/// cross-entropy with sigmoid, summed over the classes.
#[derive(Module, Debug)]
pub struct ClassificationTask<N: Module + ModuleDisplay> {
    /// The network.
    pub network: N,
    /// See [`Recipe::label_smoothing`].
    pub label_smoothing: f64,
    /// See [`Recipe::auxiliary_weight`].
    pub auxiliary_weight: f64,
    /// See [`Recipe::accumulation`].
    pub accumulation: usize,
}

impl<N: ImageClassifier> ClassificationTask<N> {
    /// Combines a network with the losses of a recipe.
    pub fn new(network: N, recipe: &Recipe) -> Self {
        Self {
            network,
            label_smoothing: recipe.label_smoothing,
            auxiliary_weight: recipe.auxiliary_weight,
            accumulation: recipe.accumulation,
        }
    }

    /// Computes what a training step makes small, shape `[1]`: the loss, with those of the auxiliary classifiers. The
    /// output has that of the main classifier.
    pub fn forward_loss(&self, batch: ImageBatch) -> (Tensor<1>, TaskOutput) {
        let (logits, auxiliary) = self.network.forward_auxiliary(batch.images);
        let loss = self.training_loss(logits.clone(), &batch.targets);
        let mut total = loss.clone();
        for logits in auxiliary {
            let auxiliary = self.training_loss(logits, &batch.targets);
            total = total + auxiliary * self.auxiliary_weight;
        }
        let output = TaskOutput {
            loss: loss.detach(),
            logits: logits.detach(),
            targets: batch.targets,
        };
        (total, output)
    }

    /// Passes a batch forward and backward, in [parts](Recipe::accumulation) one after the other. The loss in the output is that
    /// of the main classifier.
    pub fn train_step(&self, batch: ImageBatch) -> TrainOutput<TaskOutput> {
        let parts = batch.divide(self.accumulation);
        let mut gradients = GradientAccumulator::new();
        let mut outputs = Vec::with_capacity(parts.len());
        for part in parts {
            let images = part.images.dims()[0];
            let (total, output) = self.forward_loss(part);
            let of_part = GradientsParams::from_grads(total.backward(), self);
            gradients.add(self, of_part, images as f64);
            outputs.push(output);
        }
        TrainOutput {
            grads: gradients.mean(self),
            item: TaskOutput::join(outputs),
        }
    }

    /// Prepares the network to score batches; the task must be on a device without autodiff.
    pub fn scorer(&self) -> Scorer<'_> {
        Scorer {
            forward: self.network.inference(),
        }
    }

    fn training_loss(&self, logits: Tensor<2>, targets: &ImageTargets) -> Tensor<1> {
        cross_entropy(logits, targets, self.label_smoothing)
    }
}

/// A network that is prepared to score batches.
pub struct Scorer<'a> {
    forward: Box<dyn Fn(Tensor<4>) -> Tensor<2> + 'a>,
}

impl Scorer<'_> {
    /// Passes a batch forward; the loss is without label smoothing.
    pub fn score(&self, batch: ImageBatch) -> TaskOutput {
        scored((self.forward)(batch.images), batch.targets)
    }
}

impl fmt::Debug for Scorer<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.debug_struct("Scorer").finish_non_exhaustive()
    }
}

/// Returns logits with their cross-entropy, without label smoothing.
fn scored(logits: Tensor<2>, targets: ImageTargets) -> TaskOutput {
    TaskOutput {
        loss: cross_entropy(logits.clone(), &targets, 0.0),
        logits,
        targets,
    }
}

/// Returns the mean over images of the cross-entropy, shape `[1]`: with softmax where an image has one class; with sigmoid,
/// summed over the classes, where it has a set of them. Smoothing moves a share of the probability to all classes alike, or
/// to one half.
fn cross_entropy(logits: Tensor<2>, targets: &ImageTargets, smoothing: f64) -> Tensor<1> {
    match targets {
        ImageTargets::Classes(classes) => {
            let smoothing = (smoothing > 0.0).then_some(smoothing as f32);
            CrossEntropyLossConfig::new()
                .with_smoothing(smoothing)
                .init(&logits.device())
                .forward(logits, classes.clone())
        }
        ImageTargets::Sets(sets) => {
            let targets = sets.clone() * (1.0 - smoothing) + 0.5 * smoothing;
            // log(1 + exp(x)) - x * target, without an overflow.
            let softplus = relu(logits.clone()) + (logits.clone().abs().neg().exp() + 1.0).log();
            (softplus - logits * targets).sum_dim(1).mean()
        }
    }
}

impl<N: ImageClassifier + 'static> TrainStep for ClassificationTask<N> {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    /// Passes a batch forward and backward. The loss in the output is that of the main classifier.
    fn step(&self, batch: ImageBatch) -> TrainOutput<ClassificationOutput> {
        let TrainOutput { grads, item } = self.train_step(batch);
        TrainOutput {
            grads,
            item: item.into(),
        }
    }
}

impl<N: ImageClassifier + 'static> InferenceStep for ClassificationTask<N> {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    /// Passes a batch forward; the loss is without label smoothing.
    fn step(&self, batch: ImageBatch) -> ClassificationOutput {
        scored(self.network.forward(batch.images), batch.targets).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_cross_entropy_is_summed_over_classes_and_does_not_overflow() {
        let device = Device::flex();
        let logits = Tensor::from_floats([[0.5, -2.0, 3.0], [100.0, -100.0, 0.0]], &device);
        let sets = Tensor::from_floats([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]], &device);
        let loss = |smoothing| -> f64 {
            let targets = ImageTargets::Sets(sets.clone());
            cross_entropy(logits.clone(), &targets, smoothing)
                .into_scalar::<f32>()
                .into()
        };
        // By the definition, -t log(s) - (1 - t) log(1 - s) with s the sigmoid, in double precision.
        let of = |x: f64, t: f64| (1.0 + x.exp()).ln() - x * t;
        let expected = of(0.5, 1.0) + of(-2.0, 0.0) + of(3.0, 1.0) + of(0.0, 0.0);
        assert!((loss(0.0) - expected / 2.0).abs() < 1e-6);
        let smooth = [(0.5, 0.95), (-2.0, 0.05), (3.0, 0.95), (0.0, 0.05)].map(|(x, t)| of(x, t));
        let saturated = 2.0 * 100.0 * 0.05;
        let expected = smooth.iter().sum::<f64>() + saturated;
        assert!((loss(0.1) - expected / 2.0).abs() < 1e-5);
    }
}
