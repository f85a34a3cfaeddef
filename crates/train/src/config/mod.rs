//! Configurations: what a run is, and what an ablation is, as JSON.

mod ablation;
mod ablation_file;
mod comparison;
mod data;
mod error;
mod fine_tuning;
mod grid;
mod layers;
mod overrides;
mod recipe;
mod run;
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
pub use overrides::Override;
pub use recipe::{Optimizer, Recipe, Schedule};
pub use run::RunConfig;
pub use seeds::Seeds;
pub(crate) use variant_folder::variant_folders;
