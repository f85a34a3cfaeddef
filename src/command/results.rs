//! A table of an ablation's results for the terminal.

use xception::train::record::AblationRecord;
use xception::train::report::statistics::{Difference, Sample};
use xception::train::report::summary::RunCounts;
use xception::train::report::{Summary, runs_cell};

/// Makes a table with one row per variant: accuracy, difference to the base, epochs to the base's accuracy, speed.
pub fn table(record: &AblationRecord) -> String {
    let summary = Summary::of(record);
    let header = [
        "variant",
        "parameters",
        "best top-1 %",
        "final top-1 %",
        "final to base (95 %)",
        "steps/s",
        "runs",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    for row in &summary.rows {
        rows.push([
            row.name.clone(),
            row.parameters.to_string(),
            sample(row.best_top1.as_ref(), &row.runs),
            sample(row.final_top1.as_ref(), &row.runs),
            match row.is_base {
                true => "base".to_owned(),
                false => difference(row.final_difference.as_ref()),
            },
            row.steps_per_second
                .map_or("-".to_owned(), |steps| format!("{steps:.2}")),
            runs_cell(row, record.epochs),
        ]);
    }
    align(&rows)
}

fn sample(sample: Option<&Sample>, runs: &RunCounts) -> String {
    let Some(sample) = sample else {
        return runs.diverged_text().unwrap_or_else(|| "-".to_owned());
    };
    let mean = 100.0 * sample.mean;
    match sample.sd {
        Some(deviation) => format!("{mean:.2} ± {:.2}", 100.0 * deviation),
        None => format!("{mean:.2}"),
    }
}

fn difference(difference: Option<&Difference>) -> String {
    let Some(difference) = difference else {
        return "-".to_owned();
    };
    let mean = 100.0 * difference.mean;
    match &difference.interval {
        Some(interval) => format!(
            "{mean:+.2} [{:+.2}, {:+.2}]",
            100.0 * interval.low,
            100.0 * interval.high
        ),
        None => match difference.no_interval {
            Some(reason) => format!("{mean:+.2} (no interval: {})", reason.label()),
            None => format!("{mean:+.2}"),
        },
    }
}

/// Aligns columns: the first to the left, the others to the right.
fn align(rows: &[[String; 7]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let lines = rows.iter().map(|row| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = width(column);
            match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use xception::train::report::statistics::NoInterval;

    use super::*;

    #[test]
    fn what_diverged_and_what_has_no_interval_is_said() {
        let mut counts = RunCounts {
            planned: 3,
            diverged: 3,
            ..RunCounts::default()
        };
        assert_eq!(sample(None, &counts), "3 of 3 runs diverged");
        counts.diverged = 0;
        assert_eq!(sample(None, &counts), "-");
        let bare = Difference {
            mean: 0.1,
            interval: None,
            no_interval: Some(NoInterval::OneRun),
        };
        assert_eq!(difference(Some(&bare)), "+10.00 (no interval: one run)");
    }

    #[test]
    fn columns_line_up() {
        let row = |first: &str, second: &str| {
            let mut cells: [String; 7] = Default::default();
            (cells[0], cells[1]) = (first.to_owned(), second.to_owned());
            cells
        };
        let text = align(&[row("a", "10"), row("long", "9")]);
        assert_eq!(text, "a     10\nlong   9");
    }
}
