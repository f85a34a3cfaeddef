//! Every variant beside every other.

use serde::Serialize;

use super::format::{Unit, p_value};
use super::measure::by_seed;
use super::statistics::{Difference, holm};
use super::table::Table;
use crate::numbers::counted;
use crate::record::{AblationRecord, ClaimMetric};

/// More variants than this are not compared pair by pair: their pairs would be more than anybody reads.
pub const MOST_VARIANTS: usize = 50;

/// The final test top-1 of every variant less that of every variant before it, in the order of the record.
///
/// No claim stands behind these comparisons, so they explore; their p-values are corrected for one another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pairs {
    /// The pairs of which both variants have a finished run; none where there are more than [`MOST_VARIANTS`] variants.
    pub pairs: Vec<Pair>,
    /// Pairs of which one has none.
    pub without_difference: usize,
}

/// Two variants, compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// Name of the one.
    pub first: String,
    /// Name of the other, which comes before it in the record.
    pub second: String,
    /// The first less the second.
    pub difference: Difference,
    /// The difference's p-value, corrected for all pairs that have one.
    pub adjusted_p_value: Option<f64>,
}

impl Pairs {
    /// Compares the variants of `record`.
    pub(super) fn of(record: &AblationRecord) -> Self {
        let mut pairs = Vec::new();
        let mut without_difference = 0;
        if record.variants.len() <= MOST_VARIANTS {
            let values = record
                .variants
                .iter()
                .map(|variant| (&variant.name, by_seed(variant, ClaimMetric::FinalTop1)));
            let values: Vec<_> = values.collect();
            for (place, (second, others)) in values.iter().enumerate() {
                for (first, own) in values.iter().skip(place + 1) {
                    match Difference::between(own, others) {
                        None => without_difference += 1,
                        Some(difference) => pairs.push(Pair {
                            first: (*first).clone(),
                            second: (*second).clone(),
                            difference,
                            adjusted_p_value: None,
                        }),
                    }
                }
            }
        }
        let p_values: Vec<_> = pairs.iter().map(|pair| pair.difference.p_value).collect();
        for (pair, adjusted) in pairs.iter_mut().zip(holm(&p_values)) {
            pair.adjusted_p_value = adjusted;
        }
        Self {
            pairs,
            without_difference,
        }
    }

    /// Returns the pairs as a table; `None` where there are none.
    pub(super) fn table(&self, record: &AblationRecord) -> Option<Table> {
        if self.pairs.is_empty() {
            return None;
        }
        let unit = Unit::percent(record.data.test_images);
        let rows = self.pairs.iter().map(|pair| {
            vec![
                pair.first.clone(),
                pair.second.clone(),
                unit.signed(pair.difference.mean),
                unit.bare_interval(&pair.difference),
                pair.difference.design.label(),
                p_value(pair.difference.p_value),
                p_value(pair.adjusted_p_value),
            ]
        });
        Some(Table {
            title: "All pairs of variants: final test top-1".to_owned(),
            head: [
                "Variant",
                "compared with",
                "Difference (pp)",
                "95 % interval",
                "Runs",
                "p",
                "p (Holm)",
            ]
            .map(str::to_owned)
            .to_vec(),
            texts: 2,
            rows: rows.collect(),
        })
    }

    /// Says how to read the table of pairs.
    pub(super) fn note(&self) -> String {
        let tested = self
            .pairs
            .iter()
            .filter(|pair| pair.difference.p_value.is_some());
        let tested = tested.count();
        let mut note = format!(
            "Exploratory: nobody claimed these differences beforehand. The last column is corrected for the {} \
             with a p-value (Holm).",
            counted(tested, "pair")
        );
        if self.without_difference > 0 {
            note.push_str(&format!(
                " {} left out, since a variant has no finished run.",
                match self.without_difference {
                    1 => "1 pair is".to_owned(),
                    several => format!("{} are", counted(several, "pair")),
                }
            ));
        }
        note
    }
}
