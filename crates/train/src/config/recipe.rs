//! How a network is trained.

use schemars::transform::Transform;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xception_messages::Bounds;

use super::error::Invalid;

/// Epochs and images of a batch that a recipe has at most.
const MOST: f64 = 1e6;
const EPOCHS: Bounds = Bounds::at_least(1.0).at_most(MOST);
const BATCH_SIZE: Bounds = Bounds::at_least(2.0).at_most(MOST);
const LEARNING_RATE: Bounds = Bounds::above(0.0);
const LABEL_SMOOTHING: Bounds = Bounds::at_least(0.0).below(1.0);
const AUXILIARY_WEIGHT: Bounds = Bounds::at_least(0.0);
const WARMUP_EPOCHS: Bounds = Bounds::at_least(0.0);
const FACTOR: Bounds = Bounds::above(0.0).at_most(1.0);
const EVERY_EPOCHS: Bounds = Bounds::above(0.0);
const MOMENTUM: Bounds = Bounds::at_least(0.0).below(1.0);
/// Nesterov's variant needs some.
const NESTEROV_MOMENTUM: Bounds = Bounds::above(0.0).below(1.0);
const WEIGHT_DECAY: Bounds = Bounds::at_least(0.0);

/// Optimizer, learning rate and length of a training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Passes over the training images.
    #[schemars(example = 30, transform = EPOCHS.of_number())]
    pub epochs: usize,
    /// Images in an optimization step. The images of an epoch that don't fill a last batch are left
    /// out of that epoch; which ones changes with every epoch.
    #[schemars(example = 50, transform = BATCH_SIZE.of_number())]
    pub batch_size: usize,
    /// Learning rate at its highest.
    #[schemars(example = 0.1, transform = LEARNING_RATE.of_number())]
    pub learning_rate: f64,
    /// How the learning rate changes over the run.
    #[schemars(example = Schedule::Exponential { factor: 0.94, every_epochs: 2.0 })]
    pub schedule: Schedule,
    /// The optimizer.
    #[schemars(example = Optimizer::Sgd { momentum: 0.9, nesterov: false, weight_decay: 5e-4 })]
    pub optimizer: Optimizer,
    /// Share of the probability that is spread over all classes (C. Szegedy et al., *Rethinking the
    /// Inception Architecture*, section 7); 0 for none.
    #[schemars(example = 0.1, transform = LABEL_SMOOTHING.of_number())]
    pub label_smoothing: f64,
    /// Weight of the auxiliary classifier's loss, for a network that has one.
    #[schemars(example = 0.3, transform = AUXILIARY_WEIGHT.of_number())]
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

/// How the learning rate changes over a run. A function of the step alone, so that a run can go on
/// from any step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// Always the same.
    Constant,
    /// Half a cosine from the full learning rate to zero (I. Loshchilov and F. Hutter, *SGDR*, 2017).
    Cosine {
        /// Epochs in which the learning rate first rises linearly from zero; the whole run where that is
        /// shorter.
        #[serde(default)]
        #[schemars(example = 2, transform = WARMUP_EPOCHS.of_number())]
        warmup_epochs: f64,
    },
    /// Times a factor after every so many epochs, in stairs, as in Xception's section 4.3
    /// (0.94 every 2 epochs).
    Exponential {
        /// The factor.
        #[schemars(example = 0.94, transform = FACTOR.of_number())]
        factor: f64,
        /// The number of epochs after which the factor is applied once more.
        #[schemars(example = 2, transform = EVERY_EPOCHS.of_number())]
        every_epochs: f64,
    },
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Cosine { warmup_epochs: 0.0 }
    }
}

impl Schedule {
    /// Returns the factor on the learning rate at a step (counted from 0 over the whole run).
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Optimizer {
    /// Stochastic gradient descent with momentum, as PyTorch defines it: the momentum buffer is not
    /// dampened and the learning rate multiplies the buffer.
    #[schemars(transform = nesterov_needs_momentum)]
    Sgd {
        /// Share of the momentum buffer that stays at each step; with Nesterov's variant not 0.
        #[serde(default = "default_momentum")]
        #[schemars(example = 0.95, transform = MOMENTUM.of_number())]
        momentum: f64,
        /// Whether Nesterov's variant of momentum is used.
        #[serde(default)]
        nesterov: bool,
        /// L2 penalty on all parameters.
        #[serde(default)]
        #[schemars(example = 5e-4, transform = WEIGHT_DECAY.of_number())]
        weight_decay: f64,
    },
}

/// Puts the range of Nesterov's momentum into the optimizer's schema.
fn nesterov_needs_momentum(schema: &mut Schema) {
    let mut momentum = Schema::default();
    NESTEROV_MOMENTUM.of_number().transform(&mut momentum);
    if let Some(Value::Object(sgd)) = schema.pointer_mut("/properties/sgd") {
        let nesterov =
            json!({"properties": {"nesterov": {"const": true}}, "required": ["nesterov"]});
        sgd.insert("if".to_owned(), nesterov);
        let then = json!({"properties": {"momentum": momentum}});
        sgd.insert("then".to_owned(), then);
    }
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

impl Recipe {
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let check = |holds: bool, path: &str, found: String, expected: &str| {
            if holds {
                return Ok(());
            }
            Err(Invalid::new(format!("recipe.{path}"), found, expected))
        };
        let count = |path: &str, value: usize, bounds: Bounds, note: &str| {
            let expected = format!("{bounds}{note}");
            let holds = bounds.contains_count(value);
            check(holds, path, value.to_string(), &expected)
        };
        let within = |path: &str, value: f64, bounds: Bounds, note: &str| {
            let expected = format!("{bounds}{note}");
            check(bounds.contains(value), path, value.to_string(), &expected)
        };
        count("epochs", self.epochs, EPOCHS, "")?;
        let note = " (batch normalization has no variance of one image)";
        count("batch_size", self.batch_size, BATCH_SIZE, note)?;
        within("learning_rate", self.learning_rate, LEARNING_RATE, "")?;
        let smoothing = self.label_smoothing;
        within("label_smoothing", smoothing, LABEL_SMOOTHING, "")?;
        let weight = self.auxiliary_weight;
        within("auxiliary_weight", weight, AUXILIARY_WEIGHT, "")?;
        match self.schedule {
            Schedule::Constant => {}
            Schedule::Cosine { warmup_epochs } => {
                let path = "schedule.cosine.warmup_epochs";
                within(path, warmup_epochs, WARMUP_EPOCHS, "")?;
            }
            Schedule::Exponential {
                factor,
                every_epochs,
            } => {
                within("schedule.exponential.factor", factor, FACTOR, "")?;
                let path = "schedule.exponential.every_epochs";
                within(path, every_epochs, EVERY_EPOCHS, "")?;
            }
        }
        let Optimizer::Sgd {
            momentum,
            weight_decay,
            nesterov,
        } = self.optimizer;
        let (bounds, note) = match nesterov {
            true => (NESTEROV_MOMENTUM, " with Nesterov's momentum"),
            false => (MOMENTUM, ""),
        };
        within("optimizer.sgd.momentum", momentum, bounds, note)?;
        within("optimizer.sgd.weight_decay", weight_decay, WEIGHT_DECAY, "")
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
            assert!(error.message.contains(" to 1000000"), "{error:?}");
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
