//! Matrix products for training: a left-hand side read where it lies, a right-hand side packed by panels.
//!
//! The result is computed in blocks of a few rows and a *panel* of columns, some vectors wide, whose sums
//! stay in registers, see [`block`]. Rows of the left-hand side are stretches of memory, as the rows of a
//! weight are, or as a channel's pixels in each image. The right-hand side is anything that can copy out a
//! panel of itself, see [`Right`]: pixels of images, the transpose of these, or the windows of a convolution.

pub(super) mod block;
mod division;
mod layout;
pub(super) mod level;
mod right;
#[cfg(test)]
mod tests;
mod transpose;

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::output::written_by;
use super::scratch::Scratch;
use block::{Ahead, ROWS, Rectify, Step, Sums, Target, block};
pub(super) use division::portion;
use division::{Chunk, Division, TASK_PRODUCTS, TASKS, chunks, group};
pub(super) use layout::{Layout, Strided};
use level::{panel_width, vectors};
pub(super) use right::{Packing, Piece, Right, Transposed};
pub(super) use transpose::transpose;

/// The most elements of a panel's row.
const WIDEST: usize = 64;

/// The memory of a result, which tasks write distinct parts of.
#[derive(Clone, Copy)]
pub(super) struct Destination {
    pub(super) start: *mut f32,
    pub(super) layout: Layout,
}

// SAFETY: tasks write distinct parts, as each computes other rows or columns.
unsafe impl Send for Destination {}
// SAFETY: as above.
unsafe impl Sync for Destination {}

/// `left * right`.
pub(super) struct Product<'a, R> {
    pub(super) left: Strided<'a>,
    pub(super) right: R,
    /// Rows and columns of the result, and the length of the sums.
    pub(super) size: [usize; 3],
}

impl<R: Right> Product<'_, R> {
    /// Writes the result.
    ///
    /// # Safety
    ///
    /// The destination must have room for all rows and columns, written by nobody else meanwhile.
    pub(super) unsafe fn write(&self, destination: Destination) {
        // SAFETY: as the caller promises.
        unsafe { self.write_with(Arch::new(), destination) };
    }

    /// # Safety
    ///
    /// As [`Self::write`].
    unsafe fn write_with(&self, arch: Arch, destination: Destination) {
        let [rows, columns, length] = self.size;
        assert!(self.left.holds(rows, length));
        let chunks = chunks(length, self.left.layout.stretch);
        let division = Division::new(self.size, panel_width(arch), 1);
        (0..division.tasks())
            .into_par_iter()
            .with_max_len(1)
            .for_each(|task| {
                let (rows, columns) = division.task(task, rows, columns);
                arch.dispatch(Task {
                    product: self,
                    rows,
                    columns,
                    chunks: &chunks,
                    destination,
                });
            });
    }

    /// The result, row by row, for long sums: these are divided among tasks, too, where the result has
    /// few elements.
    pub(super) fn sum(&self) -> Vec<f32> {
        self.sum_with(Arch::new())
    }

    fn sum_with(&self, arch: Arch) -> Vec<f32> {
        let [rows, columns, length] = self.size;
        assert!(self.left.holds(rows, length));
        let chunks = chunks(length, self.left.layout.stretch);
        let whole = Division::new(self.size, panel_width(arch), 1);
        let parts = (TASKS / whole.tasks()).clamp(1, chunks.len());
        let parts = parts.min(rows * columns * length / TASK_PRODUCTS).max(1);
        let division = Division::new(self.size, panel_width(arch), parts);
        let size = rows * columns;
        // SAFETY: the tasks are all rows and columns of each part.
        let mut sums = unsafe {
            written_by(parts * size, |sums| {
                let start = Destination {
                    start: sums.as_mut_ptr().cast(),
                    layout: Layout::dense(columns),
                };
                let tasks = division.tasks();
                let each = (0..parts * tasks).into_par_iter().with_max_len(1);
                each.for_each(|task| {
                    let (part, task) = (task / tasks, task % tasks);
                    let (rows, columns) = division.task(task, rows, columns);
                    let chunks = &chunks[portion(part, parts, chunks.len())];
                    let destination = start.offset(part * size);
                    arch.dispatch(Task {
                        product: self,
                        rows,
                        columns,
                        chunks,
                        destination,
                    });
                });
            })
        };
        let (first, others) = sums.split_at_mut(size);
        for other in others.chunks_exact(size) {
            for (sum, value) in first.iter_mut().zip(other) {
                *sum += value;
            }
        }
        sums.truncate(size);
        sums
    }
}

impl Destination {
    /// The same this many elements on.
    ///
    /// # Safety
    ///
    /// That element must lie in the result's memory.
    pub(super) unsafe fn offset(self, elements: usize) -> Self {
        // SAFETY: as the caller promises.
        let start = unsafe { self.start.add(elements) };
        Self { start, ..self }
    }
}

/// Some rows and columns of a product, for some chunks of the sums.
struct Task<'a, R> {
    product: &'a Product<'a, R>,
    rows: Range<usize>,
    columns: Range<usize>,
    chunks: &'a [Chunk],
    destination: Destination,
}

/// Some columns, the vectors that they take, and where their blocks are written first.
struct Panel {
    columns: Range<usize>,
    vectors: usize,
    /// Whether the columns are one stretch of the result, so that a block goes there at once.
    direct: bool,
}

impl<R: Right> WithSimd for Task<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match const { vectors::<S>() } {
            8 => self.run::<S, 8>(simd),
            4 => self.run::<S, 4>(simd),
            _ => self.run::<S, 2>(simd),
        }
    }
}

