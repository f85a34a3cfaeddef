//! The report in Markdown, with its charts as files beside it.

mod page;

use super::charts::{Chart, Charts};
use super::claim_table::claim_table;
use super::definitions::definitions;
use super::format::{NONE, UNKNOWN, Unit, milliseconds, ratio};
use super::notes;
use super::runs::runs_table;
use super::settings::{Differing, Setting};
use super::statistics::{Difference, Sample};
use super::summary::{Summary, SummaryRow};
use super::table::Table;
use super::verdict::ClaimVerdict;
use crate::numbers::{listed, magnitude, significant, thousands};
use crate::record::AblationRecord;

use page::{Page, code, fenced, text};

/// Writes the report; `chart_folder` is where the charts are, seen from the report.
pub(super) fn to_markdown(
    record: &AblationRecord,
    summary: &Summary,
    verdicts: &[ClaimVerdict],
    charts: &Charts,
    chart_folder: &str,
) -> String {
    let mut page = Page::default();
    page.block(&format!("# {}", text(&record.title)));
    page.block(&text(&record.question));
    page.block(&format!(
        "{} on {}, {}.",
        notes::extent(record),
        text(&record.data.name),
        notes::data_extent(record)
    ));
    for notice in notes::notices(record, summary) {
        page.block(&format!("> **Note:** {}", text(&notice)));
    }
    claims(&mut page, record, verdicts);
    page.block("## Results");
    accuracies(&mut page, record, summary);
    if let Some(chart) = &charts.differences {
        page.block(&image(chart, chart_folder));
        page.block(notes::differences(summary));
    }
    pairs(&mut page, record, summary);
    by_axis(&mut page, record, summary);
    costs(&mut page, summary);
    if !charts.fronts.is_empty() {
        page.block("## Accuracy and cost");
        page.block(&text(&notes::fronts(summary)));
    }
    for chart in &charts.fronts {
        page.block(&image(chart, chart_folder));
    }
    page.block("## By epoch");
    if charts.epochs.is_empty() {
        page.block("No epoch is finished yet.");
    }
    for chart in &charts.epochs {
        page.block(&image(chart, chart_folder));
    }
    if let Some(table) = runs_table(record) {
        page.block("## Runs");
        listed_table(&mut page, &table);
        page.block(notes::RUNS);
    }
    settings(&mut page, record);
    data(&mut page, record);
    environment(&mut page, record);
    page.block("## How to read the numbers");
    page.block("");
    for (term, definition) in definitions(record, summary) {
        page.line(&format!("- **{}**: {}", text(term), text(&definition)));
    }
    page.block("");
    page.block("Made from the records of the runs, which `results.json` has too; every epoch is in `results.csv`.");
    page.0
}

fn claims(page: &mut Page, record: &AblationRecord, verdicts: &[ClaimVerdict]) {
    let Some(numbers) = claim_table(record, verdicts) else {
        return;
    };
    page.block("## What is claimed, and what was measured");
    page.block(&notes::tally(verdicts));
    let head = ["Claim", "Verdict", "Measured"];
    let rows = verdicts.iter().map(|verdict| {
        [
            format!(
                "{} *{}*",
                text(&verdict.claim.text),
                text(&verdict.claim.source)
            ),
            format!("**{}**", verdict.verdict.label()),
            format!("{} {}", text(&verdict.measured), text(&verdict.reason)),
        ]
    });
    page.table(&head, head.len(), rows);
    listed_table(page, &numbers);
    page.block(notes::CLAIM_TABLE);
}

/// Writes a table under its title, folded where it is long.
fn listed_table(page: &mut Page, table: &Table) {
    let title = text(&table.title);
    if table.is_long() {
        let rows = table.rows.len();
        page.block(&format!(
            "<details>\n<summary>{title} ({rows} rows)</summary>"
        ));
    } else {
        page.block(&format!("**{title}**"));
    }
    let head: Vec<_> = table.head.iter().map(|cell| text(cell)).collect();
    let head: Vec<_> = head.iter().map(String::as_str).collect();
    let row = |row: &Vec<String>| row.iter().map(|cell| text(cell)).collect::<Vec<_>>();
    page.table(&head, table.texts, table.rows.iter().map(row));
    if table.is_long() {
        page.block("</details>");
    }
}

/// Writes every variant beside every other.
fn pairs(page: &mut Page, record: &AblationRecord, summary: &Summary) {
    if let Some(table) = summary.pairs.table(record) {
        listed_table(page, &table);
    }
    if let Some(note) = summary.pairs.note(record) {
        page.block(&note);
    }
}

