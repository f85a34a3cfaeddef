//! A network with its loss, as Burn's learner wants it.

use std::fmt;

use crate::config::Recipe;
use crate::data::Batch;
use crate::network::ImageClassifier;
use burn::module::{Module, ModuleDisplay};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::prelude::*;
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

/// Images and their classes, on a device.
#[derive(Debug, Clone)]
pub struct ImageBatch {
    /// `[batch, 3, height, width]`, normalized.
    pub images: Tensor<4>,
    /// `[batch]`.
    pub classes: Tensor<1, Int>,
}

impl ImageBatch {
    /// Moves a batch of images of this height and width to the device.
    pub fn new(batch: Batch, size: [usize; 2], device: &Device) -> Self {
        let count = batch.len();
        let [height, width] = size;
        let pixels = TensorData::new(batch.pixels, [count, 3, height, width]);
        let classes: Vec<i64> = batch.labels.iter().map(|&label| i64::from(label)).collect();
        Self {
            images: Tensor::from_data(pixels, device),
            classes: Tensor::from_data(TensorData::new(classes, [count]), device),
        }
    }
}

/// A network that learns to name the one class of an image, by cross-entropy.
#[derive(Module, Debug)]
pub struct ClassificationTask<N: Module + ModuleDisplay> {
    /// The network.
    pub network: N,
    /// See [`Recipe::label_smoothing`].
    pub label_smoothing: f64,
    /// See [`Recipe::auxiliary_weight`].
    pub auxiliary_weight: f64,
}

impl<N: ImageClassifier> ClassificationTask<N> {
    /// Combines a network with the losses of a recipe.
    pub fn new(network: N, recipe: &Recipe) -> Self {
        Self {
            network,
            label_smoothing: recipe.label_smoothing,
            auxiliary_weight: recipe.auxiliary_weight,
        }
    }

    /// Computes what a training step makes small, shape `[1]`: the loss, with those of the auxiliary classifiers. The
    /// output has that of the main classifier.
    pub fn forward_loss(&self, batch: ImageBatch) -> (Tensor<1>, ClassificationOutput) {
        let (logits, auxiliary) = self.network.forward_auxiliary(batch.images);
        let loss = self.training_loss(logits.clone(), batch.classes.clone());
        let mut total = loss.clone();
        for logits in auxiliary {
            let auxiliary = self.training_loss(logits, batch.classes.clone());
            total = total + auxiliary * self.auxiliary_weight;
        }
        let output = ClassificationOutput::new(loss.detach(), logits.detach(), batch.classes);
        (total, output)
    }

    /// Prepares the network to score batches; the task must be on a device without autodiff.
    pub fn scorer(&self) -> Scorer<'_> {
        Scorer {
            forward: self.network.inference(),
        }
    }

    fn training_loss(&self, logits: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<1> {
        let smoothing = (self.label_smoothing > 0.0).then_some(self.label_smoothing as f32);
        CrossEntropyLossConfig::new()
            .with_smoothing(smoothing)
            .init(&logits.device())
            .forward(logits, classes)
    }
}

/// A network that is prepared to score batches.
pub struct Scorer<'a> {
    forward: Box<dyn Fn(Tensor<4>) -> Tensor<2> + 'a>,
}

impl Scorer<'_> {
    /// Passes a batch forward; the loss is without label smoothing.
    pub fn score(&self, batch: ImageBatch) -> ClassificationOutput {
        scored((self.forward)(batch.images), batch.classes)
    }
}

impl fmt::Debug for Scorer<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.debug_struct("Scorer").finish_non_exhaustive()
    }
}

/// Returns logits with their cross-entropy, without label smoothing.
fn scored(logits: Tensor<2>, classes: Tensor<1, Int>) -> ClassificationOutput {
    let loss = CrossEntropyLossConfig::new()
        .init(&logits.device())
        .forward(logits.clone(), classes.clone());
    ClassificationOutput::new(loss, logits, classes)
}

impl<N: ImageClassifier + 'static> TrainStep for ClassificationTask<N> {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    /// Passes a batch forward and backward. The loss in the output is that of the main classifier.
    fn step(&self, batch: ImageBatch) -> TrainOutput<ClassificationOutput> {
        let (total, output) = self.forward_loss(batch);
        TrainOutput::new(self, total.backward(), output)
    }
}

impl<N: ImageClassifier + 'static> InferenceStep for ClassificationTask<N> {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    /// Passes a batch forward; the loss is without label smoothing.
    fn step(&self, batch: ImageBatch) -> ClassificationOutput {
        scored(self.network.forward(batch.images), batch.classes)
    }
}
