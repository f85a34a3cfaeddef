//! Tables of text, whose columns are as wide as they have to be.

use std::fmt;

/// The distance of columns.
const GAP: &str = "  ";

/// The side of a column at which its cells begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// A table with a heading.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Makes a table with these columns and no row but the heading.
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, Align)>) -> Self {
        let (heading, columns) = columns
            .into_iter()
            .map(|(name, align)| (name.to_owned(), align))
            .unzip();
        Self {
            columns,
            rows: vec![heading],
        }
    }

    /// Adds a row with a cell for each column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| self.width(column))
            .collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).zip(&self.columns);
            let cells = cells.map(|((cell, width), align)| match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            });
            let line = cells.collect::<Vec<_>>().join(GAP);
            writeln!(formatter, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new([
            ("name", Align::Left),
            ("n", Align::Right),
            ("of", Align::Left),
        ]);
        table.row(["a".to_owned(), "100".to_owned(), String::new()]);
        table.row(["a long name".to_owned(), "7".to_owned(), "all".to_owned()]);
        assert_eq!(
            table.to_string(),
            "name           n  of\na            100\na long name    7  all\n"
        );
    }
}
