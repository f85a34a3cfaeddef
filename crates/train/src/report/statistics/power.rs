//! How many seeds it takes to decide.

use std::f64::consts::SQRT_2;

use serde::Serialize;
use statrs::function::erf::{erf_inv, erfc};
use statrs::function::gamma::ln_gamma;

use super::LEVEL;
use super::students_t::quantile;

/// Probability with which a difference is to be found.
pub const POWER: f64 = 0.8;

/// More seeds than this are not counted.
pub const MOST_SEEDS: usize = 1000;

/// Half the number of steps that the power is integrated in.
const STEPS: usize = 300;

/// A number of seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SeedsToDecide {
    /// So many.
    About(usize),
    /// More than so many.
    MoreThan(usize),
}

/// Returns the least number of seeds with which the paired t-test finds a difference with the probability [`POWER`] at the
/// [`LEVEL`], where its true mean and standard deviation over seeds are these.
pub fn seeds_to_decide(mean: f64, sd: f64) -> SeedsToDecide {
    let effect = (mean / sd).abs();
    // As many as if the standard deviation were known, without the far tail, or some more.
    let known = (quantiles_of_normal() / effect).powi(2);
    let fewest = match known.is_finite() {
        true => (known.floor() as usize).max(2),
        false => MOST_SEEDS,
    };
    let mut seeds = fewest..=MOST_SEEDS;
    match seeds.find(|&seeds| power(effect, seeds) >= POWER) {
        Some(seeds) => SeedsToDecide::About(seeds),
        None => SeedsToDecide::MoreThan(MOST_SEEDS),
    }
}

/// Returns the distance of the mean from zero, in standard errors, at which a test with a known standard deviation has
/// the power [`POWER`] at the [`LEVEL`].
fn quantiles_of_normal() -> f64 {
    let quantile = |probability: f64| SQRT_2 * erf_inv(2.0 * probability - 1.0);
    quantile(1.0 - LEVEL / 2.0) + quantile(POWER)
}

/// Returns the probability with which the two-sided t-test on `seeds` differences finds a mean of `effect` standard
/// deviations: the share of a noncentral t distribution beyond the critical values.
///
/// With a standard normal Z and an independent W, the root of a chi-squared variable over its degrees of freedom, that is
/// P(|Z + effect √seeds| > critical W): Simpson's rule over W.
fn power(effect: f64, seeds: usize) -> f64 {
    let freedom = seeds as f64 - 1.0;
    let Some(critical) = quantile(1.0 - LEVEL / 2.0, freedom) else {
        return 0.0;
    };
    let shift = effect * (seeds as f64).sqrt();
    let constant =
        std::f64::consts::LN_2 + 0.5 * freedom * (0.5 * freedom).ln() - ln_gamma(0.5 * freedom);
    let integrand = |w: f64| {
        // ln 0 times no power of it is 0 here.
        let power = match freedom > 1.0 {
            true => (freedom - 1.0) * w.ln(),
            false => 0.0,
        };
        let density = (constant + power - 0.5 * freedom * w * w).exp();
        density * (above(critical * w - shift) + above(critical * w + shift))
    };
    // W is about 1, with a standard deviation of about this.
    let deviation = (0.5 / freedom).sqrt();
    let (low, high) = ((1.0 - 10.0 * deviation).max(0.0), 1.0 + 10.0 * deviation);
    let step = (high - low) / (2 * STEPS) as f64;
    let sum: f64 = (0..=2 * STEPS)
        .map(|index| {
            let weight = match index {
                0 => 1.0,
                _ if index == 2 * STEPS => 1.0,
                _ if index % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * integrand(low + step * index as f64)
        })
        .sum();
    sum * step / 3.0
}

/// Returns the probability that a standard normal variable is greater than `value`.
fn above(value: f64) -> f64 {
    0.5 * erfc(value / SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::super::assert_near;
    use super::*;

    /// `TTestPower().power(effect, seeds, 0.05, alternative="two-sided")` of statsmodels 0.15.0 with SciPy 1.17.1.
    #[test]
    fn power_is_that_of_statsmodels() {
        for (effect, seeds, expected) in [
            (0.5, 33, 0.795365841487504),
            (0.5, 34, 0.8077775012792737),
            (1.0, 10, 0.8030968566327218),
            (2.0, 4, 0.7549839171140109),
            (2.0, 5, 0.9088848681009402),
            (5.0, 3, 0.9754622687331688),
            (0.1, 700, 0.7524302503702011),
            (0.09, 1000, 0.8114768828801808),
        ] {
            assert_near(power(effect, seeds), expected, 1e-7);
        }
        // Without a difference it is the level; for two seeds statsmodels gives NaN.
        for seeds in [2, 3, 10, 1000] {
            assert_near(power(0.0, seeds), LEVEL, 1e-6);
        }
        assert!(power(1e3, 2) > 0.99);
    }

    /// `TTestPower().solve_power(effect, alpha=0.05, power=0.8, alternative="two-sided")` of statsmodels 0.15.0, rounded up.
    #[test]
    fn seeds_are_those_of_statsmodels() {
        for (effect, solved) in [
            (0.1, 786.808940181792),
            (0.15, 350.76382009280655),
            (0.3, 89.14936472045834),
            (0.5, 33.36713118431779),
            (0.8, 14.30276455812943),
            (1.0, 9.93785094105438),
            (1.5, 5.686142097745736),
            (2.0, 4.22071858501904),
            (3.0, 3.1440247075957415),
            (5.0, 2.4824027270248337),
        ] {
            let expected = SeedsToDecide::About(f64::ceil(solved) as usize);
            assert_eq!(seeds_to_decide(0.02 * effect, 0.02), expected, "{effect}");
            assert_eq!(seeds_to_decide(-0.02 * effect, 0.02), expected, "{effect}");
        }
        let many = SeedsToDecide::MoreThan(1000);
        assert_eq!(seeds_to_decide(0.05, 1.0), many);
        assert_eq!(seeds_to_decide(0.0, 1.0), many);
        assert_eq!(seeds_to_decide(0.0, 0.0), many);
    }
}
