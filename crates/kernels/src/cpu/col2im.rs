//! col2im: adds each value of an im2col matrix to the pixel of the input that it was read from.

use std::ops::Range;

use crate::Geometry;

/// The sizes by which a row of an im2col matrix finds its pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Col2Im {
    pub(super) input: [usize; 2],
    pub(super) output: [usize; 2],
    pub(super) geometry: Geometry,
}

/// The part of a tap's outputs, on one row of the output, that reads the input and not the padding.
struct Overlap {
    /// Outputs whose tap lies on the input.
    outputs: Range<usize>,
    /// The input's first pixel among them.
    first: usize,
}

impl Col2Im {
    /// Returns the number of taps.
    pub(super) fn taps(&self) -> usize {
        self.geometry.kernel[0] * self.geometry.kernel[1]
    }

    /// Returns the number of pixels of the input.
    pub(super) fn input_plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Returns the overlap of a tap with the input on an output row, where there is one.
    #[inline(always)]
    fn overlap(&self, tap: usize, row: usize) -> Option<Overlap> {
        let Geometry {
            kernel,
            stride,
            dilation,
            padding,
        } = self.geometry;
        let (i, j) = (tap / kernel[1], tap % kernel[1]);
        let y = (row * stride[0] + i * dilation[0]).checked_sub(padding.top)?;
        if y >= self.input[0] {
            return None;
        }
        let at = j * dilation[1];
        let first = padding.left.saturating_sub(at).div_ceil(stride[1]);
        let end = (self.input[1] + padding.left).saturating_sub(at);
        let end = end.div_ceil(stride[1]).min(self.output[1]);
        if first >= end {
            return None;
        }
        Some(Overlap {
            outputs: first..end,
            first: y * self.input[1] + first * stride[1] + at - padding.left,
        })
    }

    /// Adds the row of the matrix that belongs to a tap, for these output rows, to a channel's plane.
    pub(super) fn add_row(&self, from: &[f32], tap: usize, rows: Range<usize>, plane: &mut [f32]) {
        let stride = self.geometry.stride[1];
        for (row, from) in rows.zip(from.chunks_exact(self.output[1])) {
            let Some(Overlap { outputs, first }) = self.overlap(tap, row) else {
                continue;
            };
            let from = &from[outputs];
            if stride == 1 {
                for (to, from) in plane[first..].iter_mut().zip(from) {
                    *to += from;
                }
            } else {
                let plane = plane[first..].iter_mut().step_by(stride);
                for (to, from) in plane.zip(from) {
                    *to += from;
                }
            }
        }
    }
}
