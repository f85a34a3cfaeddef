//! Batches in parts, whose gradients are added up: see [`Recipe::accumulation`](crate::config::Recipe::accumulation).

use std::ops::Range;

use burn::prelude::*;
use xception_parallel::even_parts;

use super::output::TaskOutput;
use super::targets::{ImageBatch, ImageMixture, ImageTargets};

/// The least images of a part: batch normalization has no variance of one.
pub(super) const LEAST_IMAGES: usize = 2;

impl ImageBatch {
    /// Divides the batch into parts, in the order of its images.
    pub(super) fn divide(self, accumulation: usize) -> Vec<Self> {
        let parts = even_parts(self.images.dims()[0], accumulation, LEAST_IMAGES);
        if parts.len() == 1 {
            return vec![self];
        }
        let part = |range: Range<usize>| Self {
            images: self.images.clone().slice_dim(0, range.clone()),
            targets: self.targets.slice(range.clone()),
            mixture: self.mixture.as_ref().map(|mixture| mixture.slice(range)),
        };
        parts.map(part).collect()
    }
}

impl ImageMixture {
    /// Returns what some mixtures have.
    fn slice(&self, images: Range<usize>) -> Self {
        Self {
            targets: self.targets.slice(images.clone()),
            shares: self.shares.clone().slice_dim(0, images),
        }
    }
}

impl ImageTargets {
    /// Returns the targets of some images.
    fn slice(&self, images: Range<usize>) -> Self {
        match self {
            Self::Classes(classes) => Self::Classes(classes.clone().slice_dim(0, images)),
            Self::Sets(sets) => Self::Sets(sets.clone().slice_dim(0, images)),
        }
    }

    /// Puts the targets of parts, all of one kind, together.
    fn join(parts: Vec<Self>) -> Self {
        let (mut classes, mut sets) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                Self::Classes(part) => classes.push(part),
                Self::Sets(part) => sets.push(part),
            }
        }
        match sets.is_empty() {
            true => Self::Classes(Tensor::cat(classes, 0)),
            false => Self::Sets(Tensor::cat(sets, 0)),
        }
    }
}

impl TaskOutput {
    /// Puts the outputs of a batch's parts, of which there is one at least, together: the loss is the mean over all images.
    pub(super) fn join(mut parts: Vec<Self>) -> Self {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let sizes: Vec<usize> = parts.iter().map(|part| part.logits.dims()[0]).collect();
        let images: usize = sizes.iter().sum();
        let losses = parts.iter().zip(&sizes);
        let losses = losses.map(|(part, &size)| part.loss.clone() * (size as f64 / images as f64));
        let losses = Tensor::cat(losses.collect(), 0);
        let (logits, targets) = parts
            .into_iter()
            .map(|part| (part.logits, part.targets))
            .unzip();
        Self {
            loss: losses.sum(),
            logits: Tensor::cat(logits, 0),
            targets: ImageTargets::join(targets),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;
    use xception_models::{Model, ModelConfig};

    use super::*;
    use crate::config::Recipe;
    use crate::training::ClassificationTask;

    /// Returns the loss of a step in parts, its logits, and the norms of the gradients.
    fn step(network: &Model, batch: ImageBatch, accumulation: usize) -> [Vec<f32>; 3] {
        let recipe = Recipe {
            accumulation,
            ..Recipe::default()
        };
        let task = ClassificationTask::new(network.clone(), &recipe);
        let output = task.train_step(batch);
        let mut norms = Norms(&output.grads, Vec::new());
        task.visit(&mut norms);
        let item = output.item;
        let numbers = |data: TensorData| data.try_into_vec().unwrap();
        [
            numbers(item.loss.into_data()),
            numbers(item.logits.into_data()),
            norms.1,
        ]
    }

    /// The norm of each gradient.
    struct Norms<'a>(&'a burn::optim::GradientsParams, Vec<f32>);

    impl burn::module::ModuleVisitor for Norms<'_> {
        fn visit_float<const D: usize>(&mut self, parameter: &burn::module::Param<Tensor<D>>) {
            let gradient = self.0.get::<D>(parameter.id).unwrap();
            self.1.push(gradient.square().sum().sqrt().into_scalar());
        }
    }

    #[test]
    fn parts_have_the_loss_the_logits_and_the_gradients_of_the_batch() {
        let device = Device::flex();
        let classes = Tensor::from_ints([0, 2, 1, 1, 0], &device);
        let sets = Tensor::from_floats(
            [
                [1., 0., 1.],
                [0., 0., 0.],
                [1., 1., 1.],
                [0., 1., 0.],
                [1., 0., 0.],
            ],
            &device,
        );
        let targets = [
            ImageTargets::Classes(Tensor::from_inner(classes)),
            ImageTargets::Sets(Tensor::from_inner(sets)),
        ];
        // Without batch normalization.
        let config = r#"{"vgg": {"width": 0.02, "classes": 3, "stem": "small", "dropout": 0}}"#;
        let config: ModelConfig = serde_json::from_str(config).unwrap();
        let network = config.init(&device.clone().autodiff()).unwrap();
        let images = Tensor::random([5, 3, 32, 32], Distribution::Default, &device);
        for targets in targets {
            let batch = ImageBatch {
                images: Tensor::from_inner(images.clone()),
                targets,
                mixture: None,
            };
            let step = |accumulation| step(&network, batch.clone(), accumulation);
            let [whole, parts] = [1, 2].map(step);
            assert!(whole[2].len() > 10 && whole[2].iter().any(|norm| *norm > 1e-3));
            for (whole, parts) in whole.iter().zip(&parts) {
                assert_eq!(whole.len(), parts.len());
                for (whole, part) in whole.iter().zip(parts) {
                    assert!(
                        (whole - part).abs() < 1e-5 * whole.abs().max(0.1),
                        "{whole} {part}"
                    );
                }
            }
        }
    }
}
