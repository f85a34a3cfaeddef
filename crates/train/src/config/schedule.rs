//! How the learning rate changes over a run.

use std::f64::consts::PI;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xception_messages::Bounds;

use super::error::Invalid;

const WARMUP_EPOCHS: Bounds = Bounds::at_least(0.0);
const FACTOR: Bounds = Bounds::above(0.0).at_most(1.0);
const EVERY_EPOCHS: Bounds = Bounds::above(0.0);
const EVERY_SAMPLES: Bounds = Bounds::at_least(1.0);

/// How the learning rate changes over a run. A function of the step alone, so that a run can go on
/// from any step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// Always the same.
    Constant,
    /// Always the same after a linear rise.
    ConstantAfterWarmup {
        /// Epochs in which the learning rate first rises linearly from zero; the whole run where that is
        /// shorter.
        #[schemars(example = 5, transform = WARMUP_EPOCHS.of_number())]
        warmup_epochs: f64,
    },
    /// Half a cosine from the full learning rate to zero (I. Loshchilov and F. Hutter, *SGDR*, 2017).
    Cosine {
        /// Epochs in which the learning rate first rises linearly from zero; the whole run where that is
        /// shorter.
        #[serde(default)]
        #[schemars(example = 2, transform = WARMUP_EPOCHS.of_number())]
        warmup_epochs: f64,
    },
    /// Times a factor after every so many epochs, in stairs, as in Xception's section 4.2 for ImageNet
    /// (0.94 every 2 epochs).
    Exponential {
        /// The factor.
        #[schemars(example = 0.94, transform = FACTOR.of_number())]
        factor: f64,
        /// The number of epochs after which the factor is applied once more.
        #[schemars(example = 2, transform = EVERY_EPOCHS.of_number())]
        every_epochs: f64,
        /// Epochs in which the learning rate first rises linearly from zero; the stairs are counted from the start all
        /// the same.
        #[serde(default, skip_serializing_if = "is_zero")]
        #[schemars(example = 5, transform = WARMUP_EPOCHS.of_number(), extend("default" = 0))]
        warmup_epochs: f64,
    },
    /// Times a factor after every so many images, in stairs, as in Xception's section 4.2 for JFT
    /// (0.9 every 3,000,000 samples).
    ExponentialBySamples {
        /// The factor.
        #[schemars(example = 0.9, transform = FACTOR.of_number())]
        factor: f64,
        /// The number of images after which the factor is applied once more; each counts as often as it is trained on.
        #[schemars(example = 3_000_000, transform = EVERY_SAMPLES.of_number())]
        every_samples: u64,
        /// Epochs in which the learning rate first rises linearly from zero; the stairs are counted from the start all
        /// the same.
        #[serde(default, skip_serializing_if = "is_zero")]
        #[schemars(example = 5, transform = WARMUP_EPOCHS.of_number(), extend("default" = 0))]
        warmup_epochs: f64,
    },
}

fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Cosine { warmup_epochs: 0.0 }
    }
}

/// The extent of a run, over which a schedule is stretched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Passes over the training images.
    pub epochs: usize,
    /// Optimization steps of an epoch.
    pub steps_per_epoch: usize,
    /// Images of a step.
    pub batch_size: usize,
}

impl Schedule {
    /// Returns the factor on the learning rate at a step (counted from 0 over the whole run).
    pub fn factor(&self, step: usize, extent: &Extent) -> f64 {
        let epoch = step as f64 / extent.steps_per_epoch.max(1) as f64;
        match *self {
            Self::Constant => 1.0,
            Self::ConstantAfterWarmup { warmup_epochs } => {
                warmup(step, warmup_epochs, extent).unwrap_or(1.0)
            }
            Self::Cosine { warmup_epochs } => {
                if let Some(factor) = warmup(step, warmup_epochs, extent) {
                    return factor;
                }
                let epochs = extent.epochs as f64;
                let warmup_epochs = warmup_epochs.min(epochs);
                let length = (epochs - warmup_epochs).max(f64::MIN_POSITIVE);
                let progress = ((epoch - warmup_epochs) / length).min(1.0);
                0.5 * (1.0 + (PI * progress).cos())
            }
            Self::Exponential {
                factor,
                every_epochs,
                warmup_epochs,
            } => {
                let stairs = (epoch / every_epochs).floor();
                warmup(step, warmup_epochs, extent).unwrap_or(1.0) * factor.powf(stairs)
            }
            Self::ExponentialBySamples {
                factor,
                every_samples,
                warmup_epochs,
            } => {
                let samples = (step as u64).saturating_mul(extent.batch_size as u64);
                let stairs = (samples / every_samples.max(1)) as f64;
                warmup(step, warmup_epochs, extent).unwrap_or(1.0) * factor.powf(stairs)
            }
        }
    }

