//! The report as one page that needs nothing else: no script, no font, no request.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::charts::theme::{self, LineStyle};
use super::charts::{Chart, Charts};
use super::format::{NONE, Unit, listed, magnitude, ratio, significant, thousands};
use super::notes;
use super::statistics::{Difference, Sample};
use super::summary::{Summary, SummaryRow};
use super::verdict::{ClaimVerdict, Verdict};
use crate::record::AblationRecord;

const STYLE: &str = include_str!("style.css");

/// Writes the page.
pub(super) fn to_html(
    record: &AblationRecord,
    summary: &Summary,
    verdicts: &[ClaimVerdict],
    charts: &Charts,
) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (record.title) }
                style { (PreEscaped(style())) }
            }
            body {
                main {
                    (header(record, summary))
                    (claims(verdicts))
                    (results(record, summary, charts.differences.as_ref()))
                    (curves(record, &charts.epochs))
                    (settings(record))
                    (data(record))
                    (environment(record))
                    (definitions(record, summary))
                }
            }
        }
    };
    page.into_string() + "\n"
}

fn style() -> String {
    let (light, dark) = (theme::variables(false), theme::variables(true));
    let rules = theme::dark_rules(".chart");
    format!(
        "{STYLE}:root{{{light}}}\n\
         @media screen and (prefers-color-scheme:dark){{:root{{{dark}}}{rules}}}\n"
    )
}

fn header(record: &AblationRecord, summary: &Summary) -> Markup {
    html! {
        header {
            p.eyebrow { "Ablation " span { (record.name) } }
            h1 { (record.title) }
            p.lede { (record.question) }
            p.facts { (notes::extent(record)) " on " (record.data.name) ", " (notes::data_extent(record)) "." }
            @for notice in notes::notices(record, summary) {
                p.notice role="note" { (notice) }
            }
        }
    }
}

fn claims(verdicts: &[ClaimVerdict]) -> Markup {
    html! {
        @if !verdicts.is_empty() {
            section {
                h2 { "What is claimed, and what was measured" }
                p { (notes::tally(verdicts)) }
                @for verdict in verdicts { (claim(verdict)) }
            }
        }
    }
}

fn claim(verdict: &ClaimVerdict) -> Markup {
    let (class, sign) = match verdict.verdict {
        Verdict::Agrees => ("agrees", "✓"),
        Verdict::Contradicts => ("contradicts", "✕"),
        Verdict::TooFewToTell => ("undecided", "?"),
    };
    html! {
        article class={ "claim " (class) } {
            p.verdict { span aria-hidden="true" { (sign) } " " (verdict.verdict.label()) }
            div.claimed {
                p { (verdict.claim.text) }
                p.source { (verdict.claim.source) }
            }
            div.measured {
                p { (verdict.measured) }
                p.source { (verdict.reason) }
            }
        }
    }
}

fn results(record: &AblationRecord, summary: &Summary, differences: Option<&Chart>) -> Markup {
    html! {
        section {
            h2 { "Results" }
            (accuracies(record, summary))
            @if let Some(chart) = differences { (figure(chart, "chart wide")) }
            (costs(record, summary))
        }
    }
}

fn accuracies(record: &AblationRecord, summary: &Summary) -> Markup {
    let unit = Unit::percent(record.data.test_images);
    html! {
        div.scroll tabindex="0" role="region" aria-label="Accuracies" {
            table {
                caption { "Top-1 accuracy on the test set, and the difference to " strong { (record.base) } }
                thead {
                    tr {
                        th scope="col" { "Variant" }
                        th.number scope="col" { "Best " span.unit { "%" } }
                        th.number scope="col" { "Difference " span.unit { "pp [95 %]" } }
                        th.number scope="col" { "Final " span.unit { "%" } }
                        th.number scope="col" { "Difference " span.unit { "pp [95 %]" } }
                        th.number scope="col" { "Runs" }
                    }
                }
                tbody {
                    @for (row, style) in styled(record, summary) {
                        tr.base[row.is_base] {
                            (name_cell(row, style))
                            (sample_cell(unit, row.best_top1.as_ref()))
                            (difference_cell(unit, row, row.best_difference.as_ref()))
                            (sample_cell(unit, row.final_top1.as_ref()))
                            (difference_cell(unit, row, row.final_difference.as_ref()))
                            td.number { (notes::runs_cell(&row.runs)) }
                        }
                    }
                }
            }
        }
    }
}

