//! Ablation studies: variants times seeds, resumable, ending in a report.
//!
//! ```text
//! OUT/
//!   ablation.json                                    what was asked, written at the start
//!   report.html report.md results.json results.csv   rewritten after every run
//!   VARIANT/seed-N/                                  one folder a run
//! ```
//!
//! Runs train one after another in the process that asks for them, or side by side in [`Workers`]. Burn's generator of random
//! numbers is one for a process, so runs side by side are in processes of their own; what a run leaves is the same.

mod estimate;
mod event;
mod execute;
mod messages;
mod plain_runs;
mod plan;
mod pool;
mod settings;
mod study;
mod tracker;
mod worker;
mod worker_error;
mod workers;

pub use event::{Event, show};
pub use execute::{DamagedFolder, Execution, FailedRun, Outcome};
pub use plan::{Plan, PlannedVariant};
pub use study::read;
pub use worker::Worker;
pub use worker_error::WorkerError;
pub use workers::Workers;
