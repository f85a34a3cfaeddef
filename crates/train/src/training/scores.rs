//! Loss and accuracies over many batches.

use burn::prelude::*;

use super::average_precision::AveragePrecision;
use super::output::TaskOutput;
use super::prediction::hits;
use super::targets::ImageTargets;
use crate::TrainError;
use crate::record::Scores;

/// Sums up batches on the device and reads the sums once, so that no batch waits for the last one; but for average precision,
/// whose logits are read at once.
#[derive(Debug, Default)]
pub(crate) struct ScoreSum {
    /// A batch each: loss times images, images with the right prediction, with one of five right.
    batches: Vec<Tensor<1>>,
    images: usize,
    classes: usize,
    average_precision: Option<AveragePrecision>,
}

impl ScoreSum {
    /// Makes a sum that has the average precision too, if these are the shares that the classes have of all labels.
    pub(crate) fn with_label_shares(shares: Option<Vec<f64>>) -> Self {
        Self {
            average_precision: shares.map(AveragePrecision::new),
            ..Self::default()
        }
    }

    /// Adds a batch.
    ///
    /// # Errors
    ///
    /// Where the device fails.
    pub(crate) fn add(&mut self, output: &TaskOutput) -> Result<(), TrainError> {
        let [images, classes] = output.logits.dims();
        let count = |right: Tensor<1, Bool>| right.int().sum().float();
        let [first, five] = hits(&output.logits, &output.targets);
        let loss = output.loss.clone().mul_scalar(images as f32);
        // Leaves the graph of the backward pass, so that it can go.
        let parts = [loss.detach(), count(first), count(five)];
        let parts = parts.map(|part| part.without_autodiff()).to_vec();
        self.batches.push(Tensor::cat(parts, 0));
        self.images += images;
        self.classes = classes;
        if let (Some(sum), ImageTargets::Sets(sets)) =
            (&mut self.average_precision, &output.targets)
        {
            sum.add(&output.logits, sets)?;
        }
        Ok(())
    }

    /// Returns the means over all batches.
    ///
    /// # Errors
    ///
    /// [`TrainError::NoImages`] where no batch was added, and where the device fails.
    pub(crate) fn mean(self) -> Result<Scores, TrainError> {
        if self.images == 0 {
            return Err(TrainError::NoImages);
        }
        let all = Tensor::stack::<2>(self.batches, 0); // [batches, 3]
        let data = all.try_into_data().map_err(TrainError::burn)?;
        let mut sums = [0.0; 3];
        for (index, value) in data.iter::<f64>().enumerate() {
            sums[index % 3] += value;
        }
        let [loss, top1, top5] = sums.map(|sum| sum / self.images as f64);
        Ok(Scores {
            loss,
            top1,
            top5: Some(top5).filter(|_| Scores::has_top5(self.classes)),
            map100: self.average_precision.and_then(|sum| sum.mean()),
            images: self.images,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(logits: [[f32; 6]; 2], targets: [i64; 2]) -> Scores {
        let device = Device::flex();
        let mut sum = ScoreSum::default();
        sum.add(&TaskOutput {
            loss: Tensor::from_floats([0.5], &device),
            logits: Tensor::from_floats(logits, &device),
            targets: ImageTargets::Classes(Tensor::from_ints(targets, &device)),
        })
        .unwrap();
        sum.mean().unwrap()
    }

    #[test]
    fn counts_the_first_and_the_first_five() {
        let logits = [[9.0, 8.0, 7.0, 6.0, 5.0, 4.0]; 2];
        let counts = |targets| {
            let scores = scores(logits, targets);
            (scores.top1, scores.top5, scores.images)
        };
        assert_eq!(counts([0, 1]), (0.5, Some(1.0), 2));
        assert_eq!(counts([4, 5]), (0.0, Some(0.5), 2));
    }

    #[test]
    fn a_constant_or_broken_network_is_never_right() {
        for value in [0.0, f32::NAN] {
            let scores = scores([[value; 6]; 2], [0, 3]);
            assert_eq!((scores.top1, scores.top5), (0.0, Some(0.0)), "{value}");
        }
    }

    #[test]
    fn five_of_five_classes_are_no_figure() {
        let device = Device::flex();
        for (classes, expected) in [(2, None), (5, None), (6, Some(1.0))] {
            let mut sum = ScoreSum::default();
            let logits = Tensor::<1, Int>::arange(0..classes, &device).float();
            sum.add(&TaskOutput {
                loss: Tensor::from_floats([0.5], &device),
                logits: logits.unsqueeze(),
                targets: ImageTargets::Classes(Tensor::from_ints([1], &device)),
            })
            .unwrap();
            assert_eq!(sum.mean().unwrap().top5, expected, "{classes} classes");
        }
    }

    #[test]
    fn no_images_have_no_scores() {
        let error = ScoreSum::default().mean().unwrap_err();
        assert!(matches!(error, TrainError::NoImages));
        assert!(error.to_string().contains("no image"), "{error}");
    }

    #[test]
    fn the_loss_is_the_mean_over_images_not_batches() {
        let device = Device::flex();
        let mut sum = ScoreSum::default();
        for (loss, images) in [(1.0, 3), (5.0, 1)] {
            sum.add(&TaskOutput {
                loss: Tensor::from_floats([loss], &device),
                logits: Tensor::zeros([images, 2], &device),
                targets: ImageTargets::Classes(Tensor::zeros([images], &device)),
            })
            .unwrap();
        }
        assert_eq!(sum.mean().unwrap().loss, 2.0);
    }
}
