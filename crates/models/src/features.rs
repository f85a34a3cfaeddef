//! The feature maps, pooled features and logits of a forward pass.

use burn::prelude::*;

/// A named stage of a network with its output.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Name of the stage, such as `block4` or `Mixed_6e`.
    pub name: String,
    /// Output of the stage, `[batch, channels, height, width]`.
    pub output: Tensor<4>,
}

/// The results of [`Network::forward_features`](crate::Network::forward_features), for transfer to other tasks.
#[derive(Debug, Clone)]
pub struct Features {
    /// Output of every stage, from the first to the last feature map.
    pub stages: Vec<Stage>,
    /// The last feature map, averaged over its pixels: `[batch, channels]`.
    pub pooled: Tensor<2>,
    /// The classifier's output before softmax: `[batch, classes]`.
    pub logits: Tensor<2>,
    /// The logits of each auxiliary classifier: `[batch, classes]`.
    pub auxiliary_logits: Vec<Tensor<2>>,
}

impl Features {
    /// Returns the output of the stage with this name, `[batch, channels, height, width]`.
    pub fn stage(&self, name: &str) -> Option<&Tensor<4>> {
        self.stages
            .iter()
            .find(|stage| stage.name == name)
            .map(|stage| &stage.output)
    }
}
