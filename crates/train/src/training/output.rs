//! What a network says of a batch.

use burn::prelude::*;
use burn::train::ClassificationOutput;

use super::prediction::preferred;
use super::targets::ImageTargets;
use crate::TrainError;

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

impl TaskOutput {
    /// Reads the output into this process's memory, the device of which is Flex.
    ///
    /// # Errors
    ///
    /// Where the device fails.
    pub(crate) fn read(self) -> Result<Self, TrainError> {
        let host = Device::flex();
        let read = |data: Result<TensorData, _>| data.map_err(TrainError::burn);
        let targets = match self.targets {
            ImageTargets::Classes(classes) => {
                ImageTargets::Classes(Tensor::from_data(read(classes.try_into_data())?, &host))
            }
            ImageTargets::Sets(sets) => {
                ImageTargets::Sets(Tensor::from_data(read(sets.try_into_data())?, &host))
            }
        };
        Ok(Self {
            loss: Tensor::from_data(read(self.loss.try_into_data())?, &host),
            logits: Tensor::from_data(read(self.logits.try_into_data())?, &host),
            targets,
        })
    }
}

/// Burn's own output, which its metrics take: with the class that the network prefers in place of a set.
impl From<TaskOutput> for ClassificationOutput {
    fn from(output: TaskOutput) -> Self {
        let targets = preferred(&output.logits, &output.targets);
        Self::new(output.loss, output.logits, targets)
    }
}
