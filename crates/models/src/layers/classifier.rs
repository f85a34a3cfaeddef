//! The classifier, from pooled features to logits.

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation;
use xception_kernels::{FusedConv2d, Geometry};

use super::conv_norm::run_packed;
use super::feature_map::Form;
use super::kernels::at_least_single;
use super::operation::OperationKind;
use super::packed::{Packed, ids, lazy_dims};
use super::trace::Traced;
use super::{Activation, Epilogue, FeatureMap, Kernels};

/// Configuration of a [`Classifier`].
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifierConfig {
    /// Number of pooled features.
    pub features: usize,
    /// Units of each fully connected layer before the last one.
    pub fully_connected: Vec<usize>,
    /// Number of classes.
    pub classes: usize,
    /// Probability that dropout sets a feature to zero before the last layer, in training.
    pub dropout: f64,
    /// Whether dropout also follows each fully connected layer before the last one.
    pub dropout_everywhere: bool,
    /// The implementation of its fused operations.
    pub kernels: Kernels,
}

impl ClassifierConfig {
    /// Makes the configuration of a single linear layer without dropout.
    pub fn new(features: usize, classes: usize, kernels: Kernels) -> Self {
        Self {
            features,
            fully_connected: Vec::new(),
            classes,
            dropout: 0.0,
            dropout_everywhere: false,
            kernels,
        }
    }

    /// Makes the layers, with random weights.
    pub fn init(&self, device: &Device) -> Classifier {
        let mut features = self.features;
        let mut fully_connected = Vec::new();
        for &units in &self.fully_connected {
            fully_connected.push(LinearConfig::new(features, units).init(device));
            features = units;
        }
        Classifier {
            packed: vec![Packed::default(); fully_connected.len() + 1],
            fully_connected,
            dropout: DropoutConfig::new(self.dropout).init(),
            dropout_everywhere: self.dropout_everywhere,
            logits: LinearConfig::new(features, self.classes).init(device),
            kernels: self.kernels,
        }
    }
}

/// A classifier: optional fully connected layers with ReLU, dropout, and a linear layer that computes the logits.
#[derive(Module, Debug)]
pub struct Classifier {
    /// Fully connected layers before the last one (Xception, section 4: two of 4096 units for JFT).
    pub fully_connected: Vec<Linear>,
    /// Dropout before the last layer.
    pub dropout: Dropout,
    /// Whether dropout also follows each fully connected layer before the last one.
    pub dropout_everywhere: bool,
    /// The last layer, from features to logits.
    pub logits: Linear,
    /// The implementation of its fused operations.
    #[module(skip)]
    pub kernels: Kernels,
    /// The fused form of each layer.
    #[module(skip)]
    packed: Vec<Packed>,
}

impl Classifier {
    /// Turns pooled features into logits, in the element type of its parameters, whatever that of the features is.
    ///
    /// # Shapes
    ///
    /// - `pooled`: `[batch, features, 1, 1]`
    /// - output: `[batch, classes, 1, 1]`
    pub fn forward(&self, pooled: FeatureMap) -> FeatureMap {
        match pooled.form {
            Form::Composed(pooled) => {
                let [batch, features, ..] = pooled.dims();
                let mut x = at_least_single(pooled).reshape([batch, features]);
                for (index, layer) in self.fully_connected.iter().enumerate() {
                    x = activation::relu(layer.forward(x)); // [batch, units]
                    if self.dropout_everywhere && index + 1 < self.fully_connected.len() {
                        x = self.dropout.forward(x);
                    }
                }
                let logits = self.logits.forward(self.dropout.forward(x)); // [batch, classes]
                FeatureMap::composed(logits.reshape([batch, self.classes(), 1, 1]))
            }
            Form::Traced(pooled) => self.trace(pooled),
            form => {
                let layers = self.layers().zip(&self.packed);
                layers.fold(form.into(), |x, ((layer, activation), packed)| {
                    let packed = packed.get_or_pack(|| self.pack(layer));
                    run_packed(packed, x, Epilogue::from(activation))
                })
            }
        }
    }

    /// Returns the number of classes.
    pub fn classes(&self) -> usize {
        lazy_dims(&self.logits.weight)[1]
    }

    /// Returns the number of pooled features in the input.
    pub fn features(&self) -> usize {
        let first = self.fully_connected.first().unwrap_or(&self.logits);
        lazy_dims(&first.weight)[0]
    }

    /// Iterates over the linear layers, each with the activation that follows it.
    fn layers(&self) -> impl Iterator<Item = (&Linear, Activation)> {
        let hidden = self.fully_connected.iter();
        let hidden = hidden.map(|layer| (layer, Activation::Relu));
        hidden.chain([(&self.logits, Activation::None)])
    }

    fn trace(&self, pooled: Traced) -> FeatureMap {
        if pooled.trace().fuses() {
            for ((layer, _), packed) in self.layers().zip(&self.packed) {
                packed.get_or_pack(|| self.pack(layer));
            }
            pooled.trace().packed(ids(self));
        }
        let mut x = pooled;
        for (layer, activation) in self.layers() {
            let [features, units] = lazy_dims(&layer.weight);
            let bias = layer.bias.as_ref().map_or(0, |_| units);
            let output = [x.dims[0], units, 1, 1];
            let parameters = features * units + bias;
            x = x.then_weighted(OperationKind::Linear, output, parameters, features);
            if activation != Activation::None {
                x = x.then(OperationKind::Activation(activation), output);
            }
        }
        x.into()
    }

    /// Packs a linear layer as a convolution of one-pixel maps.
    fn pack(&self, layer: &Linear) -> FusedConv2d {
        let weight = layer.weight.val();
        let [features, units] = weight.dims();
        let bias = layer.bias.as_ref().map(Param::val);
        let bias = bias.unwrap_or_else(|| Tensor::zeros([units], &weight.device()));
        let weight = weight.transpose().reshape([units, features, 1, 1]);
        let native = self.kernels == Kernels::Native;
        FusedConv2d::new(weight, bias, Geometry::valid(1), 1, native)
    }
}
