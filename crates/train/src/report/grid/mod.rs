//! A grid: an ablation whose variants are all combinations of some values.

mod effects;
mod tables;

use std::collections::HashSet;

use serde::Serialize;

use super::statistics::Sample;
use super::summary::SummaryRow;
use crate::record::{AblationRecord, VariantRecord};

pub use effects::{Effect, Interaction};

/// Stands for the value of a path that a variant doesn't set.
const NOT_SET: &str = "not set";

/// The view of an ablation by axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grid {
    /// What is varied, the axis that changes least from variant to variant first.
    pub axes: Vec<GridAxis>,
    /// Mean of all variants' best test top-1; `None` where one has no finished run.
    pub best_top1: Option<f64>,
    /// Mean of all variants' final test top-1; `None` where one has no finished run.
    pub final_top1: Option<f64>,
    /// What each axis does to the final test top-1, averaged over the others.
    pub effects: Vec<Effect>,
    /// How far what one axis does depends on another.
    pub interactions: Vec<Interaction>,
}

/// What is varied in a grid.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GridAxis {
    /// Path in the configuration, with dots between keys.
    pub path: String,
    /// Its values, in the order of the variants.
    pub values: Vec<GridValue>,
}

/// A value on an axis, with its marginal means: those of the means of the variants that have it, each counting
/// once. They are `None` where one of these has no finished run, because the others alone can't be compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GridValue {
    /// The value, for people.
    pub value: String,
    /// Places, in the order of the record, of the variants that have it.
    pub variants: Vec<usize>,
    /// Marginal mean of best test top-1.
    pub best_top1: Option<f64>,
    /// Marginal mean of final test top-1.
    pub final_top1: Option<f64>,
}

/// A figure of a variant.
#[derive(Debug, Clone, Copy)]
enum Figure {
    Best,
    Final,
}

impl Figure {
    const ALL: [Self; 2] = [Self::Best, Self::Final];

    fn title(self) -> &'static str {
        match self {
            Self::Best => "Best test top-1 (%)",
            Self::Final => "Final test top-1 (%)",
        }
    }

    fn of_row(self, row: &SummaryRow) -> Option<Sample> {
        match self {
            Self::Best => row.best_top1,
            Self::Final => row.final_top1,
        }
    }

    fn of_value(self, value: &GridValue) -> Option<f64> {
        match self {
            Self::Best => value.best_top1,
            Self::Final => value.final_top1,
        }
    }

    /// Returns the mean over variants, each counting once.
    fn mean<'a>(self, mut rows: impl Iterator<Item = &'a SummaryRow>) -> Option<f64> {
        let means = rows.try_fold(Vec::new(), |mut means, row| {
            means.push(self.of_row(row)?.mean);
            Some(means)
        });
        Sample::of(&means?).map(|sample| sample.mean)
    }
}

impl Grid {
    /// Finds the axes of `record`: two paths or more whose values are there in every combination, each once.
    /// A variant that doesn't set a path has the base's value.
    pub(super) fn of(record: &AblationRecord, rows: &[SummaryRow]) -> Option<Self> {
        let axes = axes(&record.variants)?;
        let axes = axes.into_iter().map(|(path, values)| GridAxis {
            path: path.to_owned(),
            values: values
                .into_iter()
                .map(|(value, variants)| {
                    let mean = |figure: Figure| {
                        let rows = variants.iter().filter_map(|&variant| rows.get(variant));
                        figure.mean(rows)
                    };
                    GridValue {
                        value: value.to_owned(),
                        best_top1: mean(Figure::Best),
                        final_top1: mean(Figure::Final),
                        variants,
                    }
                })
                .collect(),
        });
        let axes: Vec<GridAxis> = axes.collect();
        let (effects, interactions) = effects::of(record, &axes);
        Some(Self {
            axes,
            effects,
            interactions,
            best_top1: Figure::Best.mean(rows.iter()),
            final_top1: Figure::Final.mean(rows.iter()),
        })
    }
}

/// Returns the value of a path in a variant.
fn value<'a>(variant: &'a VariantRecord, path: &str) -> &'a str {
    let mut changes = variant.changes.iter();
    let change = changes.find(|(changed, _)| changed == path);
    change.map_or(NOT_SET, |(_, value)| value.as_str())
}

/// A path, and the places of the variants with each of its values.
type PathValues<'a> = (&'a str, Vec<(&'a str, Vec<usize>)>);

/// Returns the axes of a grid, the slowest first; `None` where the variants aren't one of two axes or more.
fn axes(variants: &[VariantRecord]) -> Option<Vec<PathValues<'_>>> {
    let changes = variants.iter().flat_map(|variant| &variant.changes);
    let mut seen = HashSet::new();
    let paths: Vec<&str> = changes
        .map(|(path, _)| path.as_str())
        .filter(|path| seen.insert(*path))
        .collect();
    let mut axes: Vec<PathValues> = Vec::new();
    for path in &paths {
        let mut values: Vec<(&str, Vec<usize>)> = Vec::new();
        for (place, variant) in variants.iter().enumerate() {
            let value = value(variant, path);
            match values.iter_mut().find(|(known, _)| *known == value) {
                Some((_, variants)) => variants.push(place),
                None => values.push((value, vec![place])),
            }
        }
        if values.len() > 1 {
            axes.push((path, values));
        }
    }
    let combinations = axes.iter().try_fold(1_usize, |product, (_, values)| {
        product.checked_mul(values.len())
    });
    let different: HashSet<Vec<&str>> = variants
        .iter()
        .map(|variant| paths.iter().map(|path| value(variant, path)).collect())
        .collect();
    let is_grid = combinations == Some(variants.len()) && different.len() == variants.len();
    if axes.len() < 2 || !is_grid {
        return None;
    }
    // The second value of a slow axis comes late.
    let second = |axis: &PathValues| {
        axis.1
            .get(1)
            .and_then(|(_, places)| places.first().copied())
    };
    axes.sort_by_key(|axis| std::cmp::Reverse(second(axis)));
    Some(axes)
}

#[cfg(test)]
mod tests {
    use crate::record::synthetic;
    use crate::report::summary::Summary;

    #[test]
    fn lists_are_no_grids() {
        for record in [synthetic::complete(), synthetic::crowded()] {
            assert_eq!(Summary::of(&record).grid, None);
        }
        let mut record = synthetic::grid();
        record.variants.pop();
        assert_eq!(Summary::of(&record).grid, None);
        // One axis is the list itself.
        record.variants.truncate(3);
        assert_eq!(Summary::of(&record).grid, None);
    }
}
