//! A network's scores on images whose classes are known.

use burn::prelude::*;
use burn::train::{ClassificationOutput, InferenceStep};

use super::scores::ScoreSum;
use super::task::{ClassificationTask, ImageBatch};
use crate::TrainError;
use crate::record::Scores;
use crate::report::Confusion;

/// Scores a network batch by batch, in evaluation mode.
#[derive(Debug)]
pub struct Evaluation<'a> {
    task: &'a ClassificationTask,
    sum: ScoreSum,
    confusion: Confusion,
}

impl<'a> Evaluation<'a> {
    /// An evaluation of a task on a device without autodiff, whose classes have these names.
    pub fn new(task: &'a ClassificationTask, classes: Vec<String>) -> Self {
        Self {
            task,
            sum: ScoreSum::default(),
            confusion: Confusion::new(classes),
        }
    }

    /// Adds a batch.
    ///
    /// # Errors
    ///
    /// Where the device fails.
    pub fn add(&mut self, batch: ImageBatch) -> Result<(), TrainError> {
        let output = InferenceStep::step(self.task, batch);
        self.sum.add(&output);
        let ClassificationOutput {
            output, targets, ..
        } = output;
        let guesses: Tensor<1, Int> = output.argmax(1).squeeze_dim(1);
        let [targets, guesses] = [targets, guesses].map(|classes| {
            let data = classes.try_into_data();
            data.map_err(|error| TrainError::Burn {
                cause: error.to_string(),
            })
        });
        let (targets, guesses) = (targets?, guesses?);
        for (target, guess) in targets.iter::<i64>().zip(guesses.iter::<i64>()) {
            self.confusion.add(target as usize, guess as usize);
        }
        Ok(())
    }

    /// The means over all batches, and which classes were taken for which.
    ///
    /// # Errors
    ///
    /// Where the device fails.
    pub fn finish(self) -> Result<(Scores, Confusion), TrainError> {
        Ok((self.sum.mean()?, self.confusion))
    }
}
