//! Training, ablation studies and their reports, for image classifiers on [Burn](burn).
//!
//! - [`network`]: the traits of a network and its configuration, for those of [`models`] and for your own.
//! - [`config`]: runs and ablations as JSON.
//! - [`data`]: data sets, augmentation and batches, which are the crate `xception-data`.
//! - [`training`]: one run, from random weights to its record.
//! - [`ablation`]: variants times seeds, resumable.
//! - [`record`]: the results on disk; [`report`]: pages and tables, made from the records alone.
//!
//! Imports run one way: `record` at the bottom, then `network`, `config`, `training` and `ablation`; `report` knows `record`
//! alone. [`data`] knows nothing of this crate.

pub mod ablation;
pub mod config;
mod environment;
mod error;
pub mod files;
pub mod network;
pub mod numbers;
mod printable;
pub mod record;
pub mod report;
pub mod training;

pub use environment::{BURN_VERSION, device_name};
pub use error::TrainError;
pub use network::{BoxedError, ImageClassifier, NetworkConfig};
pub use xception_data as data;
pub use xception_models as models;

/// The names that a program with a network of its own needs.
pub mod prelude {
    pub use crate::ablation::{Execution, Plan};
    pub use crate::config::{AblationConfig, RunConfig};
    pub use xception_messages::Bounds;

    pub use crate::models::ModelError;
    pub use crate::network::{BoxedError, ImageClassifier, NetworkConfig};
    pub use crate::training::{Display, Run, RunFolder, StopSignal};
    pub use crate::{TrainError, ablation, report};
}

/// The README's examples, so that they compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
