//! The optimizer of a recipe.

use burn::optim::ModuleOptimizer;
use schemars::transform::Transform;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xception_messages::Bounds;
use xception_optimizers::{AdamW, DecayedParameters, RmsProp, Sgd, WeightDecay};

use super::error::Invalid;

/// A share of what was there before, such as of the velocity.
const SHARE: Bounds = Bounds::at_least(0.0).below(1.0);
/// Nesterov's variant needs some.
const NESTEROV_MOMENTUM: Bounds = Bounds::above(0.0).below(1.0);
const WEIGHT_DECAY: Bounds = Bounds::at_least(0.0);
const EPSILON: Bounds = Bounds::above(0.0);
const INITIAL_MEAN_SQUARE: Bounds = Bounds::at_least(0.0);

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
        #[schemars(example = 0.95, transform = SHARE.of_number())]
        momentum: f64,
        /// Whether Nesterov's variant of momentum is used.
        #[serde(default)]
        nesterov: bool,
        /// L2 penalty: this times a parameter is added to its gradient.
        #[serde(default)]
        #[schemars(example = 5e-4, transform = WEIGHT_DECAY.of_number())]
        weight_decay: f64,
        /// The parameters that the penalty is on.
        #[serde(default, skip_serializing_if = "is_all")]
        #[schemars(example = DecayedParameters::Kernels, extend("default" = "all"))]
        weight_decay_on: DecayedParameters,
    },
    /// RMSprop with momentum, as TensorFlow defines it: epsilon is added before the root is taken, and the learning rate
    /// multiplies what goes into the momentum buffer.
    RmsProp {
        /// Share of the mean square that stays at each step.
        #[serde(default = "default_decay")]
        #[schemars(example = 0.95, transform = SHARE.of_number())]
        decay: f64,
        /// Share of the momentum buffer that stays at each step.
        #[serde(default = "default_momentum")]
        #[schemars(example = 0.95, transform = SHARE.of_number())]
        momentum: f64,
        /// Added to the mean square before its root is taken: 1e-10 by default in TensorFlow 1, 1e-7 in Keras, and 1 where
        /// Inception V3 was trained.
        #[serde(default = "default_rms_prop_epsilon")]
        #[schemars(example = 1e-7, transform = EPSILON.of_number())]
        epsilon: f64,
        /// The mean square before the first step: 1 in TensorFlow 1, which makes the first steps short, and 0 in Keras.
        #[serde(default = "one")]
        #[schemars(example = 0, transform = INITIAL_MEAN_SQUARE.of_number())]
        initial_mean_square: f64,
        /// L2 penalty: this times a parameter is added to its gradient.
        #[serde(default)]
        #[schemars(example = 4e-5, transform = WEIGHT_DECAY.of_number())]
        weight_decay: f64,
        /// The parameters that the penalty is on.
        #[serde(default, skip_serializing_if = "is_all")]
        #[schemars(example = DecayedParameters::Kernels, extend("default" = "all"))]
        weight_decay_on: DecayedParameters,
    },
    /// AdamW, as PyTorch defines it: Adam, with a decay of the weights that doesn't go through its averages (I. Loshchilov and
    /// F. Hutter, *Decoupled Weight Decay Regularization*, 2019).
    AdamW {
        /// Share of the mean gradient that stays at each step.
        #[serde(default = "default_beta1")]
        #[schemars(example = 0.95, transform = SHARE.of_number())]
        beta1: f64,
        /// Share of the mean square that stays at each step.
        #[serde(default = "default_beta2")]
        #[schemars(example = 0.99, transform = SHARE.of_number())]
        beta2: f64,
        /// Added to the root of the mean square.
        #[serde(default = "default_adam_w_epsilon")]
        #[schemars(example = 1e-5, transform = EPSILON.of_number())]
        epsilon: f64,
        /// This times the learning rate is the share that a parameter loses at each step.
        #[serde(default = "default_adam_w_decay")]
        #[schemars(example = 0.05, transform = WEIGHT_DECAY.of_number())]
        weight_decay: f64,
        /// The parameters that decay.
        #[serde(default, skip_serializing_if = "is_all")]
        #[schemars(example = DecayedParameters::Kernels, extend("default" = "all"))]
        weight_decay_on: DecayedParameters,
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

fn default_decay() -> f64 {
    RmsProp::default().decay
}

fn default_rms_prop_epsilon() -> f64 {
    RmsProp::default().epsilon
}

fn one() -> f64 {
    1.0
}

fn default_beta1() -> f64 {
    AdamW::default().beta1
}

fn default_beta2() -> f64 {
    AdamW::default().beta2
}

fn default_adam_w_epsilon() -> f64 {
    AdamW::default().epsilon
}

fn default_adam_w_decay() -> f64 {
    AdamW::default().weight_decay.factor
}

fn is_all(parameters: &DecayedParameters) -> bool {
    *parameters == DecayedParameters::All
}

impl Default for Optimizer {
    fn default() -> Self {
        Self::Sgd {
            momentum: default_momentum(),
            nesterov: false,
            weight_decay: 1e-5, // Xception, section 4.3
            weight_decay_on: DecayedParameters::All,
        }
    }
}

impl Optimizer {
    /// Makes the optimizer, before its first step.
    pub fn init(&self) -> ModuleOptimizer {
        let decay = |factor, on| WeightDecay { factor, on };
        match *self {
            Self::Sgd {
                momentum,
                nesterov,
                weight_decay,
                weight_decay_on,
            } => ModuleOptimizer::from(Sgd {
                momentum,
                nesterov,
                weight_decay: decay(weight_decay, weight_decay_on),
            }),
            Self::RmsProp {
                decay: share,
                momentum,
                epsilon,
                initial_mean_square,
                weight_decay,
                weight_decay_on,
            } => ModuleOptimizer::from(RmsProp {
                decay: share,
                momentum,
                epsilon,
                initial_mean_square,
                weight_decay: decay(weight_decay, weight_decay_on),
            }),
            Self::AdamW {
                beta1,
                beta2,
                epsilon,
                weight_decay,
                weight_decay_on,
            } => ModuleOptimizer::from(AdamW {
                beta1,
                beta2,
                epsilon,
                weight_decay: decay(weight_decay, weight_decay_on),
            }),
        }
    }

    /// Returns the numbers that the optimizer keeps for each parameter.
    pub fn numbers_per_parameter(&self) -> u64 {
        match *self {
            Self::Sgd { momentum, .. } => u64::from(momentum > 0.0),
            Self::RmsProp { momentum, .. } => 1 + u64::from(momentum > 0.0),
            Self::AdamW { .. } => 2,
        }
    }

    /// Checks that every value is in its range.
    pub(super) fn validate(&self) -> Result<(), Invalid> {
        let within = |key: &str, value: f64, bounds: Bounds, note: &str| {
            Invalid::check(&format!("recipe.optimizer.{key}"), value, bounds, note)
        };
        match *self {
            Self::Sgd {
                momentum,
                nesterov,
                weight_decay,
                ..
            } => {
                let (bounds, note) = match nesterov {
                    true => (NESTEROV_MOMENTUM, " with Nesterov's momentum"),
                    false => (SHARE, ""),
                };
                within("sgd.momentum", momentum, bounds, note)?;
                within("sgd.weight_decay", weight_decay, WEIGHT_DECAY, "")
            }
            Self::RmsProp {
                decay,
                momentum,
                epsilon,
                initial_mean_square,
                weight_decay,
                ..
            } => {
                within("rms_prop.decay", decay, SHARE, "")?;
                within("rms_prop.momentum", momentum, SHARE, "")?;
                within("rms_prop.epsilon", epsilon, EPSILON, "")?;
                let key = "rms_prop.initial_mean_square";
                within(key, initial_mean_square, INITIAL_MEAN_SQUARE, "")?;
                within("rms_prop.weight_decay", weight_decay, WEIGHT_DECAY, "")
            }
            Self::AdamW {
                beta1,
                beta2,
                epsilon,
                weight_decay,
                ..
            } => {
                within("adam_w.beta1", beta1, SHARE, "")?;
                within("adam_w.beta2", beta2, SHARE, "")?;
                within("adam_w.epsilon", epsilon, EPSILON, "")?;
                within("adam_w.weight_decay", weight_decay, WEIGHT_DECAY, "")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Optimizer {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn an_optimizer_of_before_is_written_as_ever() {
        let text = r#"{"sgd":{"momentum":0.9,"nesterov":false,"weight_decay":0.0}}"#;
        assert_eq!(
            serde_json::to_string(&parse(r#"{"sgd": {}}"#)).unwrap(),
            text
        );
        let kernels = parse(r#"{"sgd": {"weight_decay_on": "kernels"}}"#);
        assert!(
            serde_json::to_string(&kernels)
                .unwrap()
                .contains("\"kernels\"")
        );
    }

    #[test]
    fn values_out_of_range_are_found() {
        for (text, path) in [
            (r#"{"sgd": {"momentum": 1}}"#, "sgd.momentum"),
            (r#"{"rms_prop": {"decay": 1}}"#, "rms_prop.decay"),
            (r#"{"rms_prop": {"momentum": -1}}"#, "rms_prop.momentum"),
            (r#"{"rms_prop": {"epsilon": 0}}"#, "rms_prop.epsilon"),
            (
                r#"{"rms_prop": {"initial_mean_square": -1}}"#,
                "rms_prop.initial_mean_square",
            ),
            (
                r#"{"rms_prop": {"weight_decay": -1}}"#,
                "rms_prop.weight_decay",
            ),
            (r#"{"adam_w": {"beta1": 1}}"#, "adam_w.beta1"),
            (r#"{"adam_w": {"beta2": 1}}"#, "adam_w.beta2"),
            (r#"{"adam_w": {"epsilon": 0}}"#, "adam_w.epsilon"),
            (r#"{"adam_w": {"weight_decay": -1}}"#, "adam_w.weight_decay"),
        ] {
            let error = parse(text).validate().unwrap_err();
            assert_eq!(error.path, format!("recipe.optimizer.{path}"));
        }
        for text in [r#"{"sgd": {}}"#, r#"{"rms_prop": {}}"#, r#"{"adam_w": {}}"#] {
            parse(text).validate().unwrap();
        }
    }
}
