//! Settings, data and environment.

use maud::{Markup, html};

use super::{named, styles};
use crate::numbers::listed;
use crate::record::AblationRecord;
use crate::report::notes;
use crate::report::settings::Differing;

/// Returns the settings: those in which variants differ, side by side, and those that all share.
pub(super) fn settings(record: &AblationRecord) -> Markup {
    html! {
        section {
            h2 { "Settings" }
            (differing(record))
            @if !record.settings.is_empty() {
                h3 { "What all of them share" }
                dl.pairs { (pairs(&record.settings)) }
            }
        }
    }
}

/// Returns each variant's value of what differs; nothing where nothing does.
pub(super) fn differing(record: &AblationRecord) -> Markup {
    let differing = Differing::of(record);
    let variants = record
        .variants
        .iter()
        .zip(styles(record))
        .zip(&differing.rows);
    html! {
        @if !differing.paths.is_empty() {
            h3 #differing { "What differs" }
            p.source { (notes::DIFFERING) }
            div.scroll tabindex="0" role="region" aria-labelledby="differing" {
                table.differing {
                    thead {
                        tr {
                            th scope="col" { "Variant" }
                            @for path in &differing.paths { th scope="col" { (breakable(path)) } }
                        }
                    }
                    tbody {
                        @for (place, ((variant, style), row)) in variants.enumerate() {
                            tr data-variants=(place) {
                                th scope="row" { div.name { (named(style, &variant.name)) } }
                                @for setting in row {
                                    td {
                                        @if setting.differs {
                                            mark { (setting.text()) }
                                        } @else {
                                            span.spread { (setting.text()) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Returns a path as code that may go on in a new line after each point.
pub(super) fn breakable(path: &str) -> Markup {
    html! {
        code { @for part in path.split_inclusive('.') { (part) wbr; } }
    }
}

fn pairs(pairs: &[(String, String)]) -> Markup {
    html! { @for (name, value) in pairs { div { dt { (name) } dd { (value) } } } }
}

/// Returns what the runs were trained and tested on.
pub(super) fn data(record: &AblationRecord) -> Markup {
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

/// Returns where the ablation ran, and how to repeat it.
pub(super) fn environment(record: &AblationRecord) -> Markup {
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
