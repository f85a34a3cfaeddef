//! The scores of a network after an epoch.

use burn::data::dataset::DatasetError;
use burn::train::{LearnerEvent, TrainingItem, ValidLoader};

use super::events::Events;
use super::loader::batch_error;
use super::scores::ScoreSum;
use super::targets::ImageBatch;
use super::task::{ClassificationTask, Scorer};
use crate::TrainError;
use crate::network::ImageClassifier;
use crate::record::{Scores, WeightScores};

/// The scores of an epoch.
pub(super) struct EpochScores {
    pub(super) validation: Option<Scores>,
    pub(super) test: Scores,
    pub(super) weights: Option<WeightScores>,
}

/// Scores the network on all batches, in evaluation mode, without telling Burn's metrics; `check` may end it between two.
pub(super) fn score(
    scorer: &Scorer,
    batches: impl Iterator<Item = Result<ImageBatch, DatasetError>>,
    mut sum: ScoreSum,
    mut check: impl FnMut() -> Result<(), TrainError>,
) -> Result<Scores, TrainError> {
    for batch in batches {
        let output = scorer.score(batch.map_err(batch_error)?);
        sum.add(&output)?;
        check()?;
    }
    sum.mean()
}

/// Scores the network on all test batches, in evaluation mode. Outputs are read before Burn's metrics get them where the device
/// could fail, since these have no errors.
pub(super) fn test<N: ImageClassifier + 'static>(
    epoch: usize,
    scorer: &Scorer,
    loader: &ValidLoader<ClassificationTask<N>>,
    read: bool,
    mut sum: ScoreSum,
    events: &mut Events<N>,
    check: impl Fn(&Events<N>) -> Result<(), TrainError>,
) -> Result<Scores, TrainError> {
    events.test(LearnerEvent::StartSplit {
        epoch_number: epoch,
        total_items: loader.num_items(),
    });
    let mut batches = loader.iter();
    let mut index = 0;
    while let Some(batch) = batches.next() {
        index += 1;
        let mut output = scorer.score(batch.map_err(batch_error)?);
        if read {
            output = output.read()?;
        }
        sum.add(&output)?;
        let item = TrainingItem::new(output.into(), batches.progress(), Some(index), None);
        events.test(LearnerEvent::ProcessedItem(item));
        check(events)?;
    }
    events.test(LearnerEvent::EndSplit(epoch));
    sum.mean()
}
