//! Measurement of forward passes and training steps, and of the device's limits.

mod ceiling;
mod clock;
mod memory;
mod report;
mod threads;
mod traffic;
mod turns;
mod workload;

pub use ceiling::Ceiling;
pub use clock::Times;
pub use memory::{device_memory, peak_memory};
pub use report::{Environment, Part, Report, Work};
pub use threads::limit_threads;
pub use traffic::{Form, Traffic};
pub use turns::measure_in_turns;
pub use workload::{BATCH_SEED, Workload};
