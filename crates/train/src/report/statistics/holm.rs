//! Several tests at once.

/// Corrects p-values for their number: a difference that is found where the adjusted p-value is below a level is a wrong
/// one, in all comparisons together, with a probability of at most that level, however they depend on each other.
///
/// S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979). What has
/// no p-value does not count.
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p_values
        .iter()
        .enumerate()
        .filter_map(|(place, p)| Some((place, (*p)?)))
        .collect();
    order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut adjusted = vec![None; p_values.len()];
    let mut greatest: f64 = 0.0;
    for (rank, (place, p)) in order.iter().enumerate() {
        let remaining = (order.len() - rank) as f64;
        greatest = greatest.max(p * remaining).min(1.0);
        adjusted[*place] = Some(greatest);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::super::assert_near;
    use super::*;

    /// `multipletests(p, method="holm")` of statsmodels 0.15.0.
    #[test]
    fn p_values_are_adjusted_as_by_statsmodels() {
        let cases: [(&[f64], &[f64]); 4] = [
            (&[0.01, 0.04, 0.03, 0.005], &[0.03, 0.06, 0.06, 0.02]),
            (
                &[0.0125, 0.5, 0.0125, 0.2, 0.9],
                &[0.0625, 1.0, 0.0625, 0.6, 1.0],
            ),
            (&[0.03], &[0.03]),
            (
                &[0.02, 0.02, 0.06, 0.001, 0.8, 0.04],
                &[0.1, 0.1, 0.12, 0.006, 0.8, 0.12],
            ),
        ];
        for (p_values, expected) in cases {
            let p_values: Vec<_> = p_values.iter().copied().map(Some).collect();
            let adjusted = holm(&p_values);
            assert_eq!(adjusted.len(), expected.len());
            for (value, expected) in adjusted.iter().zip(expected) {
                assert_near(value.unwrap(), *expected, 1e-12);
            }
        }
    }

    #[test]
    fn what_has_no_p_value_does_not_count() {
        assert_eq!(
            holm(&[None, Some(0.02), None, Some(0.5)]),
            [None, Some(0.04), None, Some(0.5)]
        );
        assert_eq!(holm(&[]), []);
    }
}
