//! A table of texts.

/// Tables with more rows than all pairs of twelve variants are folded until they are asked for.
const MOST_ROWS: usize = 66;

/// A table of texts; the first cell of a row is its heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// What stands above it.
    pub(super) title: String,
    /// Headings of the columns.
    pub(super) head: Vec<String>,
    /// Leading columns of words; those after them are of numbers.
    pub(super) texts: usize,
    /// As many cells as there are columns, each.
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    /// Returns whether the table is so long that a page folds it.
    pub(super) fn is_long(&self) -> bool {
        self.rows.len() > MOST_ROWS
    }
}
