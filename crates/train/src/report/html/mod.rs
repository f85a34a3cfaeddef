//! The report as one page that needs nothing else: no font, no request. All is there to read without its script, which lets a
//! reader hide variants, zoom charts and read values.

mod comparison;
mod figures;
mod grid;
mod page;
mod points;
mod settings;
mod table;
mod tables;

use maud::{Markup, PreEscaped, html};

use super::charts::theme::LineStyle;
use super::charts::{Chart, Charts};
use super::claim_table::claim_table;
use super::notes;
use super::runs::runs_table;
use super::summary::Summary;
use super::verdict::{ClaimVerdict, Verdict};
use crate::record::AblationRecord;
use crate::record::layout::{CSV_FILE, JSON_FILE};

pub(super) use comparison::to_html as comparison_to_html;

/// Writes the page.
pub(super) fn to_html(
    record: &AblationRecord,
    summary: &Summary,
    verdicts: &[ClaimVerdict],
    charts: &Charts,
) -> String {
    let content = html! {
        (header(record, summary))
        (figures::controls(record))
        (claims(record, verdicts, None, "claims"))
        (results(record, summary, charts.differences.as_ref()))
        (figures::fronts(summary, &charts.fronts))
        (figures::curves(record, &charts.epochs))
        (runs(record))
        (settings::settings(record))
        (settings::data(record))
        (settings::environment(record))
        (definitions(record, summary, JSON_FILE))
    };
    page::page(&record.title, &content, &points::points(record, summary))
}

fn header(record: &AblationRecord, summary: &Summary) -> Markup {
    html! {
        header {
            p.eyebrow { "Ablation " span { (record.name) } }
            h1 { (record.title) }
            p.lede { (record.question) }
            p.facts {
                (notes::extent(record)) " on " (record.data.name) ", "
                (notes::data_extent(record)) "."
            }
            @for notice in notes::notices(record, summary) {
                p.notice role="note" { (notice) }
            }
        }
    }
}

/// Returns the claims of an ablation, of which a page of several says the name; nothing where there are none.
fn claims(
    record: &AblationRecord,
    verdicts: &[ClaimVerdict],
    study: Option<&str>,
    id: &str,
) -> Markup {
    html! {
        @if let Some(numbers) = claim_table(record, verdicts) {
            section {
                h2 {
                    @if let Some(study) = study { (study) ": what is claimed, and what was measured" }
                    @else { "What is claimed, and what was measured" }
                }
                p { (notes::tally(verdicts)) }
                @for verdict in verdicts { (claim(verdict)) }
                (table::listed(&numbers, id))
                p.source { (notes::CLAIM_TABLE) }
            }
        }
    }
}

/// Returns every variant beside every other; nothing where none is.
fn all_pairs(record: &AblationRecord, summary: &Summary) -> Markup {
    html! {
        @if let Some(pairs) = summary.pairs.table(record) {
            (table::listed(&pairs, "pairs"))
        }
        @if let Some(note) = summary.pairs.note(record) {
            p.source { (note) }
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
            (tables::accuracies(record, summary))
            @if let Some(chart) = differences {
                figure.chart.beside {
                    (PreEscaped(chart.inline()))
                    figcaption { (notes::differences(summary)) }
                }
            }
            (all_pairs(record, summary))
            (grid::by_axis(record, summary))
            (tables::costs(record, summary))
        }
    }
}

fn styles(record: &AblationRecord) -> Vec<LineStyle> {
    let names = record.variants.iter().map(|variant| variant.name.as_str());
    LineStyle::all(names, &record.base)
}

/// Returns the name of a variant after a dash in its colour.
fn named(style: LineStyle, name: &str) -> Markup {
    html! {
        span.swatch.dashed[style.dashed] style={ "--colour:" (style.variable()) } {}
        span { (name) }
    }
}

