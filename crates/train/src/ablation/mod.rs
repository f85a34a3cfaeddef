//! Ablation studies: variants times seeds, resumable, ending in a report.
//!
//! ```text
//! OUT/
//!   report.html report.md results.json results.csv   rewritten after every run
//!   VARIANT/seed-N/                                  one folder a run
//! ```

mod estimate;
mod execute;
mod plan;
mod settings;

pub use execute::{Event, Execution};
pub use plan::{Plan, PlannedVariant};
