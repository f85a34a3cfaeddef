//! The partition of a product: of its result into tasks, of its sums into chunks, of its columns into
//! groups of panels.

use std::ops::Range;

use super::micro_kernel::ROWS;

/// Rows of a panel at most: with the widest vectors a quarter of a common second-level cache.
const DEPTH: usize = 1024;
/// Elements of the panels that a block of rows meets one after the other.
const PANELS: usize = 65_536;
/// Panels of such a group at most.
const GROUP: usize = 32;
/// Tasks that a product is divided into at least where it is large enough. A few times the threads of
/// a common machine, so that none of them waits for long at the end.
pub(super) const TASKS: usize = 16;
/// The cost of packing an element, in times of reading one.
const PACKING: usize = 2;
/// Multiply-adds of a task at least. A million of them take about seven microseconds, a few times
/// what handing over a task does.
pub(super) const TASK_PRODUCTS: usize = 1_000_000;
/// Rows of a task at least where there are more: each task packs its panels.
const TASK_ROWS: usize = 96;

/// A stretch of the sums whose part of a panel is packed at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk {
    pub(super) first: usize,
    /// Stretches of the left-hand side's rows.
    pub(super) steps: usize,
    /// Elements of each.
    pub(super) length: usize,
}

impl Chunk {
    /// Returns the chunk's part of the sums.
    pub(super) fn range(&self) -> Range<usize> {
        self.first..self.first + self.steps * self.length
    }
}

/// Divides sums over stretches of this length into chunks.
pub(super) fn chunks(length: usize, stretch: usize) -> Vec<Chunk> {
    let stretches = length / stretch;
    assert_eq!(stretches * stretch, length, "whole stretches");
    let mut chunks = Vec::new();
    if stretch >= DEPTH {
        let pieces = stretch.div_ceil(DEPTH);
        for index in 0..stretches * pieces {
            let piece = portion(index % pieces, pieces, stretch);
            chunks.push(Chunk {
                first: index / pieces * stretch + piece.start,
                steps: 1,
                length: piece.len(),
            });
        }
        return chunks;
    }
    let count = stretches.div_ceil(DEPTH / stretch);
    for index in 0..count {
        let steps = portion(index, count, stretches);
        chunks.push(Chunk {
            first: steps.start * stretch,
            steps: steps.len(),
            length: stretch,
        });
    }
    chunks
}

/// A partition of a result into tasks, by its sizes alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Partition {
    row_tasks: usize,
    column_tasks: usize,
    /// Columns of a panel.
    width: usize,
}

impl Partition {
    /// Chooses, of all partitions with enough tasks, the one with the least repeated memory traffic: each
    /// group of panels reads the left-hand side, each task packs its panels. `parts` is the number of tasks
    /// that share a block of the result.
    pub(super) fn new([rows, columns, length]: [usize; 3], width: usize, parts: usize) -> Self {
        let panels = columns.div_ceil(width);
        let group = group(length.min(DEPTH), width);
        let wanted = rows * columns * length / parts / TASK_PRODUCTS;
        let wanted = wanted.clamp(1, TASKS.div_ceil(parts));
        let partitions = (1..=(rows / TASK_ROWS).clamp(1, wanted)).flat_map(|row_tasks| {
            let least = wanted.div_ceil(row_tasks).min(panels);
            [least, panels.div_ceil(group).max(least)].map(|column_tasks| {
                let groups = panels.div_ceil(column_tasks).div_ceil(group);
                let left = column_tasks * groups * rows;
                let right = row_tasks * columns * PACKING;
                (left + right, row_tasks, column_tasks)
            })
        });
        let (_, row_tasks, column_tasks) = partitions.min().unwrap_or((0, 1, 1));
        Self {
            row_tasks,
            column_tasks,
            width,
        }
    }

    /// Returns the number of tasks.
    pub(super) fn tasks(&self) -> usize {
        self.row_tasks * self.column_tasks
    }

    /// Returns the rows and columns of a task.
    pub(super) fn task(
        &self,
        index: usize,
        rows: usize,
        columns: usize,
    ) -> (Range<usize>, Range<usize>) {
        let blocks = rows.div_ceil(ROWS);
        let row = portion(index % self.row_tasks, self.row_tasks, blocks);
        let panels = columns.div_ceil(self.width);
        let column = portion(index / self.row_tasks, self.column_tasks, panels);
        (
            row.start * ROWS..(row.end * ROWS).min(rows),
            column.start * self.width..(column.end * self.width).min(columns),
        )
    }
}

/// Returns the number of panels of this depth and width that a block of rows meets one after the other.
pub(super) fn group(depth: usize, width: usize) -> usize {
    (PANELS / (depth * width)).clamp(1, GROUP)
}

/// Returns part `index` when `count` is divided into `parts` of about the same size.
pub(in crate::cpu) fn portion(index: usize, parts: usize, count: usize) -> Range<usize> {
    index * count / parts..(index + 1) * count / parts
}