/// Returns every run with the code and the data that it was made with; nothing where none has started.
fn runs(record: &AblationRecord) -> Markup {
    html! {
        @if let Some(runs) = runs_table(record) {
            section {
                h2 { "Runs" }
                (table::listed(&runs, "runs"))
                p.source { (notes::RUNS) }
            }
        }
    }
}

fn definitions(record: &AblationRecord, summary: &Summary, json: &str) -> Markup {
    html! {
        section {
            h2 { "How to read the numbers" }
            dl.definitions {
                @for (term, text) in super::definitions::definitions(record, summary) {
                    dt { (term) } dd { (text) }
                }
            }
            p.source {
                "Made from the records of the runs, which " code { (json) } " has too."
                @if json == JSON_FILE { " Every epoch is in " code { (CSV_FILE) } "." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;
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
            let cell = format!("</span><span>{}</span>", variant.name);
            // The buttons, two tables of results, the legend and the table of settings.
            assert_eq!(page.matches(&cell).count(), 5, "{}", variant.name);
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
        // The page's own, and what that reads.
        assert_eq!(page.matches("<script").count(), 2);
        assert!(page.matches("&lt;script&gt;").count() >= 12);
    }

    #[test]
    fn the_page_needs_nothing_else() {
        for record in synthetic::all() {
            let page = page(&record);
            for outside in [
                "src=",
                "href=",
                "@import",
                "import(",
                "fetch(",
                "XMLHttpRequest",
            ] {
                assert!(!page.contains(outside), "{outside}");
            }
            let within = page.matches("url(#").count();
            assert_eq!(page.matches("url(").count(), within);
            let content = page.split("<script>").next().unwrap();
            assert!(!content.contains("NaN"));
        }
    }

    #[test]
    fn what_diverged_and_what_has_no_interval_is_said() {
        let diverged = page(&synthetic::diverged());
        let cell = "<span class=\"diverged\">3 of 3 runs diverged</span>";
        // Best, final, and epochs to the base's best.
        assert_eq!(diverged.matches(cell).count(), 3);
        assert!(diverged.contains("1 of 3, 2 diverged"));
        let single = page(&synthetic::single_seed());
        assert_eq!(single.matches("(no interval: one run)").count(), 6);
    }

    #[test]
    fn every_table_scrolls_by_itself() {
        for record in synthetic::all() {
            let page = page(&record);
            let tables = page.matches("<table").count();
            assert_eq!(page.matches("<div class=\"scroll\"").count(), tables);
            let inside = page.split("<div class=\"scroll\"").skip(1);
            assert!(inside.clone().all(|part| {
                let (attributes, content) = part.split_once('>').unwrap();
                attributes.contains("tabindex") && content.starts_with("<table")
            }));
        }
    }

    #[test]
    fn claims_and_pairs_have_tables() {
        let page_of = page;
        let page = page_of(&synthetic::complete());
        for part in [
            "The claims in numbers",
            "xception better than no-residual: best test top-1",
            "paired, 3 seeds",
            "p (Holm)",
            "All pairs of variants: final test top-1",
            "Exploratory",
            "Paired by seed",
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("<details"));
        let many = page_of(&synthetic::crowd(13));
        assert!(many.contains("final test top-1 (78 rows)</summary>"));
    }

    #[test]
    fn a_grid_is_shown_by_axis() {
        let grid = page(&synthetic::grid());
        assert!(grid.contains("residual ↓, intermediate_activation →"));
        assert!(grid.contains("Final test top-1 (%)"));
        assert!(page(&synthetic::cube()).contains("dropout=0.5"));
        assert!(grid.contains("residual: false less true"));
        assert!(
            grid.contains("intermediate_activation: elu less none, at residual=false less at true")
        );
        assert!(!page(&synthetic::complete()).contains("By axis"));
    }

    #[test]
    fn what_is_missing_is_said() {
        assert!(page(&synthetic::incomplete()).contains("6 of 12 runs finished"));
        let page = page(&synthetic::not_started());
        assert!(page.contains("None of 12 runs"));
        assert!(page.contains("No epoch is finished yet"));
    }
}
