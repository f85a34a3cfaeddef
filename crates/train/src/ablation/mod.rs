//! Ablation studies: variants times seeds, resumable, ending in a report.
//!
//! ```text
//! OUT/
//!   ablation.json                                    what was asked, written at the start
//!   report.html report.md results.json results.csv   rewritten after every run
//!   VARIANT/seed-N/                                  one folder a run
//! ```

mod estimate;
mod event;
mod execute;
mod plan;
mod settings;
mod study;

pub use event::{Event, show};
pub use execute::{DamagedFolder, Execution, Outcome};
pub use plan::{Plan, PlannedVariant};
pub use study::read;