fn costs(record: &AblationRecord, summary: &Summary) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Costs" {
            table {
                caption { "Size, cost and speed" }
                thead {
                    tr {
                        th scope="col" { "Variant" }
                        th.number scope="col" colspan="2" { "Parameters" }
                        th.number scope="col" colspan="2" { "Multiply-adds " span.unit { "an image" } }
                        th.number scope="col" { "Steps a second" }
                        th.number scope="col" { "Epochs to base" }
                    }
                }
                tbody {
                    @for (row, style) in styled(record, summary) {
                        tr.base[row.is_base] {
                            (name_cell(row, style))
                            td.number { (thousands(row.parameters)) }
                            (ratio_cell(row.parameters_ratio))
                            td.number { (magnitude(row.multiply_adds)) }
                            (ratio_cell(row.multiply_adds_ratio))
                            td.number { (or_none(row.steps_per_second.map(significant))) }
                            td.number { (or_none(notes::reached_cell(row))) }
                        }
                    }
                }
            }
        }
    }
}

fn styled<'a>(
    record: &AblationRecord,
    summary: &'a Summary,
) -> impl Iterator<Item = (&'a SummaryRow, LineStyle)> {
    let names = summary.rows.iter().map(|row| row.name.as_str());
    summary.rows.iter().zip(LineStyle::all(names, &record.base))
}

fn name_cell(row: &SummaryRow, style: LineStyle) -> Markup {
    html! {
        th scope="row" {
            (swatch(style)) (row.name)
            @if row.is_base { " " span.tag { "base" } }
        }
    }
}

fn swatch(style: LineStyle) -> Markup {
    html! { span.swatch.dashed[style.dashed] style={ "--colour:" (style.variable()) } {} }
}

fn or_none(text: Option<String>) -> String {
    text.unwrap_or_else(|| NONE.to_owned())
}

fn ratio_cell(value: Option<f64>) -> Markup {
    html! { td.ratio { (or_none(value.map(ratio))) } }
}

fn sample_cell(unit: Unit, sample: Option<&Sample>) -> Markup {
    html! {
        td.number {
            @match sample {
                None => { (NONE) }
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
                    @if let Some(interval) = &difference.interval {
                        span.spread { " " (unit.interval(interval)) }
                    }
                }
            }
        }
    }
}

fn curves(record: &AblationRecord, charts: &[Chart]) -> Markup {
    let names = record.variants.iter().map(|variant| variant.name.as_str());
    let styles = LineStyle::all(names, &record.base);
    html! {
        section {
            h2 { "By epoch" }
            @if charts.is_empty() {
                p { "No epoch is finished yet." }
            } @else {
                ul.legend {
                    @for (variant, style) in record.variants.iter().zip(styles) {
                        li { (swatch(style)) (variant.name) }
                    }
                }
                div.charts { @for chart in charts { (figure(chart, "chart")) } }
            }
        }
    }
}

fn figure(chart: &Chart, class: &str) -> Markup {
    html! { figure class=(class) { (PreEscaped(chart.inline())) } }
}

