//! Mean average precision of the greatest logits.

use burn::prelude::*;

use crate::TrainError;

/// Classes that count, by their logits: those of MAP@100 (F. Chollet, *Xception*, section 4.1).
const TOP: usize = 100;

/// Mean average precision of the 100 classes with the greatest logits, MAP@100.
///
/// The paper's measure on FastEval14k weights "the contribution of each class" by how common it is, and gives no formula. Here
/// the average precision of an image is the mean, over its labels, of the precision at the label's rank, where a label counts
/// by the class's share of all labels, and one beyond the first 100 ranks with a precision of 0. Of more than 100 labels the
/// 100 of the greatest shares are in the denominator, so that a perfect ranking has 1. Classes of equal logits have the lowest
/// rank of theirs, as in scikit-learn; with equal shares and up to 100 classes this is its `average_precision_score(average="samples")`. A
/// logit that is not a number counts against the network. Images without labels are left out.
#[derive(Debug)]
pub(super) struct AveragePrecision {
    /// The classes' shares of all labels.
    shares: Vec<f64>,
    top: usize,
    sum: f64,
    images: usize,
}

impl AveragePrecision {
    /// Starts a mean over images, in which each class counts by its share of all labels.
    pub(super) fn new(shares: Vec<f64>) -> Self {
        Self {
            shares,
            top: TOP,
            sum: 0.0,
            images: 0,
        }
    }

    /// Adds the images of a batch.
    ///
    /// # Shapes
    ///
    /// - `logits`: `[batch, classes]`
    /// - `sets`: `[batch, classes]`, 1 for the classes of an image and 0 for the others
    ///
    /// # Errors
    ///
    /// Where the device fails.
    pub(super) fn add(&mut self, logits: &Tensor<2>, sets: &Tensor<2>) -> Result<(), TrainError> {
        let [_, classes] = logits.dims();
        let read = |tensor: &Tensor<2>| -> Result<Vec<f32>, TrainError> {
            let data = tensor.clone().try_into_data().map_err(TrainError::burn)?;
            Ok(data.convert::<f32>().iter::<f32>().collect())
        };
        let (logits, sets) = (read(logits)?, read(sets)?);
        let classes = classes.max(1);
        for (logits, set) in logits.chunks_exact(classes).zip(sets.chunks_exact(classes)) {
            let labels: Vec<usize> = (0..classes).filter(|&class| set[class] > 0.5).collect();
            if let Some(precision) = self.of_image(logits, &labels) {
                self.sum += precision;
                self.images += 1;
            }
        }
        Ok(())
    }

    /// Returns the mean over all images; `None` where there were none with a label.
    pub(super) fn mean(&self) -> Option<f64> {
        (self.images > 0).then(|| self.sum / self.images as f64)
    }

    /// Returns the average precision of one image.
    fn of_image(&self, logits: &[f32], labels: &[usize]) -> Option<f64> {
        let share = |label: usize| self.shares.get(label).copied().unwrap_or(0.0);
        let mut shares: Vec<f64> = labels.iter().map(|&label| share(label)).collect();
        shares.sort_by(|a, b| b.total_cmp(a));
        let best: f64 = shares.iter().take(self.top).sum();
        if best <= 0.0 {
            return None;
        }
        let mut sum = 0.0;
        for &label in labels {
            let logit = logits[label];
            // What is not a number is not below anything.
            let ahead = |other: &f32| other.is_nan() || *other >= logit;
            let rank = logits.iter().filter(|other| ahead(other)).count();
            if logit.is_nan() || rank > self.top {
                continue;
            }
            let found = labels.iter().filter(|&&other| logits[other] >= logit);
            sum += share(label) * found.count() as f64 / rank as f64;
        }
        Some(sum / best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn precision(shares: &[f64], top: usize, logits: &[f32], labels: &[usize]) -> Option<f64> {
        AveragePrecision {
            top,
            ..AveragePrecision::new(shares.to_vec())
        }
        .of_image(logits, labels)
    }

    fn assert_near(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn values_worked_out_by_hand() {
        let logits = [5.0, 4.0, 3.0, 2.0, 1.0];
        let equal = [0.2; 5];
        // Ranks 1 and 3: (1/1 + 2/3) / 2.
        assert_near(precision(&equal, 100, &logits, &[0, 2]), 5.0 / 6.0);
        // Shares of 0.6 and 0.2 for the labels at ranks 1 and 3: (0.6 * 1 + 0.2 * 2/3) / 0.8.
        let shares = [0.6, 0.1, 0.2, 0.05, 0.05];
        let expected = (0.6 + 0.2 * 2.0 / 3.0) / 0.8;
        assert_near(precision(&shares, 100, &logits, &[0, 2]), expected);
        // Of the first two ranks, only the first is a label.
        assert_near(precision(&equal, 2, &logits, &[0, 2]), 0.5);
        assert_near(precision(&shares, 2, &logits, &[0, 2]), 0.75);
        // Three labels, of which at most two can be found; those of the greatest shares are the best that there is.
        assert_near(precision(&equal, 2, &logits, &[0, 1, 2]), 1.0);
        assert_near(precision(&equal, 100, &logits, &[3, 4]), (0.25 + 0.4) / 2.0);
        assert_eq!(precision(&equal, 100, &logits, &[]), None);
    }

    #[test]
    fn ties_and_logits_that_are_not_numbers_count_against_the_network() {
        let equal = [0.25; 4];
        assert_near(precision(&equal, 100, &[1.0; 4], &[0]), 0.25);
        let logits = [2.0, f32::NAN, 1.0, 0.0];
        assert_near(precision(&equal, 100, &logits, &[0]), 0.5);
        assert_near(precision(&equal, 100, &logits, &[1]), 0.0);
        assert_near(precision(&equal, 100, &[f32::NAN; 4], &[0, 1]), 0.0);
    }

    /// `sklearn.metrics.average_precision_score(average="samples")` and `label_ranking_average_precision_score` of scikit-learn,
    /// by tests/scripts/average_precision.py, which has the formula of the logits and labels too.
    const SCIKIT_LEARN: [(usize, usize, f64); 3] = [
        (6, 5, 0.570_370_370_370_370_4),
        (20, 12, 0.554_859_198_041_016_2),
        (50, 90, 0.501_978_757_794_987_8),
    ];

    #[test]
    fn agrees_with_scikit_learn() {
        let device = Device::flex();
        for (images, classes, expected) in SCIKIT_LEARN {
            // Few whole numbers, so that many logits are equal.
            let logit = |i: usize, c: usize| ((i * 7 + c * c * 3 + i * c) % 11) as f32 - 5.0;
            let is_label = |i: usize, c: usize| (i * 5 + c * 3 + c * c) % 4 == i % 3;
            let grid = |of: &dyn Fn(usize, usize) -> f32| {
                let all = (0..images).flat_map(|i| (0..classes).map(move |c| (i, c)));
                let values: Vec<f32> = all.map(|(i, c)| of(i, c)).collect();
                Tensor::<2>::from_data(TensorData::new(values, [images, classes]), &device)
            };
            let mut sum = AveragePrecision::new(vec![1.0; classes]);
            let sets = grid(&|i, c| f32::from(is_label(i, c)));
            sum.add(&grid(&logit), &sets).unwrap();
            assert!((sum.mean().unwrap() - expected).abs() < 1e-12);
        }
    }
}
