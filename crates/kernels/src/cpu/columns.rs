//! Where the windows of a convolution lie on its input, to add to what they saw.

use std::ops::Range;

use crate::Geometry;

/// Where the windows of a convolution lie: for output rows of some images, a matrix with a row for
/// each channel and tap and a column for each output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    pub(super) input: [usize; 2],
    pub(super) output: [usize; 2],
    pub(super) geometry: Geometry,
}

/// One row of the matrix on one row of the output: what of it lies on the input.
struct Overlap {
    /// Outputs whose tap lies on the input.
    outputs: Range<usize>,
    /// The input's first pixel among them.
    first: usize,
}

impl Columns {
    pub(super) fn taps(&self) -> usize {
        self.geometry.kernel[0] * self.geometry.kernel[1]
    }

    pub(super) fn input_plane(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// The overlap of a tap with the input on an output row, where there is one.
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

    /// Adds one row of the matrix for these output rows to one image.
    pub(super) fn add(&self, from: &[f32], tap: usize, rows: Range<usize>, plane: &mut [f32]) {
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
