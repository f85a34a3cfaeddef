//! Configurations: what a run is, and what an ablation is, as JSON.

mod ablation;
mod ablation_file;
mod comparison;
mod data;
mod error;
mod fine_tuning;
mod grid;
mod layers;
mod optimizer;
mod overrides;
mod recipe;
mod run;
mod schedule;
pub mod schema;
mod schema_key;
mod seeds;
mod source;
mod strict_json;
mod syntax;
mod text_tree;
mod variant_folder;

pub use ablation::{AblationConfig, Variant};
pub use ablation_file::{Axis, VariantConfig};
pub(crate) use comparison::check_measured;
pub use data::DataConfig;
pub use error::ConfigError;
pub use fine_tuning::{FineTuning, Freeze, StartingHead};
pub use optimizer::Optimizer;
pub use overrides::Override;
pub use recipe::{Average, Recipe};
pub use run::RunConfig;
pub use schedule::{Extent, Schedule};
pub use seeds::Seeds;
pub(crate) use variant_folder::variant_folders;
pub use xception_optimizers::DecayedParameters;