    /// Checks that every value is in its range.
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let within = |key: &str, value: f64, bounds: Bounds| {
            Invalid::check(&format!("recipe.schedule.{key}"), value, bounds, "")
        };
        match *self {
            Self::Constant => Ok(()),
            Self::ConstantAfterWarmup { warmup_epochs } => {
                let key = "constant_after_warmup.warmup_epochs";
                within(key, warmup_epochs, WARMUP_EPOCHS)
            }
            Self::Cosine { warmup_epochs } => {
                within("cosine.warmup_epochs", warmup_epochs, WARMUP_EPOCHS)
            }
            Self::Exponential {
                factor,
                every_epochs,
                warmup_epochs,
            } => {
                within("exponential.factor", factor, FACTOR)?;
                within("exponential.every_epochs", every_epochs, EVERY_EPOCHS)?;
                within("exponential.warmup_epochs", warmup_epochs, WARMUP_EPOCHS)
            }
            Self::ExponentialBySamples {
                factor,
                every_samples,
                warmup_epochs,
            } => {
                within("exponential_by_samples.factor", factor, FACTOR)?;
                let key = "exponential_by_samples.every_samples";
                within(key, every_samples as f64, EVERY_SAMPLES)?;
                let key = "exponential_by_samples.warmup_epochs";
                within(key, warmup_epochs, WARMUP_EPOCHS)
            }
        }
    }
}

/// Returns the factor of a linear rise from zero in this number of epochs; `None` after it. The first step already moves.
fn warmup(step: usize, warmup_epochs: f64, extent: &Extent) -> Option<f64> {
    let warmup_epochs = warmup_epochs.min(extent.epochs as f64);
    let epoch = step as f64 / extent.steps_per_epoch.max(1) as f64;
    let warmup_steps = warmup_epochs * extent.steps_per_epoch as f64;
    (epoch < warmup_epochs).then(|| ((step + 1) as f64 / warmup_steps).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(epochs: usize) -> Extent {
        Extent {
            epochs,
            steps_per_epoch: 10,
            batch_size: 32,
        }
    }

    fn factors(schedule: Schedule, steps: usize, epochs: usize) -> Vec<f64> {
        let factor = |step| schedule.factor(step, &extent(epochs));
        (0..steps).map(factor).collect()
    }

    #[test]
    fn cosine_rises_then_falls_to_zero() {
        let schedule = Schedule::Cosine { warmup_epochs: 1.0 };
        let factor = |step| schedule.factor(step, &extent(11));
        assert_eq!(factor(0), 0.1);
        assert_eq!(factor(9), 1.0);
        assert_eq!(factor(10), 1.0);
        assert!((factor(60) - 0.5).abs() < 1e-12);
        assert!(factor(109) < 0.01 && factor(109) > 0.0);
        assert!(factor(110).abs() < 1e-12);
    }

    #[test]
    fn a_warmup_is_no_longer_than_the_run() {
        for warmup_epochs in [2.0, 2.5, 1e300] {
            let expected: Vec<_> = (1..=20).map(|step| f64::from(step) / 20.0).collect();
            for schedule in [
                Schedule::Cosine { warmup_epochs },
                Schedule::ConstantAfterWarmup { warmup_epochs },
            ] {
                assert_eq!(factors(schedule, 20, 2), expected);
            }
        }
    }

    #[test]
    fn a_constant_rate_may_rise_first() {
        let schedule = Schedule::ConstantAfterWarmup { warmup_epochs: 0.5 };
        let expected = [0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 1.0];
        assert_eq!(factors(schedule, 7, 2), expected);
        assert_eq!(factors(Schedule::Constant, 3, 2), [1.0; 3]);
    }

    #[test]
    fn exponential_falls_in_stairs_of_epochs() {
        let schedule = Schedule::Exponential {
            factor: 0.94,
            every_epochs: 2.0,
            warmup_epochs: 0.0,
        };
        let factor = |step| schedule.factor(step, &extent(100));
        assert_eq!((factor(0), factor(19)), (1.0, 1.0));
        assert_eq!(factor(20), 0.94);
        assert!((factor(45) - 0.94 * 0.94).abs() < 1e-12);
    }

    #[test]
    fn exponential_falls_in_stairs_of_samples_after_a_rise() {
        let schedule = Schedule::ExponentialBySamples {
            factor: 0.5,
            every_samples: 96, // 3 steps
            warmup_epochs: 0.4,
        };
        let expected = [0.25, 0.5, 0.75, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125];
        assert_eq!(factors(schedule, 10, 100), expected);
    }

    #[test]
    fn a_schedule_of_before_is_written_as_ever() {
        let text = r#"{"exponential":{"factor":0.9,"every_epochs":2.0}}"#;
        let schedule: Schedule = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&schedule).unwrap(), text);
    }

    #[test]
    fn values_out_of_range_are_found() {
        for (text, path) in [
            (
                r#"{"constant_after_warmup": {"warmup_epochs": -1}}"#,
                "constant_after_warmup.warmup_epochs",
            ),
            (
                r#"{"cosine": {"warmup_epochs": -1}}"#,
                "cosine.warmup_epochs",
            ),
            (
                r#"{"exponential": {"factor": 2, "every_epochs": 1}}"#,
                "exponential.factor",
            ),
            (
                r#"{"exponential": {"factor": 1, "every_epochs": 0}}"#,
                "exponential.every_epochs",
            ),
            (
                r#"{"exponential_by_samples": {"factor": 0, "every_samples": 1}}"#,
                "exponential_by_samples.factor",
            ),
            (
                r#"{"exponential_by_samples": {"factor": 1, "every_samples": 0}}"#,
                "exponential_by_samples.every_samples",
            ),
            (
                r#"{"exponential_by_samples": {"factor": 1, "every_samples": 1, "warmup_epochs": -1}}"#,
                "exponential_by_samples.warmup_epochs",
            ),
        ] {
            let schedule: Schedule = serde_json::from_str(text).unwrap();
            let error = schedule.validate().unwrap_err();
            assert_eq!(error.path, format!("recipe.schedule.{path}"));
        }
    }
}
