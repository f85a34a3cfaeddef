//! A table of texts.

use maud::{Markup, html};

use crate::report::table::Table;

/// Returns a table under its title, which is found by `id`; folded where it is long.
pub(super) fn listed(table: &Table, id: &str) -> Markup {
    html! {
        @if table.is_long() {
            details.folded {
                summary id=(id) { (table.title) " (" (table.rows.len()) " rows)" }
                (content(table, id))
            }
        } @else {
            h4 id=(id) { (table.title) }
            (content(table, id))
        }
    }
}

fn content(table: &Table, id: &str) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby=(id) {
            table.listed {
                thead {
                    tr {
                        @for (column, cell) in table.head.iter().enumerate() {
                            th.number[column >= table.texts] scope="col" { (cell) }
                        }
                    }
                }
                tbody {
                    @for (place, row) in table.rows.iter().enumerate() {
                        tr data-variants=[table.variants_of(place)] {
                            @for (column, cell) in row.iter().enumerate() {
                                @if column == 0 {
                                    th scope="row" { (cell) }
                                } @else {
                                    td.number[column >= table.texts] { (cell) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
