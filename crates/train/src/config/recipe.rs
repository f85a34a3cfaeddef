//! How a network is trained.

use burn::optim::ModuleOptimizer;
use serde::{Deserialize, Serialize};
use xception_kernels::SgdSettings;

use super::error::Invalid;
use crate::training::Sgd;

/// Optimizer, learning rate and length of a training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images in an optimization step. The images of an epoch that don't fill a last batch are left
    /// out of that epoch; which ones changes with every epoch.
    pub batch_size: usize,
    /// Learning rate at its highest.
    pub learning_rate: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// Share of the probability that is spread over all classes (C. Szegedy et al., *Rethinking the
    /// Inception Architecture*, section 7); 0 for none.
    pub label_smoothing: f64,
    /// Weight of the auxiliary classifier's loss, for a network that has one.
    pub auxiliary_weight: f64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 64,
            learning_rate: 0.05,
            schedule: Schedule::default(),
            optimizer: Optimizer::default(),
            label_smoothing: 0.0,
            auxiliary_weight: 0.4,
        }
    }
}

/// Epochs and images of a batch that a recipe has at most.
const MOST: usize = 1_000_000;

/// How the learning rate changes over a run. A function of the step alone, so that a run can go on
/// from any step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// Always the same.
    Constant,
    /// Half a cosine from the full learning rate to zero (I. Loshchilov and F. Hutter, *SGDR*, 2017).
    Cosine {
        /// Epochs in which the learning rate first rises linearly from zero; the whole run where that is
        /// shorter.
        #[serde(default)]
        warmup_epochs: f64,
    },
    /// Times a factor after every so many epochs, in stairs, as in Xception's section 4.3
    /// (0.94 every 2 epochs).
    Exponential {
        /// The factor.
        factor: f64,
        /// After so many epochs.
        every_epochs: f64,
    },
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Cosine { warmup_epochs: 0.0 }
    }
}

impl Schedule {
    /// The factor on the learning rate at a step (counted from 0 over the whole run).
    pub fn factor(&self, step: usize, steps_per_epoch: usize, epochs: usize) -> f64 {
        let epoch = step as f64 / steps_per_epoch.max(1) as f64;
        match *self {
            Self::Constant => 1.0,
            Self::Cosine { warmup_epochs } => {
                let warmup_epochs = warmup_epochs.min(epochs as f64);
                if epoch < warmup_epochs {
                    // The first step already moves.
                    let warmup_steps = warmup_epochs * steps_per_epoch as f64;
                    return ((step + 1) as f64 / warmup_steps).min(1.0);
                }
                let length = (epochs as f64 - warmup_epochs).max(f64::MIN_POSITIVE);
                let progress = ((epoch - warmup_epochs) / length).min(1.0);
                0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
            }
            Self::Exponential {
                factor,
                every_epochs,
            } => factor.powf((epoch / every_epochs).floor()),
        }
    }
}

/// The optimizer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// Stochastic gradient descent with momentum, as PyTorch defines it: the momentum buffer is not
    /// dampened and the learning rate multiplies the buffer.
    Sgd {
        /// Share of the momentum buffer that stays.
        #[serde(default = "default_momentum")]
        momentum: f64,
        /// Whether Nesterov's variant is used.
        #[serde(default)]
        nesterov: bool,
        /// L2 penalty on all parameters.
        #[serde(default)]
        weight_decay: f64,
    },
}

fn default_momentum() -> f64 {
    0.9
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Sgd {
            momentum: default_momentum(),
            nesterov: false,
            weight_decay: 1e-5, // Xception, section 4.3
        }
    }
}

impl Optimizer {
    /// Makes the optimizer, with empty momentum buffers.
    pub fn init(&self) -> ModuleOptimizer {
        match *self {
            Self::Sgd {
                momentum,
                nesterov,
                weight_decay,
            } => {
                let settings = SgdSettings {
                    learning_rate: 0.0, // given at each step
                    momentum,
                    nesterov,
                    weight_decay,
                };
                ModuleOptimizer::from(Sgd { settings })
            }
        }
    }
}