fn accuracies(page: &mut Page, record: &AblationRecord, summary: &Summary) {
    let unit = Unit::percent(record.data.test_images);
    let difference = |difference: Option<&Difference>, row: &SummaryRow| match difference {
        None if row.is_base => String::new(),
        None => NONE.to_owned(),
        Some(difference) => format!(
            "{} {}",
            unit.signed(difference.mean),
            text(&unit.spread(difference))
        ),
    };
    let figure = |sample: Option<&Sample>, row: &SummaryRow| match sample {
        Some(sample) => unit.sample(sample),
        None => or_none(row.runs.diverged_text()),
    };
    page.block("### Accuracy on the test set");
    page.block(&format!(
        "Top-1, and the difference to {} in percentage points by seed, with its 95 % interval.",
        text(&record.base)
    ));
    let mut head = vec![
        "Variant",
        "Best (%)",
        "Difference (pp)",
        "Final (%)",
        "Difference (pp)",
    ];
    let has_chosen = summary.has_chosen();
    if has_chosen {
        head.extend(["Chosen (%)", "Difference (pp)"]);
    }
    let has_map100 = summary.has_map100();
    if has_map100 {
        head.extend(["MAP@100 (%)", "Difference (pp)"]);
    }
    head.push("Runs");
    let rows = summary.rows.iter().map(|row| {
        let mut cells = vec![
            name(row),
            figure(row.best_top1.as_ref(), row),
            difference(row.best_difference.as_ref(), row),
            figure(row.final_top1.as_ref(), row),
            difference(row.final_difference.as_ref(), row),
        ];
        if has_chosen {
            cells.push(figure(row.chosen_top1.as_ref(), row));
            cells.push(difference(row.chosen_difference.as_ref(), row));
        }
        if has_map100 {
            cells.push(figure(row.final_map100.as_ref(), row));
            cells.push(difference(row.map100_difference.as_ref(), row));
        }
        cells.push(notes::runs_cell(row, record.epochs));
        cells
    });
    page.table(&head, 1, rows);
}

/// Returns the view of a grid by axis.
fn by_axis(page: &mut Page, record: &AblationRecord, summary: &Summary) {
    let Some(grid) = &summary.grid else { return };
    page.block("### By axis");
    page.block(notes::BY_AXIS);
    for table in grid.tables(record, &summary.rows) {
        listed_table(page, &table);
    }
    let effects = grid.effect_tables(record);
    if !effects.is_empty() {
        page.block(notes::EFFECTS);
    }
    for table in effects {
        listed_table(page, &table);
    }
}

fn costs(page: &mut Page, summary: &Summary) {
    page.block("### Size, cost and speed");
    let head = [
        "Variant",
        "Parameters",
        "to base",
        "Multiply-adds",
        "to base",
        "Steps a second",
        "Fastest step (ms)",
        "Epochs to base's best",
    ];
    let rows = summary.rows.iter().map(|row| {
        [
            name(row),
            thousands(row.parameters),
            or_none(row.parameters_ratio.map(ratio)),
            row.multiply_adds
                .map_or_else(|| UNKNOWN.to_owned(), magnitude),
            or_none(row.multiply_adds_ratio.map(ratio)),
            or_none(row.steps_per_second.map(significant)),
            or_none(row.seconds_per_step.map(milliseconds)),
            or_none(notes::reached_cell(row)),
        ]
    });
    page.table(&head, 1, rows);
}

fn name(row: &SummaryRow) -> String {
    let name = text(&row.name);
    if row.is_base {
        format!("**{name}** (base)")
    } else {
        name
    }
}

fn or_none(text: Option<String>) -> String {
    text.unwrap_or_else(|| NONE.to_owned())
}

fn image(chart: &Chart, folder: &str) -> String {
    format!("![{}]({folder}/{}.svg)", text(&chart.title), chart.stem)
}

fn settings(page: &mut Page, record: &AblationRecord) {
    page.block("## Settings");
    let differing = Differing::of(record);
    if !differing.paths.is_empty() {
        page.block("### What differs");
        page.block(notes::DIFFERING);
        let paths = differing.paths.iter().map(|path| code(path));
        let head: Vec<_> = ["Variant".to_owned()].into_iter().chain(paths).collect();
        let head: Vec<_> = head.iter().map(String::as_str).collect();
        let rows = record.variants.iter().zip(&differing.rows);
        let rows = rows.map(|(variant, row)| {
            let cell = |setting: &Setting| match setting.differs {
                true => format!("**{}**", text(setting.text())),
                false => text(setting.text()),
            };
            let cells = [text(&variant.name)]
                .into_iter()
                .chain(row.iter().map(cell));
            cells.collect::<Vec<_>>()
        });
        page.table(&head, head.len(), rows);
    }
    if !record.settings.is_empty() {
        let settings = record.settings.iter();
        let rows = settings.map(|(name, value)| [text(name), text(value)]);
        page.block("### What all of them share");
        page.table(&["Setting", "Value"], 2, rows);
    }
}

