//! A task of a product: some rows and columns of the result.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::copy::write_few;
use super::super::output::SharedOutput;
use super::super::scratch::Scratch;
use super::instruction_set::vectors;
use super::layout::{Layout, Strided};
use super::micro_kernel::{Prefetch, ROWS, Rectify, Residual, Steps, Sums, Target, multiply_block};
use super::packing::{Packing, RightHandSide};
use super::partition::{Chunk, group};

/// The most elements of a panel's row.
const WIDEST: usize = 64;

/// The memory of a product's result, which tasks write distinct parts of.
#[derive(Clone, Copy)]
pub(super) struct Destination<'a> {
    output: SharedOutput<'a>,
    /// The element of the first row and column.
    first: usize,
    layout: Layout,
}

impl<'a> Destination<'a> {
    /// Returns the part of an output that has this layout from the element `first` on.
    ///
    /// # Safety
    ///
    /// Nobody but the product's tasks may use the elements of its rows and columns during `'a`, and each
    /// row and column must have an element of its own.
    pub(super) unsafe fn new(output: SharedOutput<'a>, first: usize, layout: Layout) -> Self {
        Self {
            output,
            first,
            layout,
        }
    }
}

/// Some rows and columns of a product, for some chunks of the sums.
pub(super) struct Task<'a, R> {
    left: Strided<'a>,
    right: &'a R,
    rows: Range<usize>,
    columns: Range<usize>,
    chunks: &'a [Chunk],
    destination: &'a Destination<'a>,
}

/// Some columns, the vectors that they take, and where their blocks are written first.
struct Panel {
    columns: Range<usize>,
    vectors: usize,
    /// Whether the columns are one stretch of the result, so that a block goes there at once.
    direct: bool,
}

impl<'a, R: RightHandSide> Task<'a, R> {
    /// Returns the task for these rows and columns.
    ///
    /// # Safety
    ///
    /// Nobody else may use their elements of the destination while the task runs.
    pub(super) unsafe fn new(
        (left, right): (Strided<'a>, &'a R),
        [rows, columns]: [Range<usize>; 2],
        chunks: &'a [Chunk],
        destination: &'a Destination<'a>,
    ) -> Self {
        Self {
            left,
            right,
            rows,
            columns,
            chunks,
            destination,
        }
    }
}

impl<R: RightHandSide> WithSimd for Task<'_, R> {
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

impl<'a, R: RightHandSide> Task<'a, R> {
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
        let most = self.chunks.iter().map(|chunk| chunk.steps).max();
        let mut steps = Steps::new(0, most.unwrap_or(0));
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
                let right = self.right;
                right.pack::<S>(chunk.range(), first..end, packing, packed_all);
                for row in self.rows.clone().step_by(ROWS) {
                    let rows = row..(row + ROWS).min(self.rows.end);
                    self.steps(chunk, &rows, &mut steps);
                    for (member, panel) in members.iter().enumerate() {
                        let tile = &mut tiles[member * tile..][..tile];
                        let sums = Sums {
                            steps: steps.some(0..steps.count()),
                            offset: 0,
                            panel: &packed_all[member * packed..][..packed],
                            bias: &[0.0; WIDEST],
                            prefetch: Prefetch::none(),
                        };
                        let target = self.target(panel, &rows, tile, width, index > 0);
                        multiply_panel::<S, N>(simd, panel.vectors, sums, target);
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

    /// Writes the steps of a block.
    #[inline(always)]
    fn steps(&self, chunk: &Chunk, rows: &Range<usize>, steps: &mut Steps<'a>) {
        let left = self.left;
        steps.restart(chunk.length);
        for step in 0..chunk.steps {
            let at = left
                .layout
                .at(rows.start, chunk.first + step * chunk.length);
            let mut slices = [&left.values[at..]; ROWS];
            for (index, slice) in slices[..rows.len()].iter_mut().enumerate() {
                *slice = &left.values[at + index * left.layout.row..];
            }
            steps.push(slices, step * chunk.length);
        }
    }

    /// Returns where a block's sums go, and whether they are `added` to what is there.
    #[inline(always)]
    fn target<'b>(
        &'b self,
        panel: &Panel,
        rows: &Range<usize>,
        tile: &'b mut [f32],
        width: usize,
        added: bool,
    ) -> Target<'b> {
        let Destination {
            output,
            first,
            layout,
        } = *self.destination;
        let residual = match added {
            true => Residual::Output,
            false => Residual::None,
        };
        let size = [rows.len(), panel.columns.len()];
        // SAFETY: the rows and columns are the task's alone, which has one target at a time, or the tile is
        // borrowed for the target. To what is there is added after the first chunk, whose sums were written
        // to the same elements.
        unsafe {
            match panel.direct {
                true => {
                    let first = first + layout.at(rows.start, panel.columns.start);
                    Target::new(output, first, size, layout.row, residual, Rectify::No)
                }
                false => {
                    let first = (rows.start - self.rows.start) * width;
                    let tile = SharedOutput::over(tile);
                    Target::new(tile, first, size, width, residual, Rectify::No)
                }
            }
        }
    }

    /// Copies the sums of a panel, row by row, to where they belong.
    #[inline(always)]
    fn copy_tile(&self, panel: &Panel, tile: &[f32], width: usize) {
        let Destination {
            output,
            first,
            layout,
        } = *self.destination;
        for (row, from) in self.rows.clone().zip(tile.chunks_exact(width)) {
            for part in layout.parts(panel.columns.clone()) {
                let from = &from[part.columns.start - panel.columns.start..][..part.columns.len()];
                let first = first + row * layout.row + part.offset;
                // SAFETY: the row and these columns are this task's alone, and values are written.
                write_few(from, unsafe { output.slice(first, from.len()) });
            }
        }
    }
}

/// Multiplies a block with a panel of as many vectors as it has.
#[inline(always)]
fn multiply_panel<S: Simd, const N: usize>(simd: S, vectors: usize, sums: Sums, target: Target) {
    match vectors {
        1 if S::F32_LANES > 1 => multiply_block::<S, 1, N>(simd, sums, target),
        2 if N > 2 && S::F32_LANES > 1 => multiply_block::<S, 2, N>(simd, sums, target),
        3 if N > 2 && S::F32_LANES > 1 => multiply_block::<S, 3, N>(simd, sums, target),
        _ => multiply_block::<S, N, N>(simd, sums, target),
    }
}
