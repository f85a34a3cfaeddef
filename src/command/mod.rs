//! One file a command.

pub mod ablate;
pub mod completions;
pub mod data;
pub mod devices;
pub mod eval;
pub mod report;
pub mod summary;
pub mod train;
pub mod weights;

mod display;
mod results;
