//! One training run, from random weights to its record.
//!
//! Burn's learner drives the run through a learning strategy of our own; the events, metrics and the dashboard are
//! Burn's.

mod average_precision;
mod checkpoint;
mod checkpoint_policy;
mod data_parallel;
mod data_record;
mod epoch_progress;
mod epoch_scores;
mod evaluate;
mod events;
mod gradient_step;
mod initial_weights;
mod keyboard;
mod loader;
mod memory;
mod micro_batches;
mod output;
mod place;
mod prediction;
mod preparation;
mod progress;
mod run;
mod run_folder;
mod run_log;
mod run_status;
mod scores;
mod starting_weights;
mod step_log;
mod stop;
mod strategy;
mod targets;
mod task;
mod tensorboard;
mod warnings;

pub use checkpoint_policy::{CheckpointPolicy, Interval, IntervalError};
pub use evaluate::Evaluation;
pub use keyboard::leave_dashboard;
pub(crate) use memory::check_at_once;
pub use output::TaskOutput;
pub use place::Place;
pub use progress::{Display, Progress, warn};
pub use run::Run;
pub use run_folder::{RunFolder, RunManifest};
pub use run_status::RunStatus;
pub use starting_weights::WeightsFile;
pub use step_log::StepRecord;
pub use stop::{StopReason, StopSignal};
pub use targets::{ImageBatch, ImageMixture, ImageTargets};
pub use task::{ClassificationTask, Scorer};
