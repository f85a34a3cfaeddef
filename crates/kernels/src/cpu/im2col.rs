//! The im2col matrix of a convolution as the right-hand side of a product.
//!
//! The matrix has a row for each channel and tap, and a column for each output. It is never stored: its
//! panels are packed from the padded input.

use std::ops::Range;

use pulp::Simd;
use rayon::prelude::*;

use super::copy::copy_few;
use super::divided::Divided;
use super::product::{Packing, Piece, RightHandSide, transpose};
use super::scratch::{Scratch, with_scratch};
use super::vector::{load, store};
use crate::{Geometry, Padding2d};

/// Elements that a copy of whole vectors may read beyond its end.
const SLACK: usize = super::MAX_LANES;
/// Elements of a task that only copies.
const COPY: usize = 16_384;
/// Outputs whose windows are transposed at a time.
const TRANSPOSED: usize = 256;

/// The im2col matrix: a row for each channel and tap, and a column for each output of each image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Im2Col<'a> {
    /// Padded planes, `[batch, channels, height, width]`, from the group's first channel on.
    planes: &'a [f32],
    /// From an image to the next.
    image: usize,
    /// Height and width of a plane.
    size: [usize; 2],
    output: [usize; 2],
    geometry: Geometry,
}

impl<'a> Im2Col<'a> {
    /// Returns the matrix of images with this many channels, `[batch, channels, height, width]`, which
    /// [`with_padding`] has padded to this size.
    pub(super) fn new(
        planes: &'a [f32],
        channels: usize,
        size: [usize; 2],
        output: [usize; 2],
        geometry: Geometry,
    ) -> Self {
        Self {
            planes,
            image: channels * size[0] * size[1],
            size,
            output,
            geometry,
        }
    }

    /// Returns the matrix without the rows of the first channels.
    pub(super) fn skip_channels(self, channels: usize) -> Self {
        Self {
            planes: &self.planes[channels * self.size[0] * self.size[1]..],
            ..self
        }
    }

    /// Returns where the windows of some columns start, and where their values are packed to.
    fn pieces(&self, columns: &Range<usize>, packing: Packing) -> Vec<Piece> {
        let [height, width] = self.output;
        let [down, right] = self.geometry.stride;
        let mut pieces = Vec::new();
        let mut next = columns.start;
        while next < columns.end {
            let (row, column) = (next / width, next % width);
            let (image, row) = (row / height, row % height);
            let length = (width - column).min(columns.end - next);
            let from = image * self.image + row * down * self.size[1];
            let first = pieces.len();
            packing.divide(column, next - columns.start, length, &mut pieces);
            for piece in &mut pieces[first..] {
                piece.from = from + piece.from * right;
            }
            next += length;
        }
        pieces
    }

    /// Returns the number of elements from a window's start to its value in a row of the matrix.
    #[inline(always)]
    fn offset(&self, row: usize) -> usize {
        let Geometry {
            kernel, dilation, ..
        } = self.geometry;
        let taps = kernel[0] * kernel[1];
        let (channel, tap) = (row / taps, row % taps);
        let (i, j) = (tap / kernel[1] * dilation[0], tap % kernel[1] * dilation[1]);
        (channel * self.size[0] + i) * self.size[1] + j
    }
}

impl RightHandSide for Im2Col<'_> {
    #[inline(always)]
    fn pack<S: Simd, const N: usize>(
        &self,
        _simd: S,
        rows: Range<usize>,
        columns: Range<usize>,
        packing: Packing,
        to: &mut [f32],
    ) {
        let pieces = self.pieces(&columns, packing);
        let stride = self.geometry.stride[1];
        for (index, row) in rows.enumerate() {
            let from = &self.planes[self.offset(row)..];
            let to = &mut to[index * packing.width..];
            for piece in &pieces {
                let (from, to) = (&from[piece.from..], &mut to[piece.to..]);
                match stride {
                    1 => run_of_vectors::<S>(from, piece.length, to),
                    _ => {
                        let to = to[..piece.length].iter_mut();
                        to.zip(from.iter().step_by(stride))
                            .for_each(|(to, from)| *to = *from);
                    }
                }
            }
        }
    }
}

/// Copies a run of values, rounded up to whole vectors where both slices have these.
#[inline(always)]
fn run_of_vectors<S: Simd>(from: &[f32], length: usize, to: &mut [f32]) {
    let lanes = S::F32_LANES;
    let whole = length.next_multiple_of(lanes);
    if from.len() < whole || to.len() < whole {
        copy_few(&from[..length], &mut to[..length]);
        return;
    }
    for i in (0..length).step_by(lanes) {
        store::<S>(&mut to[i..], load::<S>(&from[i..]));
    }
}

/// The transpose of the im2col matrix: a row for each output, and a column for each channel and tap.
pub(super) struct TransposedIm2Col<'a>(pub(super) Im2Col<'a>);

impl RightHandSide for TransposedIm2Col<'_> {
    #[inline(always)]
    fn pack<S: Simd, const N: usize>(
        &self,
        simd: S,
        rows: Range<usize>,
        columns: Range<usize>,
        packing: Packing,
        to: &mut [f32],
    ) {
        let Packing { width, pitch } = packing;
        let row = TRANSPOSED.min(rows.len().next_multiple_of(S::F32_LANES));
        let windows = Packing {
            width: row,
            pitch: 0, // a single panel
        };
        let mut scratch = Scratch::new(columns.len() * row + SLACK);
        for first in rows.clone().step_by(TRANSPOSED) {
            let outputs = first..(first + TRANSPOSED).min(rows.end);
            let count = outputs.len();
            self.0
                .pack::<S, N>(simd, columns.clone(), outputs, windows, &mut scratch);
            for (panel, column) in (0..columns.len()).step_by(width).enumerate() {
                let size = [width.min(columns.len() - column), count];
                let to = &mut to[panel * pitch + (first - rows.start) * width..];
                transpose(&scratch[column * row..], row, size, to, width);
            }
        }
    }
}

/// Calls `work` with planes of this size padded with zeros, and with their padded size.
pub(super) fn with_padding<R>(
    planes: &[f32],
    size: [usize; 2],
    padding: Padding2d,
    work: impl FnOnce(&[f32], [usize; 2]) -> R,
) -> R {
    let Padding2d {
        top,
        bottom,
        left,
        right,
    } = padding;
    let padded = [size[0] + top + bottom, size[1] + left + right];
    if padded == size {
        return work(planes, size);
    }
    let (from_length, to_length) = (size[0] * size[1], padded[0] * padded[1]);
    let count = planes.len() / from_length;
    with_scratch(count * to_length + SLACK, |scratch| {
        scratch[..count * to_length]
            .par_chunks_exact_mut(to_length)
            .zip(planes.par_chunks_exact(from_length))
            .with_min_len((COPY / to_length).max(1))
            .divided()
            .for_each(|(to, from)| {
                to.fill(0.0);
                let rows = to[top * padded[1]..].chunks_exact_mut(padded[1]);
                for (to, from) in rows.zip(from.chunks_exact(size[1])) {
                    copy_few(from, &mut to[left..][..size[1]]);
                }
            });
        work(scratch, padded)
    })
}
