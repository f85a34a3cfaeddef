//! What the axes of a grid do to the final test top-1.
//!
//! A value of an axis is compared with the axis' first value: at each seed the mean over all combinations of the other axes with
//! the one, less that with the other. The interaction of two axes is the contrast of 2 x 2: at each seed what the one
//! value does to one axis' effect on the other, (y22 - y21) - (y12 - y11), averaged over the combinations of further
//! axes. Only seeds count at which every run that takes part finished, so that each value stands for the same combinations. The
//! mean over the seeds has Student's interval; the p-values of a grid are corrected together (Holm).

use std::collections::BTreeMap;

use serde::Serialize;

use super::GridAxis;
use crate::record::{AblationRecord, ClaimMetric};
use crate::report::measure::by_seed;
use crate::report::statistics::{Difference, holm, largest};

/// What a value of an axis does, beside the axis' first value and averaged over the other axes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effect {
    /// Place of the axis.
    pub axis: usize,
    /// Place of the value on the axis, after the first.
    pub value: usize,
    /// The final test top-1 with this value less that with the first; `None` where no seed has all runs.
    pub difference: Option<Difference>,
    /// Its p-value, corrected for all effects and interactions of the grid.
    pub adjusted_p_value: Option<f64>,
}

/// How far the effect of one axis depends on the value of another.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interaction {
    /// Places of the two axes.
    pub axes: [usize; 2],
    /// Places of their values, after the first of each.
    pub values: [usize; 2],
    /// The effect of the second value, beside the second axis' first, where the first axis has the first value given here,
    /// less the same effect where it has its own first; `None` where no seed has all runs.
    pub contrast: Option<Difference>,
    /// Its p-value, corrected for all effects and interactions of the grid.
    pub adjusted_p_value: Option<f64>,
}

/// Computes the effects of all values and the interactions of all pairs of axes.
pub(super) fn of(record: &AblationRecord, axes: &[GridAxis]) -> (Vec<Effect>, Vec<Interaction>) {
    let values = Values::of(record);
    let mut effects = Vec::new();
    let mut interactions = Vec::new();
    for (axis, levels) in axes.iter().enumerate() {
        let Some((reference, others)) = levels.values.split_first() else {
            continue;
        };
        for (place, level) in others.iter().enumerate() {
            let groups = [level.variants.as_slice(), &reference.variants];
            effects.push(Effect {
                axis,
                value: place + 1,
                difference: values.contrast(&[(1.0, groups[0]), (-1.0, groups[1])]),
                adjusted_p_value: None,
            });
        }
    }
    for (second, across) in axes.iter().enumerate() {
        for (first, down) in axes.iter().enumerate().take(second) {
            let cells = cells(down, across);
            let cell = |row: usize, column: usize| cells.get(&(row, column)).map(Vec::as_slice);
            for row in 1..down.values.len() {
                for column in 1..across.values.len() {
                    let contrast = || {
                        values.contrast(&[
                            (1.0, cell(row, column)?),
                            (-1.0, cell(row, 0)?),
                            (-1.0, cell(0, column)?),
                            (1.0, cell(0, 0)?),
                        ])
                    };
                    interactions.push(Interaction {
                        axes: [first, second],
                        values: [row, column],
                        contrast: contrast(),
                        adjusted_p_value: None,
                    });
                }
            }
        }
    }
    let p_value = |difference: Option<Difference>| difference.and_then(|d| d.p_value);
    let p_values = effects.iter().map(|effect| p_value(effect.difference));
    let p_values = p_values.chain(interactions.iter().map(|i| p_value(i.contrast)));
    let p_values: Vec<_> = p_values.collect();
    let mut adjusted = holm(&p_values).into_iter();
    for effect in &mut effects {
        effect.adjusted_p_value = adjusted.next().flatten();
    }
    for interaction in &mut interactions {
        interaction.adjusted_p_value = adjusted.next().flatten();
    }
    (effects, interactions)
}

/// Returns the places of the variants by their values on two axes.
fn cells(down: &GridAxis, across: &GridAxis) -> BTreeMap<(usize, usize), Vec<usize>> {
    let mut columns = BTreeMap::new();
    for (column, value) in across.values.iter().enumerate() {
        columns.extend(value.variants.iter().map(|variant| (*variant, column)));
    }
    let mut cells: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (row, value) in down.values.iter().enumerate() {
        for variant in &value.variants {
            if let Some(column) = columns.get(variant) {
                cells.entry((row, *column)).or_default().push(*variant);
            }
        }
    }
    cells
}

/// The final test top-1 of every variant's finished runs, by seed.
struct Values {
    seeds: Vec<u64>,
    variants: Vec<BTreeMap<u64, f64>>,
}

impl Values {
    fn of(record: &AblationRecord) -> Self {
        let variants = record.variants.iter();
        let variants = variants.map(|v| by_seed(v, ClaimMetric::FinalTop1).into_iter().collect());
        Self {
            seeds: record.seeds.clone(),
            variants: variants.collect(),
        }
    }

