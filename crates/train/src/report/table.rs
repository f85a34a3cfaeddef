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
    /// The places of the variants that each row is about; empty where the rows are about none.
    pub(super) variants: Vec<Vec<usize>>,
}

impl Table {
    /// Returns the places of the variants that a row is about, as a page writes them; `None` where it is about none.
    pub(super) fn variants_of(&self, row: usize) -> Option<String> {
        let places = self.variants.get(row).filter(|places| !places.is_empty())?;
        let places: Vec<_> = places.iter().map(usize::to_string).collect();
        Some(places.join(" "))
    }

    /// Returns whether the table is so long that a page folds it.
    pub(super) fn is_long(&self) -> bool {
        self.rows.len() > MOST_ROWS
    }
}
