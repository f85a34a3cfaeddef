//! From pooled features to logits.

use burn::nn::Linear;
use burn::prelude::*;
use xception_kernels::{FusedConv2d, Geometry};

use crate::layers::{Classifier, Kernels};

/// A classifier's layers, as convolutions of an image of one pixel; without dropout.
#[derive(Debug, Clone)]
pub(super) struct FusedClassifier {
    layers: Vec<FusedConv2d>,
    classes: usize,
}

impl FusedClassifier {
    pub(super) fn new(classifier: &Classifier, kernels: Kernels) -> Self {
        let native = kernels == Kernels::Native;
        let rectified = classifier.fully_connected.iter().map(|layer| (layer, true));
        let layers = rectified.chain([(&classifier.logits, false)]);
        Self {
            layers: layers
                .map(|(layer, relu)| fuse(layer, relu, native))
                .collect(),
            classes: classifier.classes(),
        }
    }

    pub(super) fn classes(&self) -> usize {
        self.classes
    }

    /// As [`Classifier::forward`].
    pub(super) fn forward(&self, pooled: Tensor<2>) -> Tensor<2> {
        let [batch, features] = pooled.dims();
        let pixels = pooled.reshape([batch, 1, 1, features]);
        let logits = self
            .layers
            .iter()
            .fold(pixels, |pixels, layer| layer.forward(pixels));
        logits.flatten::<2>(1, 3)
    }
}

fn fuse(layer: &Linear, relu: bool, native: bool) -> FusedConv2d {
    let weight = layer.weight.val();
    let [features, units] = weight.dims();
    let bias = match &layer.bias {
        Some(bias) => bias.val(),
        None => Tensor::zeros([units], &weight.device()),
    };
    let weight = weight.transpose().reshape([units, features, 1, 1]);
    FusedConv2d::new(weight, bias, Geometry::valid(1), relu, native)
}
