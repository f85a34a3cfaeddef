//! Configurations: what a run is, and what an ablation is, as JSON.

mod ablation;
mod overrides;
mod recipe;
mod run;
mod source;
mod strict_json;

pub use ablation::{AblationConfig, Axis, Variant, VariantConfig};
pub use overrides::Override;
pub use recipe::{Optimizer, Recipe, Schedule};
pub use run::{DataConfig, RunConfig};
pub use strict_json::ConfigError;
