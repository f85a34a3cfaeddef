//! One training run, from random weights to its record.
//!
//! Burn's learner drives the run through [`EpochLoop`], a learning strategy of our own; the events,
//! metrics and the dashboard are Burn's.

mod checkpoint;
mod evaluate;
mod keyboard;
mod loader;
mod memory;
mod prediction;
mod progress;
mod run;
mod run_folder;
mod run_status;
mod scores;
mod sgd;
mod starting_weights;
mod stop;
mod strategy;
mod task;

pub use evaluate::Evaluation;
pub use keyboard::leave_dashboard;
pub use progress::{Display, Progress};
pub use run::Run;
pub use run_folder::{RunFolder, RunManifest};
pub use run_status::RunStatus;
pub(crate) use sgd::Sgd;
pub use starting_weights::WeightsFile;
pub use stop::{StopReason, StopSignal};
pub use strategy::EpochLoop;
pub use task::{ClassificationTask, ImageBatch};
