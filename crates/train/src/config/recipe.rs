//! How a network is trained.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xception_messages::Bounds;
use xception_optimizers::Smoothing;

use super::error::Invalid;
use super::optimizer::Optimizer;
use super::precision::Precision;
use super::schedule::{Extent, Schedule};

/// Epochs and images of a batch that a recipe has at most.
const MOST: f64 = 1e6;
const EPOCHS: Bounds = Bounds::at_least(1.0).at_most(MOST);
const BATCH_SIZE: Bounds = Bounds::at_least(2.0).at_most(MOST);
const ACCUMULATION: Bounds = Bounds::at_least(1.0).at_most(MOST);
const LEARNING_RATE: Bounds = Bounds::above(0.0);
const LABEL_SMOOTHING: Bounds = Bounds::at_least(0.0).below(1.0);
const AUXILIARY_WEIGHT: Bounds = Bounds::at_least(0.0);
const CLIP_NORM: Bounds = Bounds::above(0.0);
const AVERAGE_DECAY: Bounds = Bounds::at_least(0.0).below(1.0);

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
    /// Parts that each batch is divided into, whose gradients are added up before the step: a batch then needs the memory of a
    /// part. The step is that of the whole batch, but for batch normalization, whose statistics are those of a part.
    #[schemars(example = 4, transform = ACCUMULATION.of_number(), extend("default" = 1))]
    #[serde(skip_serializing_if = "is_one")]
    pub accumulation: usize,
    /// Learning rate at its highest.
    #[schemars(example = 0.1, transform = LEARNING_RATE.of_number())]
    pub learning_rate: f64,
    /// How the learning rate changes over the run.
    #[schemars(example = serde_json::json!({"exponential": {"factor": 0.94, "every_epochs": 2}}))]
    pub schedule: Schedule,
    /// The optimizer.
    #[schemars(example = serde_json::json!({"sgd": {"momentum": 0.9, "weight_decay": 5e-4}}))]
    pub optimizer: Optimizer,
    /// The numbers that a training step computes with.
    #[schemars(example = Precision::Mixed, extend("default" = "full"))]
    #[serde(skip_serializing_if = "Precision::is_full")]
    pub precision: Precision,
    /// Norm of all gradients together, to which they are scaled down where it is more (R. Pascanu et al., *On the Difficulty of
    /// Training Recurrent Neural Networks*, 2013); not at all where left out.
    #[schemars(example = 2, transform = CLIP_NORM.of_number())]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Follows the weights and the statistics of batch normalization by exponential moving averages, as in Xception's section 4.2
    /// (Polyak averaging). The averages are scored beside the weights, and are the trained network.
    #[schemars(example = Average { decay: 0.999, warm_up: true })]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<Average>,
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
            accumulation: 1,
            learning_rate: 0.05,
            schedule: Schedule::default(),
            optimizer: Optimizer::default(),
            precision: Precision::Full,
            clip_norm: None,
            average: None,
            label_smoothing: 0.0,
            auxiliary_weight: 0.4,
        }
    }
}

fn is_one(number: &usize) -> bool {
    *number == 1
}

/// How moving averages follow the weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Average {
    /// Share of the averages that stays at each step.
    #[schemars(example = 0.999, transform = AVERAGE_DECAY.of_number())]
    pub decay: f64,
    /// Whether that share is at most (1 + t) / (10 + t) at step t, so that the first weights are soon forgotten: `num_updates` of
    /// TensorFlow's `ExponentialMovingAverage`.
    #[schemars(example = false)]
    pub warm_up: bool,
}

/// The values of TensorFlow's Inception V3.
impl Default for Average {
    fn default() -> Self {
        Self {
            decay: 0.9999,
            warm_up: true,
        }
    }
}

impl Average {
    /// Returns how the averages follow the weights.
    pub fn smoothing(&self) -> Smoothing {
        Smoothing {
            decay: self.decay,
            warm_up: self.warm_up,
        }
    }
}

impl Recipe {
    /// Returns the learning rate of a step, which counts from 0 over the whole run.
    pub fn learning_rate_at(&self, step: usize, extent: &Extent) -> f64 {
        self.learning_rate * self.schedule.factor(step, extent)
    }

    /// Checks that every value is in its range.
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let within = |key: &str, value: f64, bounds: Bounds, note: &str| {
            Invalid::check(&format!("recipe.{key}"), value, bounds, note)
        };
        let count = |key: &str, value: usize, bounds: Bounds, note: &str| {
            Invalid::check_count(&format!("recipe.{key}"), value, bounds, note)
        };
        count("epochs", self.epochs, EPOCHS, "")?;
        let note = " (batch normalization has no variance of one image)";
        count("batch_size", self.batch_size, BATCH_SIZE, note)?;
        let bounds = ACCUMULATION.at_most((self.batch_size / 2) as f64);
        let note = " with this batch size (batch normalization has no variance of one image)";
        count("accumulation", self.accumulation, bounds, note)?;
        within("learning_rate", self.learning_rate, LEARNING_RATE, "")?;
        let smoothing = self.label_smoothing;
        within("label_smoothing", smoothing, LABEL_SMOOTHING, "")?;
        let weight = self.auxiliary_weight;
        within("auxiliary_weight", weight, AUXILIARY_WEIGHT, "")?;
        if let Some(norm) = self.clip_norm {
            within("clip_norm", norm, CLIP_NORM, "")?;
        }
        if let Some(average) = &self.average {
            within("average.decay", average.decay, AVERAGE_DECAY, "")?;
        }
        self.schedule.validate()?;
        self.optimizer.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_of_before_is_written_as_ever() {
        let text = concat!(
            r#"{"epochs":10,"batch_size":64,"learning_rate":0.05,"schedule":{"cosine":{"warmup_epochs":0.0}},"#,
            r#""optimizer":{"sgd":{"momentum":0.9,"nesterov":false,"weight_decay":0.00001}},"#,
            r#""label_smoothing":0.0,"auxiliary_weight":0.4}"#
        );
        let recipe: Recipe = serde_json::from_str(text).unwrap();
        assert_eq!(recipe, Recipe::default());
        assert_eq!(serde_json::to_string(&recipe).unwrap(), text);
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
            batch_size: 9,
            accumulation: 5,
            ..Recipe::default()
        };
        let error = recipe.validate().unwrap_err();
        assert_eq!(error.path, "recipe.accumulation");
        assert!(
            error.message.contains("from 1 to 4 with this batch size"),
            "{error:?}"
        );
        let recipe = Recipe {
            clip_norm: Some(0.0),
            ..Recipe::default()
        };
        assert_eq!(recipe.validate().unwrap_err().path, "recipe.clip_norm");
        let recipe = Recipe {
            average: Some(Average {
                decay: 1.0,
                warm_up: true,
            }),
            ..Recipe::default()
        };
        assert_eq!(recipe.validate().unwrap_err().path, "recipe.average.decay");
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