    /// Returns a weighted sum of the means of groups of variants, with its spread over seeds.
    fn contrast(&self, groups: &[(f64, &[usize])]) -> Option<Difference> {
        let mut contrasts = Vec::new();
        let mut magnitude: f64 = 0.0;
        for seed in &self.seeds {
            let values = groups.iter().map(|(weight, group)| {
                let values: Option<Vec<f64>> = group
                    .iter()
                    .map(|variant| self.variants.get(*variant)?.get(seed).copied())
                    .collect();
                let values = values.filter(|values| !values.is_empty())?;
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                Some((weight * mean, largest(values.into_iter())))
            });
            if let Some(values) = values.collect::<Option<Vec<_>>>() {
                contrasts.push(values.iter().map(|(mean, _)| mean).sum());
                magnitude = magnitude.max(largest(values.iter().map(|(_, largest)| *largest)));
            }
        }
        Difference::of_contrasts(&contrasts, magnitude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RunState, synthetic};
    use crate::report::statistics::Design;
    use crate::report::summary::Summary;

    fn near(difference: Option<Difference>, contrasts: [f64; 3]) {
        let expected = Difference::of_contrasts(&contrasts, 1.0).unwrap();
        let difference = difference.unwrap();
        assert!((difference.mean - expected.mean).abs() < 1e-12);
        assert_eq!(difference.design, Design::Paired { seeds: 3 });
        let (low, expected) = (difference.interval.unwrap(), expected.interval.unwrap());
        assert!((low.low - expected.low).abs() < 1e-9 && (low.high - expected.high).abs() < 1e-9);
    }

    /// The final test top-1 of every variant at the place of a seed.
    fn by_variant(record: &AblationRecord, seed: usize) -> Vec<f64> {
        let last = |variant: &crate::record::VariantRecord| {
            variant.runs[seed].epochs.last().unwrap().test.top1
        };
        record.variants.iter().map(last).collect()
    }

    #[test]
    fn effects_are_averaged_over_the_other_axis() {
        let record = synthetic::grid();
        let grid = Summary::of(&record).grid.unwrap();
        let places: Vec<_> = grid.effects.iter().map(|e| (e.axis, e.value)).collect();
        assert_eq!(places, [(0, 1), (1, 1), (1, 2)]);
        let at = |contrast: fn(&[f64]) -> f64| {
            [0, 1, 2].map(|seed| contrast(&by_variant(&record, seed)))
        };
        // The variants are true with none, relu, elu, then false with the same.
        near(
            grid.effects[0].difference,
            at(|y| (y[3] + y[4] + y[5] - y[0] - y[1] - y[2]) / 3.0),
        );
        near(
            grid.effects[2].difference,
            at(|y| (y[2] + y[5] - y[0] - y[3]) / 2.0),
        );
        let places: Vec<_> = grid
            .interactions
            .iter()
            .map(|i| (i.axes, i.values))
            .collect();
        assert_eq!(places, [([0, 1], [1, 1]), ([0, 1], [1, 2])]);
        near(
            grid.interactions[1].contrast,
            at(|y| (y[5] - y[3]) - (y[2] - y[0])),
        );
        let p_values = grid.effects.iter().map(|e| e.difference.unwrap().p_value);
        let interactions = grid.interactions.iter();
        let p_values = p_values.chain(interactions.map(|i| i.contrast.unwrap().p_value));
        let adjusted = holm(&p_values.collect::<Vec<_>>());
        assert_eq!(grid.effects[1].adjusted_p_value, adjusted[1]);
        assert_eq!(grid.interactions[1].adjusted_p_value, adjusted[4]);
    }

    #[test]
    fn three_axes_have_three_interactions_averaged_over_the_third() {
        let record = synthetic::cube();
        let grid = Summary::of(&record).grid.unwrap();
        assert_eq!((grid.effects.len(), grid.interactions.len()), (3, 3));
        let axes: Vec<_> = grid.interactions.iter().map(|i| i.axes).collect();
        assert_eq!(axes, [[0, 1], [0, 2], [1, 2]]);
        let at = |contrast: fn(&[f64]) -> f64| {
            [0, 1, 2].map(|seed| contrast(&by_variant(&record, seed)))
        };
        near(
            grid.interactions[1].contrast,
            at(|y| ((y[5] + y[7] - y[4] - y[6]) - (y[1] + y[3] - y[0] - y[2])) / 2.0),
        );
    }

    #[test]
    fn only_seeds_with_every_run_count() {
        let mut record = synthetic::grid();
        record.variants[4].runs[1].state = RunState::Unfinished;
        let grid = Summary::of(&record).grid.unwrap();
        let seeds = |difference: Option<Difference>| difference.unwrap().design;
        assert_eq!(
            seeds(grid.effects[0].difference),
            Design::Paired { seeds: 2 }
        );
        assert_eq!(
            seeds(grid.effects[2].difference),
            Design::Paired { seeds: 3 }
        );
        assert_eq!(
            seeds(grid.interactions[0].contrast),
            Design::Paired { seeds: 2 }
        );
        record.variants[4].runs.clear();
        let grid = Summary::of(&record).grid.unwrap();
        assert_eq!(grid.effects[0].difference, None);
        assert_eq!(grid.interactions[0].adjusted_p_value, None);
        assert!(grid.effects[2].difference.is_some());
    }
}
