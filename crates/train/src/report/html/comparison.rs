//! The page of several studies.

use maud::{Markup, html};

use super::{claims, definitions, figures, page, points, results, runs, settings};
use crate::numbers::{counted, listed};
use crate::report::charts::Charts;
use crate::report::comparison::Comparison;
use crate::report::notes;

/// Writes the page.
pub(in crate::report) fn to_html(comparison: &Comparison, charts: &Charts) -> String {
    let Comparison {
        record, summary, ..
    } = comparison;
    let content = html! {
        (header(comparison))
        (figures::controls(record))
        (studies(comparison))
        (conditions(comparison))
        (results(record, summary, charts.differences.as_ref()))
        (figures::fronts(summary, &charts.fronts))
        (figures::curves(record, &charts.epochs))
        @for (place, study) in comparison.studies.iter().enumerate() {
            (claims(&study.record, &study.verdicts, Some(&study.label), &format!("claims-{place}")))
        }
        (runs(record))
        section {
            h2 { "Settings" }
            (settings::differing(record))
        }
        (settings::data(record))
        (definitions(record, summary, "comparison.json"))
    };
    page::page(&record.title, &content, &points::points(record, summary))
}

fn header(comparison: &Comparison) -> Markup {
    let record = &comparison.record;
    html! {
        header {
            p.eyebrow { "Comparison of studies" }
            h1 { (record.title) }
            p.facts {
                (counted(record.variants.len(), "variant")) " of " (comparison.studies.len()) " studies on " (record.data.name) ", "
                (notes::data_extent(record)) "."
            }
            @for notice in comparison.notices() { p.notice role="note" { (notice) } }
        }
    }
}

/// Returns a row for each study.
fn studies(comparison: &Comparison) -> Markup {
    html! {
        section {
            h2 { "The studies" }
            div.scroll tabindex="0" role="region" aria-label="The studies" {
                table.listed {
                    thead {
                        tr {
                            th scope="col" { "Study" }
                            th scope="col" { "Title" }
                            th.number scope="col" { "Variants" }
                            th.number scope="col" { "Seeds" }
                            th.number scope="col" { "Epochs" }
                        }
                    }
                    tbody {
                        @for study in &comparison.studies {
                            @let seeds: Vec<_> = study.record.seeds.iter().map(u64::to_string).collect();
                            tr {
                                th scope="row" { (study.label) }
                                td { (study.record.title) }
                                td.number { (study.record.variants.len()) }
                                td.number { (listed(&seeds)) }
                                td.number { (study.record.epochs) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Returns the settings in which the studies differ, the first one's and, marked, what is not as there.
fn conditions(comparison: &Comparison) -> Markup {
    html! {
        section {
            h2 { "What differs between the studies" }
            @if comparison.conditions.is_empty() {
                p { "Nothing but their networks: data, recipe and environment are the same." }
            } @else {
                p { (notes::CONDITIONS) }
                div.scroll tabindex="0" role="region" aria-label="What differs between the studies" {
                    table.listed {
                        thead {
                            tr {
                                th scope="col" { "Setting" }
                                @for study in &comparison.studies { th scope="col" { (study.label) } }
                                th scope="col" { "Matters for" }
                            }
                        }
                        tbody {
                            @for condition in &comparison.conditions {
                                tr {
                                    th scope="row" { (settings::breakable(&condition.path)) }
                                    @for value in &condition.values {
                                        td {
                                            @if *value == condition.values[0] { (value) } @else { mark { (value) } }
                                        }
                                    }
                                    td { (if condition.decides { "accuracy and time" } else { "time" }) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
