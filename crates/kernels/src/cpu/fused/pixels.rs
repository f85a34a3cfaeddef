//! The pixels of a strip, and the values of the input that each reads.

use std::ops::Range;

use super::super::product::micro_kernel::{BlockSteps, ROWS, Steps};
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
    /// Returns the pixels of the whole output.
    pub(super) fn pixels(&self) -> usize {
        self.batch * self.output[0] * self.output[1]
    }

    /// Returns the number of blocks that the output's pixels are divided into: as few as possible.
    pub(super) fn blocks(&self) -> usize {
        self.pixels().div_ceil(ROWS)
    }

    /// Returns the pixels of a block. All blocks have about the same size, and are the same however these are
    /// divided into tasks.
    #[inline(always)]
    pub(super) fn block(&self, index: usize) -> Range<usize> {
        let (pixels, blocks) = (self.pixels(), self.blocks());
        index * pixels / blocks..(index + 1) * pixels / blocks
    }

    /// Divides these pixels of the output at the ends of rows.
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
pub(super) struct Blocks<'a> {
    sizes: Sizes,
    /// The strip's blocks, of those of the whole output.
    range: Range<usize>,
    steps: Steps<'a>,
    /// The end of each block's steps.
    ends: Vec<usize>,
}

impl<'a> Blocks<'a> {
    /// Gives each block a step for each of `stretches`. `locate` finds a pixel, and `at` its values in a
    /// stretch, or `None` where they are all zeros. A stretch has as many values as there are `zeros`, of which a step
    /// reads `length`.
    ///
    /// A step in which no pixel has values is left out; in others a pixel without values has `zeros`.
    #[inline(always)]
    pub(super) fn new<T, P: Copy + Default>(
        sizes: Sizes,
        range: Range<usize>,
        stretches: &[T],
        zeros: &'a [f32],
        length: usize,
        locate: impl Fn(usize) -> P,
        at: impl Fn(P, &T) -> Option<&'a [f32]>,
    ) -> Self {
        let steps = Steps::new(length, range.len() * stretches.len());
        let mut steps = steps.with_width(zeros.len());
        let mut ends = Vec::with_capacity(range.len());
        for block in range.clone() {
            let block = sizes.block(block);
            let mut located = [P::default(); ROWS];
            for (located, pixel) in located.iter_mut().zip(block.clone()) {
                *located = locate(pixel);
            }
            let located = &located[..block.len()];
            for (index, stretch) in stretches.iter().enumerate() {
                let mut rows = [zeros; ROWS];
                let mut any = false;
                for (row, &pixel) in rows.iter_mut().zip(located) {
                    if let Some(values) = at(pixel, stretch) {
                        *row = values;
                        any = true;
                    }
                }
                if any {
                    steps.push(rows, index * length);
                }
            }
            ends.push(steps.count());
        }
        Self {
            sizes,
            range,
            steps,
            ends,
        }
    }

    /// Returns the number of blocks.
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// Returns the pixels of a block of the strip, of those of the whole output, and the block's steps.
    #[inline(always)]
    pub(super) fn get(&self, index: usize) -> (Range<usize>, BlockSteps<'_>) {
        let start = match index {
            0 => 0,
            _ => self.ends[index - 1],
        };
        let steps = self.steps.some(start..self.ends[index]);
        (self.sizes.block(self.range.start + index), steps)
    }
}

/// The geometry by which a pixel's window finds its taps on the input.
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
    /// Returns the distances of the taps from the origin, in rows and columns.
    pub(super) fn taps(&self) -> Vec<[usize; 2]> {
        let Geometry {
            kernel, dilation, ..
        } = self.geometry;
        let rows = (0..kernel[0]).map(|i| i * dilation[0]);
        let columns = || (0..kernel[1]).map(|j| j * dilation[1]);
        rows.flat_map(|row| columns().map(move |column| [row, column]))
            .collect()
    }

    /// Returns the origin of a pixel's window.
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

    /// Returns the index of the input's pixel under a tap, or `None` where it is padding.
    #[inline(always)]
    pub(super) fn input(&self, origin: Origin, tap: &[usize; 2]) -> Option<usize> {
        let padding = self.geometry.padding;
        let y = (origin.row + tap[0]).checked_sub(padding.top)?;
        let x = (origin.column + tap[1]).checked_sub(padding.left)?;
        let [height, width] = self.sizes.input;
        (y < height && x < width).then_some((origin.image * height + y) * width + x)
    }
}
