//! What is done with the gradients of a batch: the step, or none where they overflowed.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::optim::GradientsParams;
use burn::prelude::*;
use xception_optimizers::{Measured, clip_by_global_norm, global_norm, scale_gradients};

use super::checkpoint::TrainingState;
use crate::TrainError;
use crate::network::ImageClassifier;

/// What became of the gradients of a batch.
pub(super) enum GradientStep {
    /// The weights were changed. The norm is that of the gradients before they were clipped, where it was measured.
    Taken {
        /// The norm of all gradients together.
        norm: Option<f64>,
    },
    /// The gradients overflowed with the loss scale as it was; nothing but the scale was changed.
    Skipped,
    /// The loss isn't finite, or the gradients overflowed and the scale can't be smaller: nothing was changed.
    Diverged,
}

impl<N: ImageClassifier + 'static> TrainingState<N> {
    /// Changes the weights by their gradients, which are of the loss times the loss scale, and the averages by the weights. Gradients
    /// of a norm of more than `clip_norm` are scaled down to it.
    pub(super) fn step(
        mut self,
        rates: ModuleLearningRate,
        gradients: GradientsParams,
        clip_norm: Option<f64>,
    ) -> Result<(Self, GradientStep), TrainError> {
        let (gradients, norm) = match (&mut self.loss_scale, clip_norm) {
            (Some(scale), most) => {
                let Measured { gradients, norm } = global_norm(&self.task, gradients);
                let factor = scale.factor();
                let norm = read(norm)?.map(|norm| norm / factor);
                if norm.is_some_and(|norm| !norm.is_finite()) {
                    let step = match scale.overflowed() {
                        true => GradientStep::Skipped,
                        false => GradientStep::Diverged,
                    };
                    return Ok((self, step));
                }
                scale.fitted();
                let clipping = match (most, norm) {
                    (Some(most), Some(norm)) if norm > most => most / norm,
                    _ => 1.0,
                };
                let gradients = scale_gradients(&self.task, gradients, clipping / factor);
                (gradients, norm)
            }
            (None, Some(most)) => {
                let Measured { gradients, norm } = clip_by_global_norm(&self.task, gradients, most);
                (gradients, read(norm)?)
            }
            (None, None) => (gradients, None),
        };
        self.task = self.optimizer.step(rates, self.task, gradients);
        if let Some(average) = &mut self.average {
            average.update(&self.task);
        }
        Ok((self, GradientStep::Taken { norm }))
    }
}

