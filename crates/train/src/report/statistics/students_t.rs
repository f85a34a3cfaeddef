//! Student's t distribution.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Returns the quantile of a probability; `None` where the degrees of freedom have no distribution.
pub(super) fn quantile(probability: f64, freedom: f64) -> Option<f64> {
    let distribution = StudentsT::new(0.0, 1.0, freedom).ok()?;
    Some(distribution.inverse_cdf(probability)).filter(|quantile| quantile.is_finite())
}

/// Returns the probability of a value at least as far from zero as `t`, on either side.
pub(super) fn two_sided(t: f64, freedom: f64) -> Option<f64> {
    let distribution = StudentsT::new(0.0, 1.0, freedom).ok()?;
    Some((2.0 * distribution.sf(t.abs())).min(1.0)).filter(|p| p.is_finite())
}

#[cfg(test)]
mod tests {
    use super::super::assert_near;
    use super::*;

    /// `scipy.stats.t.ppf(0.975, df)` of SciPy 1.17.1.
    #[test]
    fn quantiles_are_scipys() {
        for (freedom, expected) in [
            (1.0, 12.706204736174694),
            (2.0, 4.302652729749462),
            (3.5, 2.9400886379827282),
            (4.0, 2.7764451051977934),
            (10.0, 2.228138851986274),
            (100.0, 1.9839715185235518),
        ] {
            assert_near(quantile(0.975, freedom).unwrap(), expected, 1e-9);
        }
        assert_eq!(quantile(0.975, 0.0), None);
    }

    /// `2 * scipy.stats.t.sf(abs(t), df)` of SciPy 1.17.1.
    #[test]
    fn probabilities_are_scipys() {
        for (t, freedom, expected) in [
            (0.0, 3.0, 1.0),
            (1.5, 2.0, 0.2723931248910011),
            (2.5, 4.7, 0.05759215934686732),
            (12.7, 1.0, 0.050024327689344165),
            (-3.0, 9.0, 0.014956363910414222),
        ] {
            assert_near(two_sided(t, freedom).unwrap(), expected, 1e-11);
        }
        let tiny = two_sided(40.0, 7.0).unwrap() / 1.5902179984850364e-09;
        assert_near(tiny, 1.0, 1e-9);
    }
}