fn settings(record: &AblationRecord) -> Markup {
    html! {
        section {
            h2 { "Settings" }
            h3 { "What each variant changes" }
            div.scroll tabindex="0" role="region" aria-label="Changes" {
                table.changes {
                    thead { tr { th scope="col" { "Variant" } th scope="col" { "Sets" } } }
                    tbody {
                        @for variant in &record.variants {
                            tr {
                                th scope="row" { (variant.name) }
                                td {
                                    @if variant.changes.is_empty() { span.spread { "nothing" } }
                                    @for (path, value) in &variant.changes {
                                        code { (path) " = " (value) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if !record.settings.is_empty() {
                h3 { "What all of them share" }
                dl.pairs { (pairs(&record.settings)) }
            }
        }
    }
}

fn pairs(pairs: &[(String, String)]) -> Markup {
    html! { @for (name, value) in pairs { div { dt { (name) } dd { (value) } } } }
}

fn data(record: &AblationRecord) -> Markup {
    let data = &record.data;
    html! {
        section {
            h2 { "Data" }
            p { strong { (data.name) } ": " (notes::data_extent(record)) "." }
            p.citation { (data.citation) }
            dl.pairs.long {
                div { dt { "Source" } dd { code { (data.source) } } }
                div { dt { "SHA-256" } dd { code { (data.sha256) } } }
            }
        }
    }
}

fn environment(record: &AblationRecord) -> Markup {
    let place = &record.environment;
    let seeds: Vec<_> = record.seeds.iter().map(u64::to_string).collect();
    html! {
        section {
            h2 { "Environment" }
            dl.pairs {
                div { dt { "Backend" } dd { (place.backend) } }
                div { dt { "Device" } dd { (place.device) } }
                @if !place.processor.is_empty() {
                    div { dt { "Processor" } dd { (place.processor) } }
                }
                div { dt { "Threads" } dd { (place.threads) } }
                div { dt { "Platform" } dd { (place.platform) } }
                (pairs(&place.versions))
                div { dt { "Seeds" } dd { (listed(&seeds)) } }
            }
            p { "This repeats it:" }
            pre { code { (record.command) } }
        }
    }
}

fn definitions(record: &AblationRecord, summary: &Summary) -> Markup {
    html! {
        section {
            h2 { "How to read the numbers" }
            dl.definitions {
                @for (term, text) in notes::definitions(record, summary) {
                    dt { (term) } dd { (text) }
                }
            }
            p.source {
                "Made from " code { "results.json" } "; every epoch is in " code { "results.csv" } "."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;
    use crate::report::verdict::verdicts;

    fn page(record: &AblationRecord) -> String {
        let summary = Summary::of(record);
        let charts = Charts::of(record, &summary).unwrap();
        to_html(record, &summary, &verdicts(record), &charts)
    }

    #[test]
    fn every_variant_has_a_row_in_both_tables() {
        let record = synthetic::complete();
        let page = page(&record);
        for variant in &record.variants {
            let cell = format!("</span>{}", variant.name);
            // Two tables and the legend.
            assert_eq!(page.matches(&cell).count(), 3, "{}", variant.name);
        }
        assert!(page.contains("1,258,610") && page.contains("41.3 M"));
    }

    #[test]
    fn verdicts_are_worded() {
        let page = page(&synthetic::complete());
        for verdict in [Verdict::Agrees, Verdict::Contradicts, Verdict::TooFewToTell] {
            assert!(page.contains(verdict.label()));
        }
    }

    #[test]
    fn text_is_escaped_everywhere() {
        let evil = "<script>alert('&')</script>";
        let mut record = synthetic::complete();
        let set = |text: &mut String| *text = evil.to_owned();
        set(&mut record.title);
        set(&mut record.question);
        set(&mut record.name);
        set(&mut record.command);
        set(&mut record.data.citation);
        set(&mut record.environment.device);
        set(&mut record.settings[0].1);
        set(&mut record.variants[1].name);
        set(&mut record.variants[2].changes[0].0);
        set(&mut record.claims[0].text);
        set(&mut record.claims[0].worse);
        set(&mut record.claims[2].better);
        let page = page(&record);
        assert!(!page.contains("<script"));
        assert!(page.matches("&lt;script&gt;").count() >= 12);
    }

    #[test]
    fn the_page_needs_nothing_else() {
        for record in synthetic::all() {
            let page = page(&record);
            for outside in ["src=", "href=", "url(", "@import"] {
                assert!(!page.contains(outside), "{outside}");
            }
            assert!(!page.contains("NaN"));
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        assert!(page(&synthetic::incomplete()).contains("6 of 12 runs finished"));
        let page = page(&synthetic::not_started());
        assert!(page.contains("0 of 12 runs finished"));
        assert!(page.contains("No epoch is finished yet"));
    }
}
