//! The results of an ablation as text, for a terminal.

use super::claim_table::claim_table;
use super::comparison::Comparison;
use super::notes::{self, runs_cell};
use super::statistics::{Design, Difference, Sample};
use super::summary::{RunCounts, Summary};
use super::verdict::verdicts;
use crate::record::AblationRecord;

/// Writes the results of an ablation as a table with a row for each variant: parameters, accuracies, the difference to the
/// base, speed and the number of runs.
pub fn table(record: &AblationRecord) -> String {
    table_of(record, &Summary::of(record))
}

/// Writes the results of several ablations as one table, as [`table`] does, with the notices that belong to it.
pub fn comparison_table(comparison: &Comparison) -> String {
    let mut text = table_of(&comparison.record, &comparison.summary);
    for notice in comparison.notices() {
        text.push_str(&format!("\n\n{notice}"));
    }
    text
}

fn table_of(record: &AblationRecord, summary: &Summary) -> String {
    let has_chosen = summary.has_chosen();
    let mut header = vec!["variant", "parameters", "best top-1 %", "final top-1 %"];
    header.push("final to base (95 %)");
    if has_chosen {
        header.push("chosen top-1 %");
    }
    let has_map100 = summary.has_map100();
    if has_map100 {
        header.extend(["MAP@100 %", "MAP@100 to base (95 %)"]);
    }
    header.extend(["steps/s", "runs"]);
    let mut rows = vec![header.into_iter().map(str::to_owned).collect()];
    for row in &summary.rows {
        let mut cells = vec![
            row.name.clone(),
            row.parameters.to_string(),
            sample(row.best_top1.as_ref(), &row.runs),
            sample(row.final_top1.as_ref(), &row.runs),
            match row.is_base {
                true => "base".to_owned(),
                false => difference(row.final_difference.as_ref()),
            },
        ];
        if has_chosen {
            cells.push(sample(row.chosen_top1.as_ref(), &row.runs));
        }
        if has_map100 {
            cells.push(sample(row.final_map100.as_ref(), &row.runs));
            cells.push(match row.is_base {
                true => "base".to_owned(),
                false => difference(row.map100_difference.as_ref()),
            });
        }
        let steps = row.steps_per_second;
        cells.push(steps.map_or("-".to_owned(), |steps| format!("{steps:.2}")));
        cells.push(runs_cell(row, record.epochs));
        rows.push(cells);
    }
    align(&rows)
}

/// Writes the claims of an ablation: how many came out which way, a table with a row for each (difference, interval, what was
/// compared, p-values by themselves and corrected, verdicts), and the reason of each verdict. Empty without claims.
pub fn claims(record: &AblationRecord) -> String {
    let verdicts = verdicts(record);
    let Some(table) = claim_table(record, &verdicts) else {
        return String::new();
    };
    let mut rows = vec![table.head];
    rows.extend(table.rows);
    let mut text = format!("{}\n\n{}\n", notes::tally(&verdicts), align(&rows));
    for verdict in &verdicts {
        let label = verdict.verdict.label();
        text.push_str(&format!(
            "\n{label}: {} {}",
            verdict.claim.text, verdict.reason
        ));
    }
    text.replace('\u{a0}', " ")
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
            "{mean:+.2} [{:+.2}, {:+.2}]{}",
            100.0 * interval.low,
            100.0 * interval.high,
            match difference.design {
                Design::Paired { .. } => "",
                Design::Unpaired { .. } => " unpaired",
            }
        ),
        None => match difference.no_interval {
            Some(reason) => format!("{mean:+.2} (no interval: {})", reason.label()),
            None => format!("{mean:+.2}"),
        },
    }
}

/// Returns the columns of equal width; the first to the left, the others to the right.
fn align(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, &width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

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
        let bare = Difference::unpaired(&[0.1], &[0.0]).unwrap();
        assert_eq!(difference(Some(&bare)), "+10.00 (no interval: one run)");
        let unpaired = Difference::between(&[(1, 0.2), (2, 0.3)], &[(3, 0.1), (4, 0.2)]).unwrap();
        let text = difference(Some(&unpaired));
        assert!(
            text.starts_with("+10.00 [") && text.ends_with("] unpaired"),
            "{text}"
        );
    }

    #[test]
    fn columns_line_up() {
        let row = |first: &str, second: &str| vec![first.to_owned(), second.to_owned()];
        let text = align(&[row("a", "10"), row("long", "9")]);
        assert_eq!(text, "a     10\nlong   9");
    }

    #[test]
    fn claims_have_their_numbers_and_reasons() {
        let mut record = synthetic::complete();
        let text = claims(&record);
        assert!(text.starts_with("Of 3 claims, the measurement "), "{text}");
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[2].ends_with("By itself      Verdict"), "{text}");
        let cells = [
            "xception better than no-residual: best test top-1 ",
            " pp ",
            "paired, 3 seeds",
        ];
        assert!(cells.iter().all(|cell| lines[3].contains(cell)), "{text}");
        assert_eq!(lines.len(), 10);
        assert!(lines[7].contains("p = ") && lines[7].contains("corrected for 3 claims"));
        record.claims.clear();
        assert_eq!(claims(&record), "");
    }
}
