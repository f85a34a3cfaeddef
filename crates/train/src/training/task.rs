//! A network with its loss, as Burn's learner wants it.

use std::fmt;

use crate::config::{Precision, Recipe};
use crate::network::ImageClassifier;
use burn::module::{Module, ModuleDisplay};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::FloatDType;
use burn::tensor::activation::{log_softmax, relu};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use xception_optimizers::GradientAccumulator;

use super::output::TaskOutput;
use super::targets::{ImageBatch, ImageMixture, ImageTargets};

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
    /// See [`Recipe::precision`].
    #[module(skip)]
    pub precision: Precision,
    /// Factor on the loss, and so on the gradients, of a training step.
    #[module(skip)]
    pub loss_scale: f64,
}

impl<N: ImageClassifier> ClassificationTask<N> {
    /// Combines a network with the losses of a recipe.
    pub fn new(network: N, recipe: &Recipe) -> Self {
        Self {
            network,
            label_smoothing: recipe.label_smoothing,
            auxiliary_weight: recipe.auxiliary_weight,
            accumulation: recipe.accumulation,
            precision: recipe.precision,
            loss_scale: 1.0,
        }
    }

    /// Computes what a training step makes small, shape `[1]`: the loss, with those of the auxiliary classifiers, times the
    /// [scale](Self::loss_scale). The output has that of the main classifier.
    pub fn forward_loss(&self, batch: ImageBatch) -> (Tensor<1>, TaskOutput) {
        let images = self.precision.apply(batch.images);
        let (logits, auxiliary) = self.network.forward_auxiliary(images);
        // A user's own network may return what it computes with.
        let logits = logits.cast(FloatDType::F32);
        let mixture = batch.mixture.as_ref();
        let loss = self.training_loss(logits.clone(), &batch.targets, mixture);
        let mut total = loss.clone();
        for logits in auxiliary {
            let logits = logits.cast(FloatDType::F32);
            let auxiliary = self.training_loss(logits, &batch.targets, mixture);
            total = total + auxiliary * self.auxiliary_weight;
        }
        if self.loss_scale != 1.0 {
            total = total * self.loss_scale;
        }
        let output = TaskOutput {
            loss: loss.detach(),
            logits: logits.detach(),
            targets: batch.targets,
        };
        (total, output)
    }

    /// Passes a batch forward and backward, in [parts](Recipe::accumulation) one after the other. The loss in the output is that
    /// of the main classifier; the gradients are those of the loss times the [scale](Self::loss_scale).
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

    fn training_loss(
        &self,
        logits: Tensor<2>,
        targets: &ImageTargets,
        mixture: Option<&ImageMixture>,
    ) -> Tensor<1> {
        match mixture {
            None => cross_entropy(logits, targets, self.label_smoothing),
            Some(mixture) => mixed_cross_entropy(logits, targets, mixture, self.label_smoothing),
        }
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
        ImageTargets::Sets(sets) => sigmoid_cross_entropies(logits, sets, smoothing).mean(),
    }
}

/// Returns the mean over mixtures of two images of their cross-entropies, each by its share, shape `[1]`: by Zhang et al.,
/// "mixup: Beyond Empirical Risk Minimization", 2018, section 2, since cross-entropy is linear in the targets.
fn mixed_cross_entropy(
    logits: Tensor<2>,
    targets: &ImageTargets,
    mixture: &ImageMixture,
    smoothing: f64,
) -> Tensor<1> {
    let first = cross_entropies(logits.clone(), targets, smoothing);
    let second = cross_entropies(logits, &mixture.targets, smoothing);
    let shares = mixture.shares.clone();
    (first * shares.clone() + second * (shares.neg() + 1.0)).mean()
}

/// Returns the cross-entropy of each image, `[batch]`, whose mean is [`cross_entropy`].
fn cross_entropies(logits: Tensor<2>, targets: &ImageTargets, smoothing: f64) -> Tensor<1> {
    match targets {
        ImageTargets::Classes(classes) => {
            let surprise = log_softmax(logits, 1).neg();
            let own = surprise.clone().gather(1, classes.clone().unsqueeze_dim(1));
            let all = surprise.mean_dim(1);
            (own * (1.0 - smoothing) + all * smoothing).squeeze_dim(1)
        }
        ImageTargets::Sets(sets) => sigmoid_cross_entropies(logits, sets, smoothing),
    }
}

/// Returns the cross-entropy with sigmoid of each image, summed over the classes, `[batch]`.
fn sigmoid_cross_entropies(logits: Tensor<2>, sets: &Tensor<2>, smoothing: f64) -> Tensor<1> {
    let targets = sets.clone() * (1.0 - smoothing) + 0.5 * smoothing;
    // log(1 + exp(x)) - x * target, without an overflow.
    let softplus = relu(logits.clone()) + (logits.clone().abs().neg().exp() + 1.0).log();
    (softplus - logits * targets).sum_dim(1).squeeze_dim(1)
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

    #[test]
    fn mixtures_have_the_cross_entropies_of_both_images_by_their_shares() {
        let device = Device::flex();
        let logits = Tensor::from_floats([[0.5, -2.0, 3.0], [1.0, 0.0, -1.0]], &device);
        let number = |loss: Tensor<1>| f64::from(loss.into_scalar::<f32>());
        let row = |index: usize| logits.clone().slice([index..index + 1, 0..3]);
        let classes = |classes: &[i64]| {
            let data = TensorData::new(classes.to_vec(), [classes.len()]);
            ImageTargets::Classes(Tensor::from_data(data, &device))
        };
        let sets = |sets: &[[f32; 3]]| {
            let data = TensorData::new(sets.concat(), [sets.len(), 3]);
            ImageTargets::Sets(Tensor::from_data(data, &device))
        };
        let shares = [0.75, 0.1];
        let (one, other) = (
            [[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]],
            [[0.0, 1.0, 0.0], [1.0, 1.0, 0.0]],
        );
        for smoothing in [0.0, 0.1] {
            for (first, second, of_image) in [
                (
                    classes(&[2, 0]),
                    classes(&[1, 0]),
                    [
                        [classes(&[2]), classes(&[1])],
                        [classes(&[0]), classes(&[0])],
                    ],
                ),
                (
                    sets(&one),
                    sets(&other),
                    [0, 1].map(|i| [sets(&one[i..=i]), sets(&other[i..=i])]),
                ),
            ] {
                let mixture = ImageMixture {
                    targets: second,
                    shares: Tensor::from_floats([0.75, 0.1], &device),
                };
                let found = number(mixed_cross_entropy(
                    logits.clone(),
                    &first,
                    &mixture,
                    smoothing,
                ));
                let mut expected = 0.0;
                for (index, [first, second]) in of_image.iter().enumerate() {
                    let loss = |targets| number(cross_entropy(row(index), targets, smoothing));
                    expected += shares[index] * loss(first) + (1.0 - shares[index]) * loss(second);
                }
                assert!((found - expected / 2.0).abs() < 1e-5, "{found} {expected}");
            }
        }
    }
}
