//! The view of a grid by axis.

use maud::{Markup, html};

use crate::record::AblationRecord;
use crate::report::notes;
use crate::report::summary::Summary;

/// Returns the tables of a grid; nothing where the variants are none.
pub(super) fn by_axis(record: &AblationRecord, summary: &Summary) -> Markup {
    let tables = summary.grid.iter();
    let tables = tables.flat_map(|grid| grid.tables(record, &summary.rows));
    html! {
        @if summary.grid.is_some() {
            h3 { "By axis" }
            p.source { (notes::BY_AXIS) }
            @for (index, table) in tables.enumerate() {
                @let id = format!("axis-{index}");
                h4 id=(id) { (table.title) }
                div.scroll tabindex="0" role="region" aria-labelledby=(id) {
                    table.grid {
                        thead {
                            tr {
                                @for (column, cell) in table.head.iter().enumerate() {
                                    th.number[column > 0] scope="col" { (cell) }
                                }
                            }
                        }
                        tbody {
                            @for row in &table.rows {
                                tr {
                                    @for (column, cell) in row.iter().enumerate() {
                                        @if column == 0 {
                                            th scope="row" { (cell) }
                                        } @else {
                                            td.number { (cell) }
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
