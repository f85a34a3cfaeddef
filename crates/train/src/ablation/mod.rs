//! Ablation studies: variants times seeds, resumable, ending in a report.
//!
//! ```text
//! OUT/
//!   ablation.json                                    what was asked, written at the start
//!   report.html report.md results.json results.csv   rewritten after every run
//!   VARIANT/seed-N/                                  one folder a run
//! ```

mod estimate;
mod execute;
mod plan;
mod settings;
mod study;

pub use execute::{DamagedFolder, Event, Execution, Outcome};
pub use plan::{Plan, PlannedVariant};
pub(crate) use study::STUDY;
pub use study::read;
