//! What a network computes on its way to the logits.

use burn::prelude::*;

/// The output of a named part of a network.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The part's name, such as `block4` or `Mixed_6e`.
    pub name: String,
    /// Its output, `[batch, channels, height, width]`.
    pub output: Tensor<4>,
}

/// Everything a network computes that is worth transferring to another task.
#[derive(Debug, Clone)]
pub struct Features {
    /// The output of every stage, from the input to the last feature map.
    pub stages: Vec<Stage>,
    /// The last feature map, averaged over its pixels: `[batch, channels]`.
    pub pooled: Tensor<2>,
    /// The classifier's output before softmax: `[batch, classes]`.
    pub logits: Tensor<2>,
    /// The logits of each auxiliary classifier: `[batch, classes]`.
    pub auxiliary_logits: Vec<Tensor<2>>,
}

impl Features {
    /// The output of the stage of this name, `[batch, channels, height, width]`.
    pub fn stage(&self, name: &str) -> Option<&Tensor<4>> {
        self.stages
            .iter()
            .find(|stage| stage.name == name)
            .map(|stage| &stage.output)
    }
}