fn data(page: &mut Page, record: &AblationRecord) {
    let data = &record.data;
    page.block("## Data");
    page.block(&format!(
        "**{}**: {}.",
        text(&data.name),
        notes::data_extent(record)
    ));
    page.block(&text(&data.citation));
    page.block(&format!("- Source: {}", code(&data.source)));
    page.line(&format!("- SHA-256: {}", code(&data.sha256)));
}

fn environment(page: &mut Page, record: &AblationRecord) {
    let place = &record.environment;
    let seeds: Vec<_> = record.seeds.iter().map(u64::to_string).collect();
    page.block("## Environment");
    page.block("");
    let mut pair = |name: &str, value: &str| {
        if !value.is_empty() {
            page.line(&format!("- {}: {}", text(name), text(value)));
        }
    };
    pair("Backend", &place.backend);
    pair("Device", &place.device);
    pair("Processor", &place.processor);
    pair("Threads", &place.threads.to_string());
    pair("Platform", &place.platform);
    for (name, version) in &place.versions {
        pair(name, version);
    }
    pair("Seeds", &listed(&seeds));
    page.block("This repeats it:");
    page.block(&fenced(&record.command));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;
    use crate::report::verdict::verdicts;

    fn page(record: &AblationRecord) -> String {
        let summary = Summary::of(record);
        let charts = Charts::of(record, &summary).unwrap();
        to_markdown(record, &summary, &verdicts(record), &charts, "charts")
    }

    #[test]
    fn tables_keep_their_columns() {
        let mut record = synthetic::complete();
        record.variants[1].name = "a|b".to_owned();
        record.claims.clear();
        let page = page(&record);
        let columns = |line: &str| line.replace("\\|", "").matches('|').count();
        let mut lines = page.lines().peekable();
        while let Some(line) = lines.next() {
            if let Some(next) = lines.peek()
                && line.starts_with('|')
                && next.starts_with('|')
            {
                assert_eq!(columns(line), columns(next), "{line}");
            }
        }
        assert!(page.contains("| a\\|b |"));
    }

    #[test]
    fn markup_is_escaped() {
        let mut record = synthetic::complete();
        record.title = "<script>*x*</script> [y](z)".to_owned();
        record.command = "echo ```".to_owned();
        let page = page(&record);
        assert!(page.starts_with("# &lt;script&gt;\\*x\\*&lt;/script&gt; \\[y\\](z)\n"));
        assert!(page.contains("````sh\necho ```\n````"));
        assert_eq!(code("a`b"), "`` a`b ``");
    }

    #[test]
    fn what_diverged_and_what_has_no_interval_is_said() {
        let diverged = page(&synthetic::diverged());
        let row = "| no-residual | 3 of 3 runs diverged | – | 3 of 3 runs diverged | – | 0 of 3, 3 diverged |";
        assert!(diverged.contains(row), "{diverged}");
        assert!(diverged.contains("| 1 of 3, 2 diverged |"), "{diverged}");
        assert!(diverged.contains("(no interval: one run)"));
        let single = page(&synthetic::single_seed());
        assert_eq!(single.matches("(no interval: one run)").count(), 6);
        assert!(single.contains(notes::NO_INTERVALS) && !single.contains(notes::DIFFERENCES));
    }

    #[test]
    fn claims_and_pairs_have_tables() {
        let complete = page(&synthetic::complete());
        let row = "| xception better than no-residual: best test top-1 | +";
        assert!(complete.contains(row), "{complete}");
        assert!(
            complete.contains("| intermediate-elu | no-residual | +"),
            "{complete}"
        );
        assert!(!complete.contains("<details>"));
        let many = page(&synthetic::crowd(13));
        let summary = "<details>\n<summary>All pairs of variants: final test top-1 (78 rows)</summary>\n\n| Variant |";
        assert!(
            many.contains(summary) && many.contains("\n\n</details>\n"),
            "{many}"
        );
    }

    #[test]
    fn a_grid_is_shown_by_axis() {
        let grid = page(&synthetic::grid());
        assert!(
            grid.contains("| residual ↓, intermediate\\_activation → | none | relu | elu | Mean |")
        );
        assert!(grid.contains("| residual: false less true | −"), "{grid}");
        assert!(!page(&synthetic::complete()).contains("By axis"));
    }

    #[test]
    fn charts_are_shown() {
        let page = page(&synthetic::complete());
        assert_eq!(page.matches("](charts/").count(), 8);
        assert!(!page.contains("\n\n\n"));
    }

    #[test]
    fn what_is_missing_is_said() {
        assert!(page(&synthetic::incomplete()).contains("> **Note:** 6 of 12 runs finished."));
        assert!(page(&synthetic::not_started()).contains("No epoch is finished yet."));
    }
}
