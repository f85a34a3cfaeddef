//! The tables of a grid.

use super::{Figure, Grid, GridAxis};
use crate::record::AblationRecord;
use crate::report::format::{NONE, Unit, p_value};
use crate::report::statistics::Difference;
use crate::report::summary::SummaryRow;
use crate::report::table::Table;

impl Grid {
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
    pub(in crate::report) fn tables(
        &self,
        record: &AblationRecord,
        rows: &[SummaryRow],
    ) -> Vec<Table> {
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
            texts: 1,
            rows: body.chain([last]).collect(),
            variants: Vec::new(),
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
            texts: 1,
            rows: rows.collect(),
            variants: Vec::new(),
        }
    }

    /// Returns the effects of the axes and their interactions; none where no seed has all runs of one.
    pub(in crate::report) fn effect_tables(&self, record: &AblationRecord) -> Vec<Table> {
        let unit = Unit::percent(record.data.test_images);
        let effects = self.effects.iter().filter_map(|effect| {
            let axis = self.axes.get(effect.axis)?;
            let value = axis.values.get(effect.value)?;
            let first = axis.values.first()?;
            let name = format!("{}: {} less {}", self.name(axis), value.value, first.value);
            effect_row(name, unit, effect.difference, effect.adjusted_p_value)
        });
        let interactions = self.interactions.iter().filter_map(|interaction| {
            let [down, across] = interaction.axes.map(|axis| self.axes.get(axis));
            let (down, across) = (down?, across?);
            let [row, column] = interaction.values;
            let value = |axis: &GridAxis, place: usize| {
                axis.values.get(place).map(|value| value.value.clone())
            };
            let name = format!(
                "{}: {} less {}, at {}={} less at {}",
                self.name(across),
                value(across, column)?,
                value(across, 0)?,
                self.name(down),
                value(down, row)?,
                value(down, 0)?,
            );
            effect_row(
                name,
                unit,
                interaction.contrast,
                interaction.adjusted_p_value,
            )
        });
        let head = |first: &str| {
            [
                first,
                "Difference (pp)",
                "95 % interval",
                "Runs",
                "p",
                "p (Holm)",
            ]
            .map(str::to_owned)
            .to_vec()
        };
        let tables = [
            Table {
                title: "Effects of the axes on final test top-1, averaged over the others"
                    .to_owned(),
                head: head("Effect"),
                texts: 1,
                rows: effects.collect(),
                variants: Vec::new(),
            },
            Table {
                title: "Interactions: how far the effect of one axis depends on another".to_owned(),
                head: head("Contrast"),
                texts: 1,
                rows: interactions.collect(),
                variants: Vec::new(),
            },
        ];
        let tables = tables.into_iter().filter(|table| !table.rows.is_empty());
        tables.collect()
    }
}

/// Returns the row of an effect; `None` where nothing was measured.
fn effect_row(
    name: String,
    unit: Unit,
    difference: Option<Difference>,
    adjusted: Option<f64>,
) -> Option<Vec<String>> {
    let difference = difference?;
    Some(vec![
        name,
        unit.signed(difference.mean),
        unit.bare_interval(&difference),
        difference.design.label(),
        p_value(difference.p_value),
        p_value(adjusted),
    ])
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

    #[test]
    fn effects_and_interactions_have_rows() {
        let record = synthetic::grid();
        let grid = Summary::of(&record).grid.unwrap();
        let tables = grid.effect_tables(&record);
        let [effects, interactions] = tables.as_slice() else {
            panic!("two tables");
        };
        let names =
            |table: &Table| -> Vec<_> { table.rows.iter().map(|row| row[0].clone()).collect() };
        assert_eq!(
            names(effects),
            [
                "residual: false less true",
                "intermediate_activation: relu less none",
                "intermediate_activation: elu less none"
            ]
        );
        assert_eq!(
            names(interactions)[1],
            "intermediate_activation: elu less none, at residual=false less at true"
        );
        assert!(effects.rows.iter().all(|row| row[3] == "paired, 3 seeds"));
        let mut record = record;
        for variant in &mut record.variants {
            variant.runs.clear();
        }
        let grid = Summary::of(&record).grid.unwrap();
        assert!(grid.effect_tables(&record).is_empty());
    }
}
