//! From pooled features to logits.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::prelude::*;
use burn::tensor::activation;

use crate::trace;

/// Configuration of a [`Classifier`].
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifierConfig {
    /// Number of pooled features.
    pub features: usize,
    /// Units of each fully connected layer before the last one.
    pub fully_connected: Vec<usize>,
    /// Number of classes.
    pub classes: usize,
    /// Probability of dropping a feature before the last layer, in training.
    pub dropout: f64,
}

impl ClassifierConfig {
    /// Makes the layers, with random weights.
    pub fn init(&self, device: &Device) -> Classifier {
        let mut features = self.features;
        let mut fully_connected = Vec::new();
        for &units in &self.fully_connected {
            fully_connected.push(LinearConfig::new(features, units).init(device));
            features = units;
        }
        Classifier {
            fully_connected,
            dropout: DropoutConfig::new(self.dropout).init(),
            logits: LinearConfig::new(features, self.classes).init(device),
        }
    }
}

/// Optional fully connected layers with ReLU, dropout, and the layer that gives the logits.
#[derive(Module, Debug)]
pub struct Classifier {
    /// Optional layers before the last (Xception, section 4: two of 4096 units for JFT).
    pub fully_connected: Vec<Linear>,
    /// Dropout before the last layer.
    pub dropout: Dropout,
    /// Logistic regression.
    pub logits: Linear,
}

impl Classifier {
    /// From pooled features to logits.
    ///
    /// # Shapes
    ///
    /// - `pooled`: `[batch, features]`
    /// - output: `[batch, classes]`
    pub fn forward(&self, pooled: Tensor<2>) -> Tensor<2> {
        let mut x = pooled;
        for layer in &self.fully_connected {
            x = linear(layer, x); // [batch, units]
            x = trace::elementwise(x.dims(), || activation::relu(x));
        }
        linear(&self.logits, self.dropout.forward(x)) // [batch, classes]
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.logits.weight.lazy_shape().dims::<2>()[1]
    }
}

/// A linear layer that reports itself to the trace.
fn linear(layer: &Linear, input: Tensor<2>) -> Tensor<2> {
    let [features, units] = layer.weight.lazy_shape().dims();
    let bias = layer.bias.as_ref().map_or(0, |bias| bias.lazy_shape()[0]);
    let [batch, _] = input.dims();
    let parameters = features * units + bias;
    trace::weighted([batch, units], parameters, features, || {
        layer.forward(input)
    })
}
