//! What the loop tells Burn's learner, and who may stop it.

use burn::train::{
    ClassificationOutput, EventProcessorTraining, Interrupter, LearnerEvent,
    SupervisedTrainingEventProcessor,
};

use super::stop::{StopReason, StopSignal};
use super::task::ClassificationTask;
use crate::TrainError;
use crate::network::ImageClassifier;

pub(super) type Processor<N> = SupervisedTrainingEventProcessor<ClassificationTask<N>>;

/// Burn's events, which feed its metrics and the dashboard.
pub(super) struct Events<N: ImageClassifier + 'static> {
    pub(super) processor: Processor<N>,
    pub(super) interrupter: Interrupter,
    pub(super) stop: StopSignal,
}

impl<N: ImageClassifier + 'static> Events<N> {
    pub(super) fn train(&mut self, event: LearnerEvent<ClassificationOutput>) {
        let sent = self.processor.process_train(event);
        self.interrupter.fail_on_error(sent);
    }

    pub(super) fn test(&mut self, event: LearnerEvent<ClassificationOutput>) {
        let sent = self.processor.process_valid(event);
        self.interrupter.fail_on_error(sent);
    }

    /// Returns why the loop is to stop, if someone wants that; fails where a metric did.
    pub(super) fn stop_reason(&self) -> Result<Option<StopReason>, TrainError> {
        if let Some(error) = self.interrupter.error() {
            return Err(TrainError::burn(error));
        }
        let by_dashboard = || {
            let stops = self.interrupter.should_stop();
            stops.then_some(StopReason::Interrupted)
        };
        Ok(self.stop.reason().or_else(by_dashboard))
    }
}
