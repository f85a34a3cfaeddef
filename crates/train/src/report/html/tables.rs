//! The tables of results.

use maud::{Markup, html};

use super::{named, styles};
use crate::numbers::{magnitude, significant, thousands};
use crate::record::AblationRecord;
use crate::report::charts::theme::LineStyle;
use crate::report::format::{NONE, UNKNOWN, Unit, milliseconds, ratio};
use crate::report::notes;
use crate::report::statistics::{Difference, Sample};
use crate::report::summary::{Summary, SummaryRow};

/// Accuracies and their differences to the base.
pub(super) fn accuracies(record: &AblationRecord, summary: &Summary) -> Markup {
    let unit = Unit::percent(record.data.test_images);
    let (has_chosen, has_map100) = (summary.has_chosen(), summary.has_map100());
    html! {
        h3 #accuracy { "Accuracy on the test set" }
        p.source {
            "Top-1, and the difference to " strong { (record.base) } " in percentage points by seed, with its "
            "95\u{a0}% interval."
        }
        div.scroll tabindex="0" role="region" aria-labelledby="accuracy" {
            table.compact[has_chosen || has_map100] {
                thead {
                    tr {
                        th scope="col" { "Variant" }
                        th.number scope="col" { "Best " span.unit { "%" } }
                        th.number scope="col" { "Difference " span.unit { "pp" } }
                        th.number scope="col" { "Final " span.unit { "%" } }
                        th.number scope="col" { "Difference " span.unit { "pp" } }
                        @if has_chosen {
                            th.number scope="col" { "Chosen " span.unit { "%" } }
                            th.number scope="col" { "Difference " span.unit { "pp" } }
                        }
                        @if has_map100 {
                            th.number scope="col" { "MAP@100 " span.unit { "%" } }
                            th.number scope="col" { "Difference " span.unit { "pp" } }
                        }
                        th.number scope="col" { "Runs" }
                    }
                }
                tbody {
                    @for (place, (row, style)) in summary.rows.iter().zip(styles(record)).enumerate() {
                        tr.base[row.is_base] data-variants=(place) {
                            (name_cell(row, style))
                            (sample_cell(unit, row, row.best_top1.as_ref()))
                            (difference_cell(unit, row, row.best_difference.as_ref()))
                            (sample_cell(unit, row, row.final_top1.as_ref()))
                            (difference_cell(unit, row, row.final_difference.as_ref()))
                            @if has_chosen {
                                (sample_cell(unit, row, row.chosen_top1.as_ref()))
                                (difference_cell(unit, row, row.chosen_difference.as_ref()))
                            }
                            @if has_map100 {
                                (sample_cell(unit, row, row.final_map100.as_ref()))
                                (difference_cell(unit, row, row.map100_difference.as_ref()))
                            }
                            td.number.runs { (notes::runs_cell(row, record.epochs)) }
                        }
                    }
                }
            }
        }
    }
}

/// Parameters, multiply-adds and speed.
pub(super) fn costs(record: &AblationRecord, summary: &Summary) -> Markup {
    html! {
        h3 #cost { "Size, cost and speed" }
        div.scroll tabindex="0" role="region" aria-labelledby="cost" {
            table {
                thead {
                    tr {
                        th scope="col" { "Variant" }
                        th.number scope="col" colspan="2" { "Parameters" }
                        th.number scope="col" colspan="2" { "Multiply-adds " span.unit { "an image" } }
                        th.number scope="col" { "Steps a second" }
                        th.number scope="col" { "Fastest step " span.unit { "ms" } }
                        th.number scope="col" { "Epochs to base's best" }
                    }
                }
                tbody {
                    @for (place, (row, style)) in summary.rows.iter().zip(styles(record)).enumerate() {
                        tr.base[row.is_base] data-variants=(place) {
                            (name_cell(row, style))
                            td.number { (thousands(row.parameters)) }
                            (ratio_cell(row.parameters_ratio))
                            td.number { (row.multiply_adds.map_or_else(|| UNKNOWN.to_owned(), magnitude)) }
                            (ratio_cell(row.multiply_adds_ratio))
                            td.number { (or_none(row.steps_per_second.map(significant))) }
                            td.number { (or_none(row.seconds_per_step.map(milliseconds))) }
                            td.number {
                                @match diverged(row) {
                                    Some(diverged) => (diverged),
                                    None => (or_none(notes::reached_cell(row))),
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn name_cell(row: &SummaryRow, style: LineStyle) -> Markup {
    html! {
        th scope="row" {
            div.name { (named(style, &row.name)) @if row.is_base { span.tag { "base" } } }
        }
    }
}

fn or_none(text: Option<String>) -> String {
    text.unwrap_or_else(|| NONE.to_owned())
}

fn ratio_cell(value: Option<f64>) -> Markup {
    html! { td.ratio { (or_none(value.map(ratio))) } }
}

/// Returns what stands in place of the figures of a variant that has none because runs diverged.
fn diverged(row: &SummaryRow) -> Option<Markup> {
    let text = row.runs.diverged_text().filter(|_| row.runs.finished == 0);
    text.map(|text| html! { span.diverged { (text) } })
}

fn sample_cell(unit: Unit, row: &SummaryRow, sample: Option<&Sample>) -> Markup {
    html! {
        td.number {
            @match sample {
                None => { (diverged(row).unwrap_or_else(|| html! { (NONE) })) }
                Some(sample) => {
                    (unit.number(sample.mean))
                    @if let Some(sd) = sample.sd { span.spread { " ± " (unit.number(sd)) } }
                }
            }
        }
    }
}

fn difference_cell(unit: Unit, row: &SummaryRow, difference: Option<&Difference>) -> Markup {
    let class = match difference {
        Some(difference) if difference.excludes_zero() => {
            if difference.mean > 0.0 {
                "higher"
            } else {
                "lower"
            }
        }
        _ => "",
    };
    html! {
        td.number {
            @match difference {
                None => { (if row.is_base { "" } else { NONE }) }
                Some(difference) => {
                    span class=(class) { (unit.signed(difference.mean)) }
                    " "
                    span.spread.why[difference.interval.is_none()] { (unit.spread(difference)) }
                }
            }
        }
    }
}
