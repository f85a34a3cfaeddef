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
    /// Compares those variants of `record` that `comparable` says may be, by their places.
    pub(super) fn of(record: &AblationRecord, comparable: &dyn Fn(usize, usize) -> bool) -> Self {
        let mut pairs = Vec::new();
        let mut without_difference = 0;
        if record.variants.len() <= MOST_VARIANTS {
            let values = record
                .variants
                .iter()
                .map(|variant| (&variant.name, by_seed(variant, ClaimMetric::FinalTop1)));
            let values: Vec<_> = values.collect();
            for (place, (second, others)) in values.iter().enumerate() {
                for (other, (first, own)) in values.iter().enumerate().skip(place + 1) {
                    if !comparable(other, place) {
                        continue;
                    }
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
        let place = |name: &String| record.variants.iter().position(|v| v.name == *name);
        let places = |pair: &Pair| {
            [&pair.first, &pair.second]
                .into_iter()
                .filter_map(place)
                .collect()
        };
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
            variants: self.pairs.iter().map(places).collect(),
        })
    }

    /// Says how to read the table of pairs, or why there is none; `None` where there is nothing to say.
    pub(super) fn note(&self, record: &AblationRecord) -> Option<String> {
        if record.variants.len() > MOST_VARIANTS {
            return Some(format!(
                "Pairs of variants are not compared: there are more than {MOST_VARIANTS} variants."
            ));
        }
        if self.pairs.is_empty() {
            return None;
        }
        let mut sentences =
            vec!["Exploratory: nobody claimed these differences beforehand.".to_owned()];
        let tested = self.pairs.iter();
        let tested = tested.filter(|pair| pair.difference.p_value.is_some());
        match tested.count() {
            0 | 1 => {}
            tested => sentences.push(format!(
                "The last column is corrected for the {tested} pairs with a p-value (Holm)."
            )),
        }
        match self.without_difference {
            0 => {}
            1 => sentences
                .push("1 pair is left out, since a variant has no finished run.".to_owned()),
            several => sentences.push(format!(
                "{} are left out, since a variant has no finished run.",
                counted(several, "pair")
            )),
        }
        Some(sentences.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;
    use crate::report::summary::Summary;

    #[test]
    fn every_variant_is_compared_with_every_other() {
        let record = synthetic::complete();
        let summary = Summary::of(&record);
        let pairs = &summary.pairs.pairs;
        let names: Vec<_> = pairs
            .iter()
            .map(|pair| (pair.first.as_str(), pair.second.as_str()))
            .collect();
        assert_eq!(
            names,
            [
                ("no-residual", "xception"),
                ("intermediate-relu", "xception"),
                ("intermediate-elu", "xception"),
                ("intermediate-relu", "no-residual"),
                ("intermediate-elu", "no-residual"),
                ("intermediate-elu", "intermediate-relu"),
            ]
        );
        // The base's pairs are the differences to the base.
        for (pair, row) in pairs.iter().zip(&summary.rows[1..]) {
            assert_eq!(Some(pair.difference), row.final_difference);
        }
        let p_values: Vec<_> = pairs.iter().map(|pair| pair.difference.p_value).collect();
        let adjusted: Vec<_> = pairs.iter().map(|pair| pair.adjusted_p_value).collect();
        assert_eq!(adjusted, holm(&p_values));
        assert!(adjusted.iter().all(Option::is_some));
        let note = summary.pairs.note(&record).unwrap();
        assert!(
            note.starts_with("Exploratory") && note.contains("for the 6 pairs"),
            "{note}"
        );
        let table = summary.pairs.table(&record).unwrap();
        assert!(table.rows.iter().all(|row| row.len() == table.head.len()));
        assert_eq!(table.rows[0][4], "paired, 3 seeds");
    }

    #[test]
    fn pairs_without_finished_runs_are_counted() {
        let record = synthetic::diverged();
        let pairs = Pairs::of(&record, &|_, _| true);
        assert_eq!((pairs.pairs.len(), pairs.without_difference), (3, 3));
        let note = pairs.note(&record).unwrap();
        assert!(
            note.ends_with("3 pairs are left out, since a variant has no finished run."),
            "{note}"
        );
        let none = synthetic::not_started();
        assert_eq!(Pairs::of(&none, &|_, _| true).table(&none), None);
        assert_eq!(Pairs::of(&none, &|_, _| true).note(&none), None);
    }

    #[test]
    fn many_pairs_are_folded_and_very_many_left_out() {
        let long = |variants: usize| {
            let record = synthetic::crowd(variants);
            Pairs::of(&record, &|_, _| true)
                .table(&record)
                .unwrap()
                .is_long()
        };
        assert_eq!([long(12), long(13)], [false, true]);
        let record = synthetic::crowd(MOST_VARIANTS + 1);
        let pairs = Pairs::of(&record, &|_, _| true);
        assert!(pairs.pairs.is_empty());
        let note = pairs.note(&record).unwrap();
        assert!(note.contains("more than 50 variants"), "{note}");
    }
}
