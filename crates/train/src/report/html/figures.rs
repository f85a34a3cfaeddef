//! The charts of a page, with what a reader can do to them once its script runs.

use maud::{Markup, PreEscaped, html};

use super::{named, styles};
use crate::record::AblationRecord;
use crate::report::charts::Chart;
use crate::report::front::{Cost, Front};
use crate::report::notes;
use crate::report::summary::Summary;

/// Returns the buttons that hide and show variants; hidden until the script runs.
pub(super) fn controls(record: &AblationRecord) -> Markup {
    html! {
        nav #controls aria-label="Variants that are shown" hidden {
            div.toggles {
                @for (place, (variant, style)) in record.variants.iter().zip(styles(record)).enumerate() {
                    button.name type="button" aria-pressed="true" data-toggle=(place) { (named(style, &variant.name)) }
                }
            }
            div.toggles {
                button type="button" data-toggle="all" { "Show all" }
                button type="button" data-toggle="none" { "Hide all" }
                span #shown role="status" {}
            }
        }
    }
}

/// Returns accuracy against each cost; nothing where no cost is known of two variants.
pub(super) fn fronts(summary: &Summary, charts: &[Chart]) -> Markup {
    html! {
        @if !charts.is_empty() {
            section {
                h2 { "Accuracy and cost" }
                p { (notes::fronts(summary)) }
                (switch(&summary.fronts))
                div.charts.fronts {
                    @for chart in charts { (interactive(chart)) }
                }
            }
        }
    }
}

/// Returns the buttons that choose a cost; hidden until the script runs.
fn switch(fronts: &[Front]) -> Markup {
    let label = |cost| match cost {
        Cost::Parameters => "Parameters",
        Cost::MultiplyAdds => "Multiply-adds",
        Cost::SecondsPerStep => "Time of a step",
    };
    html! {
        @if fronts.len() > 1 {
            div.switch role="group" aria-label="Cost" hidden {
                @for front in fronts {
                    button type="button" aria-pressed="false" data-cost=(front.cost.stem()) { (label(front.cost)) }
                }
                button type="button" aria-pressed="true" data-cost="" { "All" }
            }
        }
    }
}

/// Returns the curves by epoch.
pub(super) fn curves(record: &AblationRecord, charts: &[Chart]) -> Markup {
    html! {
        section {
            h2 { "By epoch" }
            @if charts.is_empty() {
                p { "No epoch is finished yet." }
            } @else {
                ul.legend {
                    @for (place, (variant, style)) in record.variants.iter().zip(styles(record)).enumerate() {
                        li.name data-variants=(place) { (named(style, &variant.name)) }
                    }
                }
                div.charts { @for chart in charts { (interactive(chart)) } }
            }
        }
    }
}

/// Returns a chart whose points can be read and which can be zoomed.
fn interactive(chart: &Chart) -> Markup {
    html! {
        figure.chart data-chart=(chart.stem) {
            (PreEscaped(chart.inline()))
            div.tools hidden {
                button type="button" data-zoom="in" aria-label={ "Zoom in: " (chart.title) } { "+" }
                button type="button" data-zoom="out" aria-label={ "Zoom out: " (chart.title) } { "−" }
                button type="button" data-zoom="reset" aria-label={ "Whole chart: " (chart.title) } { "Reset" }
                span.hint { "Drag to zoom, point or use arrow keys to read" }
            }
        }
    }
}
