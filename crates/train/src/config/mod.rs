//! Configurations: what a run is, and what an ablation is, as JSON.

mod ablation;
mod fine_tuning;
mod overrides;
mod recipe;
mod run;
pub mod schema;
mod schema_key;
mod source;
mod strict_json;

pub use ablation::{AblationConfig, Axis, Variant, VariantConfig};
pub use fine_tuning::{FineTuning, Freeze, StartingHead};
pub use overrides::Override;
pub use recipe::{Optimizer, Recipe, Schedule};
pub(crate) use run::DEFAULT_CLASSES;
pub use run::{DataConfig, RunConfig};
pub use strict_json::ConfigError;
