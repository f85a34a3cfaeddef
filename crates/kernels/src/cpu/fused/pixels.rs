//! The pixels of a strip, and where each finds its values.

use std::ops::Range;

use super::super::product::block::{ROWS, Step};
use crate::Geometry;

/// Heights and widths of a convolution's input and output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) batch: usize,
    pub(super) input: [usize; 2],
    pub(super) output: [usize; 2],
}

/// Some pixels of one row of an image of the output.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) image: usize,
    pub(super) row: usize,
    pub(super) columns: Range<usize>,
}

impl Sizes {
    /// Pixels of the whole output.
    pub(super) fn pixels(&self) -> usize {
        self.batch * self.output[0] * self.output[1]
    }

    /// Number of blocks that the output's pixels are divided into: as few as possible.
    pub(super) fn blocks(&self) -> usize {
        self.pixels().div_ceil(ROWS)
    }

    /// The pixels of a block. All blocks have about the same size, and are the same however these are
    /// divided into tasks.
    #[inline(always)]
    pub(super) fn block(&self, index: usize) -> Range<usize> {
        let (pixels, blocks) = (self.pixels(), self.blocks());
        index * pixels / blocks..(index + 1) * pixels / blocks
    }

    /// The parts of rows that these pixels of the output make up, in order.
    pub(super) fn segments(&self, pixels: Range<usize>) -> impl Iterator<Item = Segment> + use<> {
        let [rows, columns] = self.output;
        let mut next = pixels.start;
        std::iter::from_fn(move || {
            if next >= pixels.end {
                return None;
            }
            let (row, column) = (next / columns, next % columns);
            let end = (column + pixels.end - next).min(columns);
            next += end - column;
            Some(Segment {
                image: row / rows,
                row: row % rows,
                columns: column..end,
            })
        })
    }
}

/// The blocks of a strip, and the steps of each.
#[derive(Debug)]
pub(super) struct Blocks {
    sizes: Sizes,
    /// The strip's blocks, of those of the whole output.
    range: Range<usize>,
    steps: Vec<Step>,
    /// The end of each block's steps.
    ends: Vec<usize>,
}

impl Blocks {
    /// Blocks without steps.
    pub(super) fn new(sizes: Sizes, range: Range<usize>) -> Self {
        Self {
            sizes,
            range,
            steps: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Number of blocks.
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// Pixels of a block of the strip, of those of the whole output, and the block's steps.
    #[inline(always)]
    pub(super) fn get(&self, index: usize) -> (Range<usize>, &[Step]) {
        let start = match index {
            0 => 0,
            _ => self.ends[index - 1],
        };
        let steps = &self.steps[start..self.ends[index]];
        (self.sizes.block(self.range.start + index), steps)
    }

    /// Gives each block a step for each of `stretches`. `locate` finds a pixel, and
    /// `at` its values in a stretch, or `None` where they are all zeros. A stretch is `length` values.
    ///
    /// A step in which no pixel has values is left out; in others a pixel without has `zeros`.
    pub(super) fn fill<T, P: Copy + Default>(
        &mut self,
        stretches: &[T],
        length: usize,
        zeros: &[f32],
        locate: impl Fn(usize) -> P,
        at: impl Fn(P, &T) -> Option<*const f32>,
    ) {
        self.steps.reserve(self.range.len() * stretches.len());
        for block in self.range.clone() {
            let block = self.sizes.block(block);
            let mut places = [P::default(); ROWS];
            for (place, pixel) in places.iter_mut().zip(block.clone()) {
                *place = locate(pixel);
            }
            let places = &places[..block.len()];
            for (index, stretch) in stretches.iter().enumerate() {
                let mut rows = [zeros.as_ptr(); ROWS];
                let mut any = false;
                for (row, &place) in rows.iter_mut().zip(places) {
                    if let Some(values) = at(place, stretch) {
                        *row = values;
                        any = true;
                    }
                }
                if any {
                    let first = index * length;
                    self.steps.push(Step { rows, first });
                }
            }
            self.ends.push(self.steps.len());
        }
    }
}

/// Where the taps of a window lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) geometry: Geometry,
    pub(super) sizes: Sizes,
}

/// The origin of a pixel's window: its image, and row and column on the padded input.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Origin {
    image: usize,
    row: usize,
    column: usize,
}

impl Window {
    /// Distances of the taps from the origin, in rows and columns.
    pub(super) fn taps(&self) -> Vec<[usize; 2]> {
        let Geometry {
            kernel, dilation, ..
        } = self.geometry;
        let rows = (0..kernel[0]).map(|i| i * dilation[0]);
        let columns = || (0..kernel[1]).map(|j| j * dilation[1]);
        rows.flat_map(|row| columns().map(move |column| [row, column]))
            .collect()
    }

    #[inline(always)]
    pub(super) fn origin(&self, pixel: usize) -> Origin {
        let [rows, columns] = self.sizes.output;
        let (row, column) = (pixel / columns, pixel % columns);
        let [down, right] = self.geometry.stride;
        Origin {
            image: row / rows,
            row: row % rows * down,
            column: column * right,
        }
    }

    /// The index of the input's pixel under a tap, or `None` where it is padding.
    #[inline(always)]
    pub(super) fn input(&self, origin: Origin, tap: &[usize; 2]) -> Option<usize> {
        let padding = self.geometry.padding;
        let y = (origin.row + tap[0]).checked_sub(padding.top)?;
        let x = (origin.column + tap[1]).checked_sub(padding.left)?;
        let [height, width] = self.sizes.input;
        (y < height && x < width).then_some((origin.image * height + y) * width + x)
    }
}
