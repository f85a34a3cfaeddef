//! A network's scores on images whose classes are known.

use burn::prelude::*;

use super::output::TaskOutput;
use super::prediction::predicted;
use super::scores::ScoreSum;
use super::targets::{ImageBatch, ImageTargets};
use super::task::{ClassificationTask, Scorer};
use crate::TrainError;
use crate::network::ImageClassifier;
use crate::record::{Confusion, Scores};

/// Scores a network batch by batch, in evaluation mode.
#[derive(Debug)]
pub struct Evaluation<'a> {
    scorer: Scorer<'a>,
    tally: Tally,
}

impl<'a> Evaluation<'a> {
    /// Starts an evaluation of a task on a device without autodiff, whose classes have these names.
    pub fn new<N: ImageClassifier>(task: &'a ClassificationTask<N>, classes: Vec<String>) -> Self {
        Self {
            scorer: task.scorer(),
            tally: Tally::new(classes),
        }
    }

    /// Adds a batch, and returns which of its images the network gives logits for that aren't finite numbers.
    ///
    /// # Errors
    ///
    /// Where the device fails.
    pub fn add(&mut self, batch: ImageBatch) -> Result<Vec<usize>, TrainError> {
        self.tally.add(self.scorer.score(batch))
    }

    /// Sets the shares of the classes in all labels, where images have sets of them; the scores then have the average
    /// precision.
    #[must_use]
    pub fn with_label_shares(mut self, shares: Option<Vec<f64>>) -> Self {
        self.tally.sum = ScoreSum::with_label_shares(shares);
        self
    }

    /// Returns the means over all batches, and which classes were taken for which, where images have one class.
    ///
    /// # Errors
    ///
    /// [`TrainError::NoImages`] where no batch was added, and where the device fails.
    pub fn finish(self) -> Result<(Scores, Option<Confusion>), TrainError> {
        Ok((self.tally.sum.mean()?, self.tally.confusion))
    }
}

/// Scores and confusion matrix of the same outputs.
#[derive(Debug)]
struct Tally {
    sum: ScoreSum,
    /// `None` where images have sets of classes.
    confusion: Option<Confusion>,
}

impl Tally {
    fn new(classes: Vec<String>) -> Self {
        Self {
            sum: ScoreSum::default(),
            confusion: Some(Confusion::new(classes)),
        }
    }

    /// Adds a batch; returns the rows whose logits are not all finite.
    fn add(&mut self, output: TaskOutput) -> Result<Vec<usize>, TrainError> {
        self.sum.add(&output)?;
        let TaskOutput {
            logits, targets, ..
        } = output;
        let not_finite = not_finite(&logits)?;
        let (ImageTargets::Classes(targets), Some(confusion)) = (targets, &mut self.confusion)
        else {
            self.confusion = None;
            return Ok(not_finite);
        };
        let [targets, predictions] = [targets, predicted(logits)].map(|classes| {
            let data = classes.try_into_data();
            data.map_err(TrainError::burn)
        });
        let (targets, predictions) = (targets?, predictions?);
        for (target, prediction) in targets.iter::<i64>().zip(predictions.iter::<i64>()) {
            // A negative number stands for no prediction.
            let prediction = usize::try_from(prediction).ok();
            confusion.add(target as usize, prediction);
        }
        Ok(not_finite)
    }
}

/// Returns the rows of logits, `[images, classes]`, that hold something else than finite numbers.
fn not_finite(logits: &Tensor<2>) -> Result<Vec<usize>, TrainError> {
    let [_, classes] = logits.dims();
    let data = logits.clone().try_into_data().map_err(TrainError::burn)?;
    let logits: Vec<f32> = data.convert::<f32>().iter::<f32>().collect();
    let rows = logits.chunks(classes.max(1)).enumerate();
    let broken = rows.filter(|(_, row)| !row.iter().all(|logit| logit.is_finite()));
    Ok(broken.map(|(row, _)| row).collect())
}

#[cfg(test)]
mod tests {
    use rand::Rng;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Logits of few whole numbers, so that many are tied, and now and then none or an infinity.
    fn logit(random: &mut ChaCha8Rng) -> f32 {
        match random.random_range(0..40) {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2 => f32::NEG_INFINITY,
            _ => random.random_range(-2..=2) as f32,
        }
    }

    /// The definition, word by word: the class whose logit is greater than all others.
    fn greatest(logits: &[f32]) -> Option<usize> {
        let leads = |&class: &usize| {
            let mut others = (0..logits.len()).filter(|&other| other != class);
            others.all(|other| logits[class] > logits[other])
        };
        (0..logits.len()).find(leads)
    }

    fn output(logits: Vec<f32>, targets: &[i64]) -> TaskOutput {
        let device = Device::flex();
        let shape = [targets.len(), logits.len() / targets.len()];
        TaskOutput {
            loss: Tensor::from_floats([0.5], &device),
            logits: Tensor::from_data(TensorData::new(logits, shape), &device),
            targets: ImageTargets::Classes(Tensor::from_ints(targets, &device)),
        }
    }

    #[test]
    fn top1_is_the_trace_of_the_matrix_also_with_ties_and_without_numbers() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        for case in 0..300 {
            // Long rows too: backends look for their greatest number in another way.
            let classes = [2, 3, 5, 6, 10, 33, 130][case % 7];
            let mut tally = Tally::new(Vec::new());
            let mut recognized = 0;
            let mut images = 0;
            for _ in 0..random.random_range(1..4) {
                let batch = random.random_range(1..12);
                let logits: Vec<_> = (0..batch * classes).map(|_| logit(&mut random)).collect();
                let targets: Vec<_> = (0..batch)
                    .map(|_| random.random_range(0..classes))
                    .collect();
                let rows = logits.chunks(classes).zip(&targets);
                recognized += rows
                    .filter(|(row, target)| greatest(row) == Some(**target))
                    .count();
                images += batch;
                let targets: Vec<_> = targets.iter().map(|&target| target as i64).collect();
                tally.add(output(logits, &targets)).unwrap();
            }
            let trace = tally.confusion.as_ref().unwrap().recognized();
            let top1 = tally.sum.mean().unwrap().top1;
            assert_eq!(top1, trace as f64 / images as f64, "case {case}");
            assert_eq!(trace, recognized as u64, "case {case}");
        }
    }

    #[test]
    fn a_constant_network_predicts_nothing() {
        for value in [0.0, f32::NAN] {
            let mut tally = Tally::new(vec!["cat".to_owned(), "dog".to_owned()]);
            tally.add(output(vec![value; 6], &[0, 0, 1])).unwrap();
            assert_eq!(tally.confusion.as_ref().unwrap().recognized(), 0);
            assert_eq!(
                tally.confusion.as_ref().unwrap().to_csv().unwrap(),
                "class,cat,dog,no prediction\ncat,0,0,2\ndog,0,0,1\n"
            );
            assert_eq!(tally.sum.mean().unwrap().top1, 0.0);
        }
    }

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
