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

/// A pixel of the output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pixel {
    /// Its index, of all of the batch's.
    pub(super) index: usize,
    pub(super) image: usize,
    pub(super) row: usize,
    pub(super) column: usize,
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

    /// Returns the output's pixel of this index.
    #[inline(always)]
    pub(super) fn pixel(&self, index: usize) -> Pixel {
        let [rows, columns] = self.output;
        let row = index / columns;
        Pixel {
            index,
            image: row / rows,
            row: row % rows,
            column: index % columns,
        }
    }

    /// Returns the output's pixels from this index on.
    #[inline(always)]
    fn pixels_from(&self, index: usize) -> impl Iterator<Item = Pixel> + use<> {
        let [rows, columns] = self.output;
        let mut next = self.pixel(index);
        // Counted on: divisions would take longer than what is done with the pixels of a few channels.
        std::iter::repeat_with(
            #[inline(always)]
            move || {
                let pixel = next;
                next.index += 1;
                next.column += 1;
                if next.column == columns {
                    (next.column, next.row) = (0, next.row + 1);
                }
                if next.row == rows {
                    (next.row, next.image) = (0, next.image + 1);
                }
                pixel
            },
        )
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
    steps: Steps<'a>,
    /// The pixels of each block, of those of the whole output, and the end of its steps.
    blocks: Vec<(Range<usize>, usize)>,
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
        locate: impl Fn(Pixel) -> P,
        at: impl Fn(P, &T) -> Option<&'a [f32]>,
    ) -> Self {
        let steps = Steps::new(length, range.len() * stretches.len());
        let mut steps = steps.with_width(zeros.len());
        let mut blocks = Vec::with_capacity(range.len());
        let mut pixels = sizes.pixels_from(sizes.block(range.start).start);
        for block in range {
            let block = sizes.block(block);
            let mut located = [P::default(); ROWS];
            for (located, pixel) in located[..block.len()].iter_mut().zip(&mut pixels) {
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
            blocks.push((block, steps.count()));
        }
        Self { steps, blocks }
    }

    /// Returns the number of blocks.
    pub(super) fn count(&self) -> usize {
        self.blocks.len()
    }

    /// Returns the pixels of a block of the strip, of those of the whole output, and the block's steps.
    #[inline(always)]
    pub(super) fn get(&self, index: usize) -> (Range<usize>, BlockSteps<'_>) {
        let start = match index {
            0 => 0,
            _ => self.blocks[index - 1].1,
        };
        let (pixels, end) = self.blocks[index].clone();
        (pixels, self.steps.some(start..end))
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
    pub(super) fn origin(&self, pixel: Pixel) -> Origin {
        let [down, right] = self.geometry.stride;
        Origin {
            image: pixel.image,
            row: pixel.row * down,
            column: pixel.column * right,
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
