//! Training, ablation studies and their reports.
//!
//! - [`config`]: what a run and an ablation are, as JSON.
//! - [`data`]: data sets, augmentation and batches.
//! - [`training`]: one run, from random weights to its record.
//! - [`ablation`]: variants times seeds, resumable.
//! - [`record`]: what is left on disk; [`report`]: what people look at, made from the records alone.

pub mod ablation;
pub mod config;
pub mod data;
mod environment;
mod error;
pub mod files;
pub mod record;
pub mod report;
pub mod training;

pub use environment::{BURN_VERSION, device_name};
pub use error::TrainError;
