//! The view of a grid by axis.

use maud::{Markup, html};

use super::table;
use crate::record::AblationRecord;
use crate::report::notes;
use crate::report::summary::Summary;

/// Returns the tables of a grid; nothing where the variants are none.
pub(super) fn by_axis(record: &AblationRecord, summary: &Summary) -> Markup {
    let Some(grid) = &summary.grid else {
        return html! {};
    };
    let effects = grid.effect_tables(record);
    html! {
        h3 { "By axis" }
        p.source { (notes::BY_AXIS) }
        @for (index, table) in grid.tables(record, &summary.rows).iter().enumerate() {
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
        @if !effects.is_empty() { p.source { (notes::EFFECTS) } }
        @for (index, table) in effects.iter().enumerate() {
            (table::listed(table, &format!("effects-{index}")))
        }
    }
}
