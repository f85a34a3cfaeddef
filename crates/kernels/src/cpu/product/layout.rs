//! The layout of a matrix in memory.

use std::ops::Range;

/// A matrix whose rows lie one distance apart, each in stretches of memory that do so, too.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) struct Layout {
    /// From a row to the next.
    pub(in crate::cpu) row: usize,
    /// Elements of a row that follow each other.
    pub(in crate::cpu) stretch: usize,
    /// From a stretch to the next.
    pub(in crate::cpu) next: usize,
}

/// Some columns of one stretch.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) columns: Range<usize>,
    /// Elements from the row's first to these.
    pub(super) offset: usize,
}

impl Layout {
    /// Returns the layout of a matrix that lies row by row.
    pub(in crate::cpu) fn dense(columns: usize) -> Self {
        Self {
            row: columns,
            stretch: columns,
            next: columns,
        }
    }

    /// Returns the layout of `[batch, channels, pixels]` as a matrix with a row for each channel, and a
    /// column for each pixel of each image.
    pub(in crate::cpu) fn planes(channels: usize, pixels: usize) -> Self {
        Self {
            row: pixels,
            stretch: pixels,
            next: channels * pixels,
        }
    }

    /// Returns whether a matrix of this size takes each element from the first to the last exactly once.
    pub(super) fn has_no_gaps(&self, rows: usize, columns: usize) -> bool {
        match columns <= self.stretch {
            true => self.row == columns,
            false => {
                self.row == self.stretch
                    && self.next == rows * self.row
                    && columns.is_multiple_of(self.stretch)
            }
        }
    }

    /// Returns the number of elements before this one.
    #[inline(always)]
    pub(super) fn at(&self, row: usize, column: usize) -> usize {
        row * self.row + column / self.stretch * self.next + column % self.stretch
    }

    /// Divides these columns into their stretches.
    pub(super) fn parts(&self, columns: Range<usize>) -> impl Iterator<Item = Part> + use<> {
        let (layout, mut next) = (*self, columns.start);
        std::iter::from_fn(move || {
            if next >= columns.end {
                return None;
            }
            let start = next;
            next = ((start / layout.stretch + 1) * layout.stretch).min(columns.end);
            Some(Part {
                columns: start..next,
                offset: layout.at(0, start),
            })
        })
    }
}

/// A matrix in memory.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) struct Strided<'a> {
    pub(in crate::cpu) values: &'a [f32],
    pub(in crate::cpu) layout: Layout,
}

impl<'a> Strided<'a> {
    /// Returns a matrix that lies row by row.
    pub(in crate::cpu) fn dense(values: &'a [f32], columns: usize) -> Self {
        Self {
            values,
            layout: Layout::dense(columns),
        }
    }

    /// Returns planes as a matrix, see [`Layout::planes`].
    pub(in crate::cpu) fn planes(values: &'a [f32], channels: usize, pixels: usize) -> Self {
        Self {
            values,
            layout: Layout::planes(channels, pixels),
        }
    }

    /// Returns whether the memory has the last element of a matrix of this size.
    pub(super) fn holds(&self, rows: usize, columns: usize) -> bool {
        self.layout.at(rows - 1, columns - 1) < self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each element from the first to the last is taken once, by trying.
    fn covers(layout: Layout, rows: usize, columns: usize) -> bool {
        let positions = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let mut positions: Vec<usize> = positions
            .map(|(row, column)| layout.at(row, column))
            .collect();
        positions.sort_unstable();
        positions.into_iter().eq(0..rows * columns)
    }

    #[test]
    fn a_layout_without_gaps_takes_each_element_once() {
        let mut found = [0; 2];
        for (rows, columns) in [(1, 1), (2, 6), (3, 4), (6, 2)] {
            for row in 1..8 {
                for stretch in 1..8 {
                    for next in 1..20 {
                        let layout = Layout { row, stretch, next };
                        let without_gaps = layout.has_no_gaps(rows, columns);
                        found[usize::from(without_gaps)] += 1;
                        if without_gaps {
                            assert!(covers(layout, rows, columns), "{layout:?} {rows} {columns}");
                        }
                    }
                }
            }
            assert!(Layout::dense(columns).has_no_gaps(rows, columns));
            assert!(Layout::planes(rows, columns / 2 + 1).has_no_gaps(rows, 2 * (columns / 2 + 1)));
        }
        assert!(found.iter().all(|&count| count > 0), "{found:?}");
    }
}
