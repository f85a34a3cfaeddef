//! Loss and accuracies over many batches.

use burn::prelude::*;
use burn::train::ClassificationOutput;

use crate::TrainError;
use crate::record::Scores;

/// Sums up batches on the device and reads the sums once, so that no batch waits for the last one.
#[derive(Debug, Default)]
pub(crate) struct ScoreSum {
    /// A batch each: loss times images, images with the first guess right, with one of five right.
    batches: Vec<Tensor<1>>,
    images: usize,
}

impl ScoreSum {
    /// Adds a batch.
    pub(crate) fn add(&mut self, output: &ClassificationOutput) {
        let [images, _] = output.output.dims();
        let rank = rank(output.output.clone(), output.targets.clone());
        let within = |k: i64| rank.clone().lower_elem(k).int().sum().float();
        let loss = output.loss.clone().mul_scalar(images as f32);
        // Leaves the graph of the backward pass, so that it can go.
        let parts = [loss.detach(), within(1), within(5)];
        let parts = parts.map(|part| part.without_autodiff()).to_vec();
        self.batches.push(Tensor::cat(parts, 0));
        self.images += images;
    }

    /// The means over all batches.
    pub(crate) fn mean(self) -> Result<Scores, TrainError> {
        let mut sums = [0.0; 3];
        if !self.batches.is_empty() {
            let all = Tensor::stack::<2>(self.batches, 0); // [batches, 3]
            let data = all.try_into_data().map_err(|error| TrainError::Burn {
                cause: error.to_string(),
            })?;
            for (index, value) in data.iter::<f64>().enumerate() {
                sums[index % 3] += value;
            }
        }
        let [loss, top1, top5] = sums.map(|sum| sum / self.images as f64);
        Ok(Scores {
            loss,
            top1,
            top5,
            images: self.images,
        })
    }
}

/// How many classes are preferred to the right one. A tie counts against the network, and so does a
/// logit that is not a number.
///
/// # Shapes
///
/// - `logits`: `[batch, classes]`
/// - `targets` and output: `[batch]`
fn rank(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1, Int> {
    let right = logits.clone().gather(1, targets.unsqueeze_dim(1)); // [batch, 1]
    let not_below = logits.lower(right).bool_not().int(); // [batch, classes]
    not_below.sum_dim(1).squeeze_dim::<1>(1) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(logits: [[f32; 6]; 2], targets: [i64; 2]) -> Scores {
        let device = Device::flex();
        let mut sum = ScoreSum::default();
        sum.add(&ClassificationOutput::new(
            Tensor::from_floats([0.5], &device),
            Tensor::from_floats(logits, &device),
            Tensor::from_ints(targets, &device),
        ));
        sum.mean().unwrap()
    }

    #[test]
    fn counts_the_first_and_the_first_five() {
        let logits = [[9.0, 8.0, 7.0, 6.0, 5.0, 4.0]; 2];
        let counts = |targets| {
            let scores = scores(logits, targets);
            (scores.top1, scores.top5, scores.images)
        };
        assert_eq!(counts([0, 1]), (0.5, 1.0, 2));
        assert_eq!(counts([4, 5]), (0.0, 0.5, 2));
    }

    #[test]
    fn a_constant_or_broken_network_is_never_right() {
        for value in [0.0, f32::NAN] {
            let scores = scores([[value; 6]; 2], [0, 3]);
            assert_eq!((scores.top1, scores.top5), (0.0, 0.0), "{value}");
        }
    }

    #[test]
    fn the_loss_is_the_mean_over_images_not_batches() {
        let device = Device::flex();
        let mut sum = ScoreSum::default();
        for (loss, images) in [(1.0, 3), (5.0, 1)] {
            sum.add(&ClassificationOutput::new(
                Tensor::from_floats([loss], &device),
                Tensor::zeros([images, 2], &device),
                Tensor::zeros([images], &device),
            ));
        }
        assert_eq!(sum.mean().unwrap().loss, 2.0);
    }
}
