//! The parts of messages that several crates write: ranges of options, amounts, the name that a wrong one is most like, and the
//! causes of an error.

mod amount;
mod bounds;
mod causes;
mod nearest;

/// The examples of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use amount::{bytes, count, counted, grouped};
pub use bounds::{Bounds, OutOfRange};
pub use causes::with_causes;
pub use nearest::{hint, nearest, suggestion};