impl Recipe {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let check = |holds: bool, path: &str, found: String, expected: &str| {
            if holds {
                return Ok(());
            }
            Err(Invalid::new(format!("recipe.{path}"), found, expected))
        };
        let number = |path: &str, value: f64, holds: bool, expected: &str| {
            check(holds, path, value.to_string(), expected)
        };
        let count = |path: &str, value: usize, least: usize, expected: &str| {
            check(value >= least, path, value.to_string(), expected)?;
            check(value <= MOST, path, value.to_string(), "at most 1000000")
        };
        count("epochs", self.epochs, 1, "at least 1")?;
        count(
            "batch_size",
            self.batch_size,
            2,
            "at least 2 (batch normalization has no variance of one image)",
        )?;
        let rate = self.learning_rate;
        number(
            "learning_rate",
            rate,
            rate > 0.0 && rate.is_finite(),
            "a number above 0",
        )?;
        let smoothing = self.label_smoothing;
        number(
            "label_smoothing",
            smoothing,
            (0.0..1.0).contains(&smoothing),
            "at least 0 and less than 1",
        )?;
        let weight = self.auxiliary_weight;
        number(
            "auxiliary_weight",
            weight,
            weight >= 0.0 && weight.is_finite(),
            "0 or more",
        )?;
        match self.schedule {
            Schedule::Constant => {}
            Schedule::Cosine { warmup_epochs } => number(
                "schedule.cosine.warmup_epochs",
                warmup_epochs,
                warmup_epochs >= 0.0 && warmup_epochs.is_finite(),
                "0 or more",
            )?,
            Schedule::Exponential {
                factor,
                every_epochs,
            } => {
                let path = "schedule.exponential.factor";
                number(
                    path,
                    factor,
                    factor > 0.0 && factor <= 1.0,
                    "above 0 and at most 1",
                )?;
                let path = "schedule.exponential.every_epochs";
                let holds = every_epochs > 0.0 && every_epochs.is_finite();
                number(path, every_epochs, holds, "above 0")?;
            }
        }
        let Optimizer::Sgd {
            momentum,
            weight_decay,
            nesterov,
        } = self.optimizer;
        let least = if nesterov { f64::MIN_POSITIVE } else { 0.0 };
        number(
            "optimizer.sgd.momentum",
            momentum,
            (least..1.0).contains(&momentum),
            "at least 0 and less than 1 (above 0 with Nesterov)",
        )?;
        number(
            "optimizer.sgd.weight_decay",
            weight_decay,
            weight_decay >= 0.0 && weight_decay.is_finite(),
            "0 or more",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_rises_then_falls_to_zero() {
        let schedule = Schedule::Cosine { warmup_epochs: 1.0 };
        let factor = |step| schedule.factor(step, 10, 11);
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
            let schedule = Schedule::Cosine { warmup_epochs };
            let factors: Vec<_> = (0..20).map(|step| schedule.factor(step, 10, 2)).collect();
            let expected: Vec<_> = (1..=20).map(|step| f64::from(step) / 20.0).collect();
            assert_eq!(factors, expected);
        }
    }

    #[test]
    fn exponential_falls_in_stairs() {
        let schedule = Schedule::Exponential {
            factor: 0.94,
            every_epochs: 2.0,
        };
        let factor = |step| schedule.factor(step, 10, 100);
        assert_eq!((factor(0), factor(19)), (1.0, 1.0));
        assert_eq!(factor(20), 0.94);
        assert!((factor(45) - 0.94 * 0.94).abs() < 1e-12);
    }

    #[test]
    fn rejects_values_out_of_range() {
        let recipe = Recipe {
            batch_size: 1,
            ..Recipe::default()
        };
        assert_eq!(recipe.validate().unwrap_err().path, "recipe.batch_size");
        for (epochs, batch_size) in [(usize::MAX, 64), (10, usize::MAX)] {
            let recipe = Recipe {
                epochs,
                batch_size,
                ..Recipe::default()
            };
            let error = recipe.validate().unwrap_err();
            assert!(error.message.contains("at most 1000000"), "{error:?}");
        }
        let recipe = Recipe {
            learning_rate: f64::NAN,
            ..Recipe::default()
        };
        assert_eq!(recipe.validate().unwrap_err().path, "recipe.learning_rate");
        let recipe = Recipe {
            schedule: Schedule::Cosine {
                warmup_epochs: -1.0,
            },
            ..Recipe::default()
        };
        let path = recipe.validate().unwrap_err().path;
        assert_eq!(path, "recipe.schedule.cosine.warmup_epochs");
        assert!(Recipe::default().validate().is_ok());
    }
}
