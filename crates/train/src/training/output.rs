//! What a network says of a batch.

use burn::prelude::*;
use burn::train::ClassificationOutput;

use super::prediction::preferred;
use super::targets::ImageTargets;

/// A network's logits for a batch, with their loss.
#[derive(Debug, Clone)]
pub struct TaskOutput {
    /// The loss, `[1]`.
    pub loss: Tensor<1>,
    /// `[batch, classes]`.
    pub logits: Tensor<2>,
    /// What was to be recognized.
    pub targets: ImageTargets,
}

/// Burn's own output, which its metrics take: with the class that the network prefers in place of a set.
impl From<TaskOutput> for ClassificationOutput {
    fn from(output: TaskOutput) -> Self {
        let targets = preferred(&output.logits, &output.targets);
        Self::new(output.loss, output.logits, targets)
    }
}
