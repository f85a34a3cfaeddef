//! Depthwise convolution by its definition, without vectors: taps outside of the input add nothing.

use std::ops::Range;

use super::super::output::Unwritten;
use super::Depthwise;

/// Returns, along an axis, the outputs whose tap at this index lies on the input, and the input's
/// position for the first of them.
fn on_input(sizes: &Depthwise, axis: usize, tap: usize) -> (Range<usize>, usize) {
    let geometry = &sizes.geometry;
    let (before, _) = geometry.padding.pairs()[axis];
    let (stride, at) = (geometry.stride[axis], tap * geometry.dilation[axis]);
    let first = before.saturating_sub(at).div_ceil(stride);
    let end = (sizes.input[axis] + before).saturating_sub(at);
    let end = end.div_ceil(stride).min(sizes.output[axis]);
    let first = first.min(end);
    (first..end, (first * stride + at).saturating_sub(before))
}

/// Calls `visit` with the indices of the tap, the output and the input of each product.
fn each_product(sizes: &Depthwise, mut visit: impl FnMut(usize, usize, usize)) {
    let [kernel_height, kernel_width] = sizes.geometry.kernel;
    let [stride_rows, stride_columns] = sizes.geometry.stride;
    for i in 0..kernel_height {
        let (rows, first_row) = on_input(sizes, 0, i);
        for j in 0..kernel_width {
            let (columns, first_column) = on_input(sizes, 1, j);
            for (y, row) in rows.clone().enumerate() {
                for (x, column) in columns.clone().enumerate() {
                    let pixel = (first_row + y * stride_rows) * sizes.input[1];
                    let pixel = pixel + first_column + x * stride_columns;
                    let output = row * sizes.output[1] + column;
                    visit(i * kernel_width + j, output, pixel);
                }
            }
        }
    }
}

/// Writes one output plane.
pub(super) fn forward<'a>(
    sizes: &Depthwise,
    input: &[f32],
    filter: &[f32],
    bias: f32,
    output: &'a mut Unwritten,
) -> &'a mut [f32] {
    let mut sums = vec![bias; output.len()];
    each_product(sizes, |tap, output, pixel| {
        sums[output] += filter[tap] * input[pixel];
    });
    output.write_copy_of_slice(&sums)
}

/// Writes the gradient of one input plane, from those of its output planes.
pub(super) fn input_gradient<'a>(
    sizes: &Depthwise,
    filters: &[f32],
    gradients: &[f32],
    output: &'a mut Unwritten,
) -> &'a mut [f32] {
    let mut sums = vec![0.0; output.len()];
    let gradients = gradients.chunks_exact(sizes.output_plane());
    for (filter, gradient) in filters.chunks_exact(sizes.taps()).zip(gradients) {
        each_product(sizes, |tap, output, pixel| {
            sums[pixel] += filter[tap] * gradient[output];
        });
    }
    output.write_copy_of_slice(&sums)
}

/// Computes the gradient of the filters of one input channel.
pub(super) fn weight_gradient(
    sizes: &Depthwise,
    channel: usize,
    input: &[f32],
    gradient: &[f32],
    result: &mut [f32],
) {
    result.fill(0.0);
    for image in 0..sizes.batch {
        let plane = image * sizes.channels + channel;
        let input = &input[plane * sizes.input_plane()..][..sizes.input_plane()];
        for (index, result) in result.chunks_exact_mut(sizes.taps()).enumerate() {
            let plane = plane * sizes.multiplier + index;
            let gradient = &gradient[plane * sizes.output_plane()..][..sizes.output_plane()];
            each_product(sizes, |tap, output, pixel| {
                result[tap] += input[pixel] * gradient[output];
            });
        }
    }
}
