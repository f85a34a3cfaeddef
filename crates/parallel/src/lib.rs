//! Synchronous data parallelism for Burn modules, over devices of any kind.
//!
//! [`DataParallel`] divides the work of a training step: each device computes the gradients of its [`Part`] of the batch, and
//! the first one, the main device, gets their mean over all images. There live the module, its optimizer and all that is
//! evaluated or written. [`even_parts`] says which images a device gets.
//!
//! Nothing is asked of a backend but the usual operations, so the devices may be of different backends and of other machines.
//! Weights and gradients pass through this process, packed into one tensor a device and step: one message each way, whatever
//! the number of layers. That is less than what devices with an all-reduce of their own could do, and is the same for all.

mod data_parallel;
mod error;
mod even_parts;
mod guard;
mod named_device;
mod packing;

/// The example of the README, which is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use data_parallel::{DataParallel, Part, PartOutput, Place, Step};
pub use error::DeviceError;
pub use even_parts::even_parts;
pub use named_device::NamedDevice;
