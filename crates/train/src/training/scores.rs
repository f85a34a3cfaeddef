//! Loss and accuracies over many batches.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::average_precision::AveragePrecision;
use super::output::TaskOutput;
use super::prediction::hits;
use super::targets::ImageTargets;
use crate::TrainError;
use crate::record::Scores;

/// Sums up batches. Their sums stay on the device until they are asked for, so that no batch waits for the last one; but for
/// average precision, whose logits are read at once.
#[derive(Debug, Default)]
pub(crate) struct ScoreSum {
    /// What is still on the device, a batch each: loss times images, images with the right prediction, with one of five right.
    batches: Vec<Tensor<1>>,
    read: ReadScores,
    average_precision: Option<AveragePrecision>,
}

/// The sums of batches that were read from the device. As JSON they are what a checkpoint within an epoch has of them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct ReadScores {
    /// Loss times images, images with the right prediction, with one of five right.
    sums: [f64; 3],
    images: usize,
    classes: usize,
}

impl ScoreSum {
    /// Makes a sum that has the average precision too, if these are the shares that the classes have of all labels.
    pub(crate) fn with_label_shares(shares: Option<Vec<f64>>) -> Self {
        Self {
            average_precision: shares.map(AveragePrecision::new),
            ..Self::default()
        }
    }

    /// Goes on from the sums of batches before, without average precision.
    pub(crate) fn going_on(read: ReadScores) -> Self {
        Self {
            read,
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
        self.read.images += images;
        self.read.classes = classes;
        if let (Some(sum), ImageTargets::Sets(sets)) =
            (&mut self.average_precision, &output.targets)
        {
            sum.add(&output.logits, sets)?;
        }
        Ok(())
    }

    /// Reads what is on the device, and returns the sum of all losses, of an image each, that came with it.
    ///
    /// # Errors
    ///
    /// Where the device fails.
    pub(crate) fn read(&mut self) -> Result<f64, TrainError> {
        if self.batches.is_empty() {
            return Ok(0.0);
        }
        let all = Tensor::stack::<2>(std::mem::take(&mut self.batches), 0); // [batches, 3]
        let data = all.try_into_data().map_err(TrainError::burn)?;
        let mut losses = 0.0;
        for (index, value) in data.iter::<f64>().enumerate() {
            self.read.sums[index % 3] += value;
            if index % 3 == 0 {
                losses += value;
            }
        }
        Ok(losses)
    }

    /// Returns the sums of all batches that were [read](Self::read).
    pub(crate) fn sums(&self) -> ReadScores {
        self.read
    }

    /// Returns the means over all batches.
    ///
    /// # Errors
    ///
    /// [`TrainError::NoImages`] where no batch was added, and where the device fails.
    pub(crate) fn mean(mut self) -> Result<Scores, TrainError> {
        self.read()?;
        let ReadScores {
            sums,
            images,
            classes,
        } = self.read;
        if images == 0 {
            return Err(TrainError::NoImages);
        }
        let [loss, top1, top5] = sums.map(|sum| sum / images as f64);
        Ok(Scores {
            loss,
            top1,
            top5: Some(top5).filter(|_| Scores::has_top5(classes)),
            map100: self.average_precision.and_then(|sum| sum.mean()),
            images,
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
    fn sums_go_on_from_those_of_a_checkpoint() {
        let device = Device::flex();
        let output = |loss: f32| TaskOutput {
            loss: Tensor::from_floats([loss], &device),
            logits: Tensor::from_floats([[9.0, 1.0, 2.0, 3.0, 4.0, 5.0]; 3], &device),
            targets: ImageTargets::Classes(Tensor::from_ints([0, 1, 0], &device)),
        };
        let (first, second) = (output(0.1), output(0.7));
        let mut whole = ScoreSum::default();
        whole.add(&first).unwrap();
        whole.add(&second).unwrap();

        let mut before = ScoreSum::default();
        before.add(&first).unwrap();
        assert!((before.read().unwrap() / 3.0 - 0.1).abs() < 1e-7);
        let saved = serde_json::to_string(&before.sums()).unwrap();
        let mut after = ScoreSum::going_on(serde_json::from_str(&saved).unwrap());
        after.add(&second).unwrap();
        assert!((after.read().unwrap() / 3.0 - 0.7).abs() < 1e-7);
        assert_eq!(after.mean().unwrap(), whole.mean().unwrap());
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
