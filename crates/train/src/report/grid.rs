//! A grid: an ablation whose variants are all combinations of some values.

use std::collections::HashSet;

use serde::Serialize;

use super::format::{NONE, Unit};
use super::statistics::Sample;
use super::summary::SummaryRow;
use crate::record::{AblationRecord, VariantRecord};

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

/// A table of texts; the first cell of a row is its heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) title: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
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
        Some(Self {
            axes: axes.collect(),
            best_top1: Figure::Best.mean(rows.iter()),
            final_top1: Figure::Final.mean(rows.iter()),
        })
    }

    /// Returns the short name of an axis: the last key of its path, unless another axis has the same.
    fn name<'a>(&self, axis: &'a GridAxis) -> &'a str {
        let last = |path: &'a str| path.rsplit('.').next().unwrap_or(path);
        let name = last(&axis.path);
        let others = self.axes.iter().filter(|other| other.path != axis.path);
        let suffix = format!(".{name}");
        let mut others = others.map(|other| other.path.as_str());
        match others.any(|other| other == name || other.ends_with(&suffix)) {
            true => &axis.path,
            false => name,
        }
    }

    /// Returns the tables of the view: of two axes the variants in rows and columns, a table for each figure; of more
    /// axes the marginal means.
    pub(super) fn tables(&self, record: &AblationRecord, rows: &[SummaryRow]) -> Vec<Table> {
        let unit = Unit::percent(record.data.test_images);
        match self.axes.as_slice() {
            [down, across] => Figure::ALL
                .iter()
                .map(|&figure| self.crossed(figure, (down, across), rows, unit))
                .collect(),
            _ => vec![self.marginal(unit)],
        }
    }

    fn crossed(
        &self,
        figure: Figure,
        (down, across): (&GridAxis, &GridAxis),
        rows: &[SummaryRow],
        unit: Unit,
    ) -> Table {
        let corner = format!("{} ↓, {} →", self.name(down), self.name(across));
        let values = across.values.iter().map(|value| value.value.clone());
        let head = [corner]
            .into_iter()
            .chain(values)
            .chain(["Mean".to_owned()]);
        let body = down.values.iter().map(|row| {
            let cells = across.values.iter().map(|column| {
                let mut both = row.variants.iter().filter(|v| column.variants.contains(v));
                let cell = both.next().and_then(|&variant| rows.get(variant));
                cell.map_or_else(|| NONE.to_owned(), |cell| figure_cell(figure, cell, unit))
            });
            let mean = mean_cell(unit, figure.of_value(row));
            let name = row.value.clone();
            [name].into_iter().chain(cells).chain([mean]).collect()
        });
        let means = across.values.iter().map(|value| figure.of_value(value));
        let all = match figure {
            Figure::Best => self.best_top1,
            Figure::Final => self.final_top1,
        };
        let means = means.chain([all]).map(|mean| mean_cell(unit, mean));
        let last = ["Mean".to_owned()].into_iter().chain(means).collect();
        Table {
            title: figure.title().to_owned(),
            head: head.collect(),
            rows: body.chain([last]).collect(),
        }
    }

    fn marginal(&self, unit: Unit) -> Table {
        let rows = self.axes.iter().flat_map(|axis| {
            let name = self.name(axis);
            axis.values.iter().map(move |value| {
                let mean = |figure: Figure| mean_cell(unit, figure.of_value(value));
                vec![
                    format!("{name}={}", value.value),
                    mean(Figure::Best),
                    mean(Figure::Final),
                    value.variants.len().to_string(),
                ]
            })
        });
        Table {
            title: "Means over the variants with a value".to_owned(),
            head: ["Value", "Best (%)", "Final (%)", "Variants"]
                .map(str::to_owned)
                .to_vec(),
            rows: rows.collect(),
        }
    }
}

fn figure_cell(figure: Figure, row: &SummaryRow, unit: Unit) -> String {
    match figure.of_row(row) {
        Some(sample) => unit.sample(&sample),
        None => row.runs.diverged_text().unwrap_or_else(|| NONE.to_owned()),
    }
}

