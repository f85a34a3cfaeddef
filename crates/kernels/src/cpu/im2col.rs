//! The im2col matrix of a convolution as the right-hand side of a product.
//!
//! The matrix has a row for each channel and tap, and a column for each output. It is never stored: its
//! panels are packed from the padded input.

use std::ops::Range;

use pulp::Simd;
use rayon::prelude::*;

use super::copy::copy_few;
use super::divided::Divided;
use super::product::{Packing, RightHandSide, RowCopy, transpose};
use super::scratch::{Scratch, with_scratch};
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

    /// Returns the copy of some columns of a row, from where the first window has the row's value on.
    fn row_copy<S: Simd>(&self, columns: &Range<usize>, packing: Packing) -> RowCopy<S> {
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
        RowCopy::new(pieces)
    }

    /// Returns the number of elements from a window's start to its value in each of some rows of the matrix.
    fn offsets(&self, rows: Range<usize>) -> impl Iterator<Item = usize> {
        let Geometry {
            kernel, dilation, ..
        } = self.geometry;
        let [height, width] = self.size;
        let taps = kernel[0] * kernel[1];
        let (mut channel, mut tap) = (rows.start / taps, rows.start % taps);
        let (mut i, mut j) = (tap / kernel[1], tap % kernel[1]);
        rows.map(move |_| {
            let offset = (channel * height + i * dilation[0]) * width + j * dilation[1];
            (tap, j) = (tap + 1, j + 1);
            if j == kernel[1] {
                (i, j) = (i + 1, 0);
            }
            if tap == taps {
                (channel, tap, i) = (channel + 1, 0, 0);
            }
            offset
        })
    }

    /// Packs some rows of the columns that `copy` is of, in panels of this width.
    #[inline(always)]
    fn pack_rows<S: Simd>(
        &self,
        rows: Range<usize>,
        copy: &RowCopy<S>,
        width: usize,
        to: &mut [f32],
    ) {
        let stride = self.geometry.stride[1];
        for (index, offset) in self.offsets(rows).enumerate() {
            let from = &self.planes[offset..];
            let to = &mut to[index * width..];
            match stride {
                1 => copy.copy(from, to),
                _ => copy.copy_strided(from, stride, to),
            }
        }
    }
}

impl RightHandSide for Im2Col<'_> {
    #[inline(always)]
    fn pack<S: Simd>(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        packing: Packing,
        to: &mut [f32],
    ) {
        let copy = self.row_copy::<S>(&columns, packing);
        self.pack_rows::<S>(rows, &copy, packing.width, to);
    }
}

/// The transpose of the im2col matrix: a row for each output, and a column for each channel and tap.
pub(super) struct TransposedIm2Col<'a>(pub(super) Im2Col<'a>);

impl RightHandSide for TransposedIm2Col<'_> {
    #[inline(always)]
    fn pack<S: Simd>(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        packing: Packing,
        to: &mut [f32],
    ) {
        let Packing { width, pitch } = packing;
        // A panel's rows are copied while they are in the first-level cache, one vector more apart than a power of two.
        let row = TRANSPOSED.min(rows.len().next_multiple_of(S::F32_LANES)) + S::F32_LANES;
        let windows = Packing {
            width: row,
            pitch: 0, // a single panel
        };
        let mut scratch = Scratch::new(width * row + SLACK);
        for first in rows.clone().step_by(TRANSPOSED) {
            let outputs = first..(first + TRANSPOSED).min(rows.end);
            let count = outputs.len();
            let copy = self.0.row_copy::<S>(&outputs, windows);
            for (panel, column) in columns.clone().step_by(width).enumerate() {
                let of_panel = column..(column + width).min(columns.end);
                let size = [of_panel.len(), count];
                self.0.pack_rows::<S>(of_panel, &copy, row, &mut scratch);
                let to = &mut to[panel * pitch + (first - rows.start) * width..];
                transpose(&scratch, row, size, to, width);
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
