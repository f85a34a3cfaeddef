//! The products of a plane's convolution by its definition: taps outside of the input add nothing.
//!
//! The kernels pad planes with zeros, of which an infinite weight would make a NaN. Where weights or results are not
//! finite, loops over these products stand in for them.

use std::ops::Range;

use crate::Geometry;

/// The convolution of a plane.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlainConvolution {
    pub(super) geometry: Geometry,
    /// Height and width of the input.
    pub(super) input: [usize; 2],
    /// Height and width of the output.
    pub(super) output: [usize; 2],
}

impl PlainConvolution {
    /// Returns, along an axis, the outputs whose tap at this index lies on the input, and the input's
    /// position for the first of them.
    fn on_input(&self, axis: usize, tap: usize) -> (Range<usize>, usize) {
        let geometry = &self.geometry;
        let (before, _) = geometry.padding.pairs()[axis];
        let (stride, at) = (geometry.stride[axis], tap * geometry.dilation[axis]);
        let first = before.saturating_sub(at).div_ceil(stride);
        let end = (self.input[axis] + before).saturating_sub(at);
        let end = end.div_ceil(stride).min(self.output[axis]);
        let first = first.min(end);
        (first..end, (first * stride + at).saturating_sub(before))
    }

    /// Calls `visit` with the indices of the tap, the output and the input of each product.
    pub(super) fn each_product(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let [kernel_height, kernel_width] = self.geometry.kernel;
        let [stride_rows, stride_columns] = self.geometry.stride;
        for i in 0..kernel_height {
            let (rows, first_row) = self.on_input(0, i);
            for j in 0..kernel_width {
                let (columns, first_column) = self.on_input(1, j);
                for (y, row) in rows.clone().enumerate() {
                    for (x, column) in columns.clone().enumerate() {
                        let pixel = (first_row + y * stride_rows) * self.input[1];
                        let pixel = pixel + first_column + x * stride_columns;
                        let output = row * self.output[1] + column;
                        visit(i * kernel_width + j, output, pixel);
                    }
                }
            }
        }
    }
}

/// Returns whether no value is infinite or NaN.
#[inline(always)]
pub(super) fn all_finite(values: &[f32]) -> bool {
    // Without an early end, so that compilers make vectors of it.
    values
        .iter()
        .fold(true, |finite, value| finite & value.is_finite())
}