/// Reads a norm from its device.
fn read(norm: Option<Tensor<1>>) -> Result<Option<f64>, TrainError> {
    let norm = norm.map(|norm| norm.try_into_scalar::<f64>());
    norm.transpose().map_err(TrainError::burn)
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use burn::tensor::Distribution;
    use xception_models::{Model, ModelConfig};
    use xception_optimizers::LossScale;

    use super::*;
    use crate::config::{Precision, Recipe};
    use crate::record::synthetic;
    use crate::training::epoch_progress::EpochProgress;
    use crate::training::targets::{ImageBatch, ImageTargets};
    use crate::training::task::ClassificationTask;

    /// Returns a network and a batch. Other tests draw from the same random numbers meanwhile, so one is for all of a test.
    fn start() -> (Model, ImageBatch) {
        let device = Device::flex().autodiff();
        let config = r#"{"vgg": {"width": 0.02, "classes": 3, "stem": "small", "dropout": 0}}"#;
        let config: ModelConfig = serde_json::from_str(config).unwrap();
        let batch = ImageBatch {
            images: Tensor::random([4, 3, 32, 32], Distribution::Default, &device),
            targets: ImageTargets::Classes(Tensor::from_ints([0, 2, 1, 1], &device)),
            mixture: None,
        };
        (config.init(&device).unwrap(), batch)
    }

    /// Returns the state of a run in a precision.
    fn state(
        network: &Model,
        precision: Precision,
        loss_scale: Option<LossScale>,
    ) -> TrainingState<Model> {
        let recipe = Recipe {
            precision,
            ..Recipe::default()
        };
        TrainingState {
            task: ClassificationTask::new(network.clone(), &recipe),
            optimizer: recipe.optimizer.init(),
            average: None,
            loss_scale,
            record: synthetic::complete().variants[0].runs[0].clone(),
            within: EpochProgress::default(),
        }
    }

    /// Takes a step, or not, with the scale that the state has.
    fn step(
        mut state: TrainingState<Model>,
        batch: &ImageBatch,
        clip_norm: Option<f64>,
    ) -> (TrainingState<Model>, GradientStep) {
        if let Some(scale) = &state.loss_scale {
            state.task.loss_scale = scale.factor();
        }
        let gradients = state.task.train_step(batch.clone()).grads;
        state.step(0.1.into(), gradients, clip_norm).unwrap()
    }

    fn weights(state: &TrainingState<Model>) -> Vec<u8> {
        let record = state.task.clone().into_record();
        record.into_bytes().unwrap().to_vec()
    }

    fn scale_of(factor: f64) -> LossScale {
        serde_json::from_str(&format!(r#"{{"factor": {factor:e}, "steps": 0}}"#)).unwrap()
    }

    #[test]
    fn gradients_that_overflow_are_skipped_until_the_scale_fits() {
        let (network, batch) = start();
        let full = state(&network, Precision::Full, None);
        let mut state = state(&network, Precision::Mixed, Some(scale_of(2f64.powi(40))));
        let before = weights(&state);
        let (mut skipped, mut taken) = (0, None);
        while taken.is_none() {
            let result;
            (state, result) = step(state, &batch, None);
            match result {
                GradientStep::Skipped => {
                    skipped += 1;
                    assert!(
                        weights(&state) == before,
                        "a step with gradients that overflowed"
                    );
                }
                GradientStep::Taken { norm } => taken = Some(norm.unwrap()),
                GradientStep::Diverged => panic!("after {skipped} halvings"),
            }
        }
        assert!((5..40).contains(&skipped), "{skipped}");
        let factor = state.loss_scale.unwrap().factor();
        assert_eq!(factor, 2f64.powi(40 - skipped));
        assert!(weights(&state) != before);

        // The norm and the clipped step are those of the loss, not of the loss times the scale.
        let (_, result) = step(full, &batch, Some(1e9));
        let GradientStep::Taken { norm: Some(norm) } = result else {
            panic!("full precision skips nothing");
        };
        let found = taken.unwrap();
        assert!((found - norm).abs() < 0.05 * norm, "{found} {norm}");
    }

    #[test]
    fn a_clipped_step_does_not_depend_on_the_scale() {
        let (network, batch) = start();
        let stepped = |factor| {
            let state = state(&network, Precision::Mixed, Some(scale_of(factor)));
            let (state, result) = step(state, &batch, Some(1e-3));
            assert!(matches!(result, GradientStep::Taken { norm: Some(norm) } if norm > 1e-3));
            state.task
        };
        let (one, other) = (stepped(1024.0), stepped(4096.0));
        let logits = |task: ClassificationTask<Model>| {
            let images = Tensor::ones([1, 3, 32, 32], &Device::flex());
            let network = task.valid().network;
            network
                .forward(images)
                .into_data()
                .try_to_vec::<f32>()
                .unwrap()
        };
        for (one, other) in logits(one).iter().zip(logits(other)) {
            assert!((one - other).abs() < 1e-4, "{one} {other}");
        }
    }

    #[test]
    fn gradients_that_overflow_with_the_smallest_scale_end_the_run() {
        let (network, batch) = start();
        let mut state = state(&network, Precision::Mixed, Some(scale_of(LossScale::LEAST)));
        state.task.loss_scale = 1e30;
        let before = weights(&state);
        let gradients = state.task.train_step(batch).grads;
        let (state, result) = state.step(0.1.into(), gradients, None).unwrap();
        assert!(matches!(result, GradientStep::Diverged));
        assert!(weights(&state) == before);
    }
}
