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

    /// Adds a batch, and returns which of its images the network gives logits for that aren't finite numbers.
    ///
    /// # Errors
    ///
    /// Where the device fails.
    pub fn add(&mut self, batch: ImageBatch) -> Result<Vec<usize>, TrainError> {
        let output = InferenceStep::step(self.task, batch);
        self.sum.add(&output);
        let ClassificationOutput {
            output, targets, ..
        } = output;
        let not_finite = not_finite(&output)?;
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
        Ok(not_finite)
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

/// The rows of logits, `[images, classes]`, that hold something else than finite numbers.
fn not_finite(logits: &Tensor<2>) -> Result<Vec<usize>, TrainError> {
    let [_, classes] = logits.dims();
    let data = logits
        .clone()
        .try_into_data()
        .map_err(|error| TrainError::Burn {
            cause: error.to_string(),
        })?;
    let logits: Vec<f32> = data.convert::<f32>().iter::<f32>().collect();
    let rows = logits.chunks(classes.max(1)).enumerate();
    let broken = rows.filter(|(_, row)| !row.iter().all(|logit| logit.is_finite()));
    Ok(broken.map(|(row, _)| row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_numbers_are_found() {
        let rows = [
            [1.0, 2.0],
            [f32::NAN, 0.0],
            [0.0, 0.0],
            [0.0, f32::INFINITY],
        ];
        let logits = Tensor::<2>::from_data(rows, &Device::flex());
        assert_eq!(not_finite(&logits).unwrap(), [1, 3]);
    }
}
