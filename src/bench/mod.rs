//! Measurement of forward passes and training steps, and of the machine's limits.

mod ceiling;
mod clock;
mod memory;
mod report;
mod threads;
mod turns;
mod workload;

pub use ceiling::Ceiling;
pub use clock::Times;
pub use memory::peak_memory;
pub use report::{Environment, Part, Report};
pub use threads::limit_threads;
pub use turns::measure_in_turns;
pub use workload::{BATCH_SEED, Workload};
