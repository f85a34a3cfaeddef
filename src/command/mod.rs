//! The program's commands, one per file.

pub mod ablate;
pub mod bench;
pub mod completions;
pub mod convert;
pub mod data;
pub mod devices;
pub mod draw;
pub mod eval;
pub mod explain;
pub mod features;
pub mod predict;
pub mod report;
pub mod schema;
pub mod serve;
pub mod summary;
pub mod train;
pub mod weights;
pub mod worker;

mod display;
mod output;
mod skipped;

pub use display::progress_bar;
pub use output::reader_gone;
