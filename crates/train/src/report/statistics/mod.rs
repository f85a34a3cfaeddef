//! Means, spreads and differences over seeds, and what is concluded from them.
//!
//! Runs of one seed share the order of the data, the augmentation and the random numbers that weights are drawn from, so two
//! variants are compared by seed: [`Difference::between`] takes the differences over the seeds that both have, with Student's
//! interval and p-value. Variants without two common seeds are compared by Welch's test. [`holm`] corrects p-values for
//! the number of comparisons, [`sign_test`] compares where only the order of two values is known, and [`seeds_to_decide`]
//! says how many seeds it takes.

mod difference;
mod holm;
mod power;
mod sample;
mod sign_test;
mod students_t;

pub(super) use difference::largest;
pub use difference::{Design, Difference, Interval, NoInterval};
pub use holm::holm;
pub use power::{MOST_SEEDS, POWER, SeedsToDecide, seeds_to_decide};
pub use sample::Sample;
pub use sign_test::sign_test;

/// Probability that an interval made this way holds the true difference.
pub const CONFIDENCE: f64 = 0.95;

/// Level of the tests: a p-value below it decides. Where there is no difference, tests decide for one with
/// this probability at most.
pub const LEVEL: f64 = 0.05;

#[cfg(test)]
fn assert_near(value: f64, expected: f64, tolerance: f64) {
    let error = (value - expected).abs();
    assert!(
        error <= tolerance * expected.abs().max(1.0),
        "{value} is not {expected}"
    );
}