impl<R: Right> Task<'_, R> {
    #[inline(always)]
    fn run<S: Simd, const N: usize>(&self, simd: S) {
        let width = const { N * S::F32_LANES };
        let depths = self.chunks.iter().map(|chunk| chunk.range().len());
        let depth = depths.max().unwrap_or(0);
        let panels = self.columns.len().div_ceil(width);
        let group = group(depth, width).min(panels);
        // What a copy writes beyond a panel is a vector at most.
        let (packed, tile) = (depth * width + WIDEST, self.rows.len() * width);
        let mut scratch = Scratch::new(group * (packed + tile));
        let (packed_all, tiles) = scratch.split_at_mut(group * packed);
        for first in self.columns.clone().step_by(group * width) {
            let end = (first + group * width).min(self.columns.end);
            let mut members = Vec::with_capacity(group);
            for first in (first..end).step_by(width) {
                members.push(self.panel::<S, N>(first..(first + width).min(end)));
            }
            for (index, chunk) in self.chunks.iter().enumerate() {
                let packing = Packing {
                    width,
                    pitch: packed,
                };
                let right = &self.product.right;
                right.pack::<S, N>(simd, chunk.range(), first..end, packing, packed_all);
                let mut steps = Vec::with_capacity(chunk.steps);
                for row in self.rows.clone().step_by(ROWS) {
                    let rows = row..(row + ROWS).min(self.rows.end);
                    self.steps(chunk, &rows, &mut steps);
                    for (member, panel) in members.iter().enumerate() {
                        let tile = &mut tiles[member * tile..][..tile];
                        let target = self.target(panel, &rows, tile, width, index > 0);
                        let sums = Sums {
                            steps: &steps,
                            length: chunk.length,
                            panel: &packed_all[member * packed..][..packed],
                            bias: &[0.0; WIDEST],
                            ahead: Ahead::nothing(),
                        };
                        // SAFETY: the steps are rows of the left-hand side, which `holds` has
                        // checked; the target is as the caller of `write` promises, or the tile.
                        unsafe {
                            panel_block::<S, N>(simd, panel.vectors, rows.len(), sums, target)
                        };
                    }
                }
            }
            for (panel, tile) in members.iter().zip(tiles.chunks_exact(tile)) {
                if !panel.direct {
                    self.copy_tile(panel, tile, width);
                }
            }
        }
    }

    #[inline(always)]
    fn panel<S: Simd, const N: usize>(&self, columns: Range<usize>) -> Panel {
        let vectors = match S::F32_LANES {
            1 => N,
            lanes => columns.len().div_ceil(lanes),
        };
        let stretch = self.destination.layout.stretch;
        Panel {
            direct: columns.start / stretch == (columns.end - 1) / stretch,
            columns,
            vectors,
        }
    }

    /// The steps of a block: where each of its rows lies.
    #[inline(always)]
    fn steps(&self, chunk: &Chunk, rows: &Range<usize>, steps: &mut Vec<Step>) {
        let left = self.product.left;
        steps.clear();
        for step in 0..chunk.steps {
            let at = left
                .layout
                .at(rows.start, chunk.first + step * chunk.length);
            let mut pointers = [left.values[at..].as_ptr(); ROWS];
            for (index, pointer) in pointers[..rows.len()].iter_mut().enumerate() {
                *pointer = left.values[at + index * left.layout.row..].as_ptr();
            }
            steps.push(Step {
                rows: pointers,
                first: step * chunk.length,
            });
        }
    }

    /// Where a block's sums go, and whether they are `added` to what is there.
    #[inline(always)]
    fn target(
        &self,
        panel: &Panel,
        rows: &Range<usize>,
        tile: &mut [f32],
        width: usize,
        added: bool,
    ) -> Target {
        let layout = self.destination.layout;
        let (output, pitch) = match panel.direct {
            true => {
                let at = layout.at(rows.start, panel.columns.start);
                (self.destination.start.wrapping_add(at), layout.row)
            }
            false => {
                let tile = &mut tile[(rows.start - self.rows.start) * width..];
                (tile.as_mut_ptr(), width)
            }
        };
        Target {
            output,
            residual: if added { output } else { std::ptr::null() },
            pitch,
            channels: panel.columns.len(),
            rectify: Rectify::No,
        }
    }

    /// Copies a panel's rows to the stretches of the result.
    #[inline(always)]
    fn copy_tile(&self, panel: &Panel, tile: &[f32], width: usize) {
        let Destination { start, layout } = self.destination;
        for (row, from) in self.rows.clone().zip(tile.chunks_exact(width)) {
            for part in layout.parts(panel.columns.clone()) {
                let from = &from[part.columns.start - panel.columns.start..][..part.columns.len()];
                let at = row * layout.row + part.offset;
                // SAFETY: the row and these columns lie in the result and are this task's alone.
                let to = unsafe { std::slice::from_raw_parts_mut(start.add(at), from.len()) };
                super::copy::few(from, to);
            }
        }
    }
}

/// One block times one panel of as many vectors as it has.
///
/// # Safety
///
/// As [`block`].
#[inline(always)]
unsafe fn panel_block<S: Simd, const N: usize>(
    simd: S,
    vectors: usize,
    rows: usize,
    sums: Sums,
    target: Target,
) {
    // SAFETY: as the caller promises.
    unsafe {
        match vectors {
            1 if S::F32_LANES > 1 => block::<S, 1, N>(simd, rows, sums, target),
            2 if N > 2 && S::F32_LANES > 1 => block::<S, 2, N>(simd, rows, sums, target),
            3 if N > 2 && S::F32_LANES > 1 => block::<S, 3, N>(simd, rows, sums, target),
            _ => block::<S, N, N>(simd, rows, sums, target),
        }
    }
}