fn mean_cell(unit: Unit, mean: Option<f64>) -> String {
    mean.map_or_else(|| NONE.to_owned(), |mean| unit.number(mean))
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
    use super::*;
    use crate::record::synthetic;
    use crate::report::summary::Summary;

    #[test]
    fn two_axes_are_rows_and_columns_with_marginal_means() {
        let record = synthetic::grid();
        let summary = Summary::of(&record);
        let grid = summary.grid.clone().unwrap();
        let paths: Vec<_> = grid.axes.iter().map(|axis| axis.path.as_str()).collect();
        let expected = [
            "model.xception.residual",
            "model.xception.intermediate_activation",
        ];
        assert_eq!(paths, expected);
        let [best, last] = &grid.tables(&record, &summary.rows)[..] else {
            panic!("two tables");
        };
        assert_eq!(
            best.head,
            [
                "residual ↓, intermediate_activation →",
                "none",
                "relu",
                "elu",
                "Mean"
            ]
        );
        assert_eq!((best.rows.len(), last.rows.len()), (3, 3));
        assert_eq!(best.rows[1][0], "false");
        let unit = Unit::percent(record.data.test_images);
        assert_eq!(
            best.rows[1][2],
            unit.sample(&summary.rows[4].best_top1.unwrap())
        );

        let mean = |rows: &[usize]| {
            let means = rows
                .iter()
                .map(|&row| summary.rows[row].best_top1.unwrap().mean);
            unit.number(means.sum::<f64>() / rows.len() as f64)
        };
        assert_eq!(best.rows[0][4], mean(&[0, 1, 2]));
        assert_eq!(best.rows[2][2], mean(&[1, 4]));
        assert_eq!(best.rows[2][4], mean(&[0, 1, 2, 3, 4, 5]));
    }

    #[test]
    fn a_cell_without_figures_has_its_reason_and_leaves_no_mean() {
        let mut record = synthetic::grid();
        for run in &mut record.variants[4].runs {
            run.state = crate::record::RunState::Diverged;
        }
        let summary = Summary::of(&record);
        let grid = summary.grid.clone().unwrap();
        let best = &grid.tables(&record, &summary.rows)[0];
        assert_eq!(best.rows[1][2], "3 of 3 runs diverged");
        assert_eq!(
            (best.rows[1][4].as_str(), best.rows[2][2].as_str()),
            (NONE, NONE)
        );
        assert_ne!(best.rows[0][4], NONE);
        assert_eq!(grid.best_top1, None);
    }

    #[test]
    fn three_axes_have_their_marginal_means() {
        let record = synthetic::cube();
        let summary = Summary::of(&record);
        let grid = summary.grid.clone().unwrap();
        let tables = grid.tables(&record, &summary.rows);
        assert_eq!(tables.len(), 1);
        let names: Vec<_> = tables[0].rows.iter().map(|row| row[0].as_str()).collect();
        assert_eq!(
            names,
            [
                "residual=true",
                "residual=false",
                "dropout=0",
                "dropout=0.5",
                "width=0.5",
                "width=1"
            ]
        );
        assert!(tables[0].rows.iter().all(|row| row[3] == "4"));
    }

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

    #[test]
    fn a_base_that_sets_nothing_is_a_corner() {
        let mut record = synthetic::grid();
        let set = |changes: &[(&str, &str)]| {
            let pair = |(path, value): &(&str, &str)| ((*path).to_owned(), (*value).to_owned());
            changes.iter().map(pair).collect::<Vec<_>>()
        };
        record.variants.truncate(4);
        record.variants[0].changes = set(&[]);
        record.variants[1].changes = set(&[("a.x", "1")]);
        record.variants[2].changes = set(&[("b.x", "2")]);
        record.variants[3].changes = set(&[("a.x", "1"), ("b.x", "2")]);
        let summary = Summary::of(&record);
        let table = &summary.grid.clone().unwrap().tables(&record, &summary.rows)[0];
        assert_eq!(table.head[..3], ["b.x ↓, a.x →", "not set", "1"]);
    }
}
