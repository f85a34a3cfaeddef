//! The gradient of a depthwise convolution's weight.

use burn::backend::cubecl::dtype_to_storage_type;
use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::window::Window;
use crate::convolution_shape::ConvolutionShape;
use crate::cube::grid::{self, Grid};
use crate::cube::layout::{channels_last, empty_beside, vector_size};
use crate::cube::partial_sums::{add_up, segments};

/// The columns that a unit takes of a row at once, so that it reads a pixel that several of them need once. It is the same on every
/// device, since sums depend on it.
const COLUMNS: usize = 4;

/// The most sums that a unit keeps in registers, in numbers.
const SUMS: usize = 64;

/// Computes the gradient of the weight from the input and the gradient of the output, at channel multiplier 1.
///
/// The rows of all images are divided into segments; first the sums of each segment are computed, then those of all segments.
pub(in crate::cube) fn weight_gradient(
    input: CubeTensor,
    gradient: CubeTensor,
    shape: &ConvolutionShape,
) -> CubeTensor {
    let (input, gradient) = (channels_last(input), channels_last(gradient));
    let [batch, channels, height, _] = shape.output;
    let window = Window::forward(shape.geometry, COLUMNS);
    let [tap_rows, tap_columns] = shape.geometry.kernel;
    let fit = |vector: usize, rows: usize| rows * tap_columns * vector <= SUMS;
    let mut vector = vector_size(&input, channels);
    // A large window is divided among units by its rows, and after that by channels.
    let unit_rows = match fit(vector, tap_rows) {
        true => tap_rows,
        false => 1,
    };
    while vector > 1 && !fit(vector, unit_rows) {
        vector /= 2;
    }
    let parts = tap_rows / unit_rows;
    let lines = channels / vector;
    let segments = segments(batch * height, lines * parts);
    let partial = empty_beside(&input, [segments, window.taps(), channels], DType::F32);
    let grid = Grid::new(&input, lines, segments * parts);
    let (dtype, element) = (input.dtype, dtype_to_storage_type(input.dtype));
    let client = input.client.clone();
    segment_kernel::launch(
        &client,
        grid.count(),
        grid.dim(),
        vector,
        input.into_tensor_arg(),
        gradient.into_tensor_arg(),
        partial.clone().into_tensor_arg(),
        window,
        unit_rows,
        element,
    );
    add_up(partial, shape.weight, dtype)
}

/// Each unit computes the sums of some rows of the window over the rows of a segment, for a line of channels.
#[cube(launch)]
fn segment_kernel<E: Float, N: Size>(
    input: &Tensor<Vector<E, N>>,
    gradient: &Tensor<Vector<E, N>>,
    partial: &mut Tensor<Vector<f32, N>>,
    #[comptime] window: Window,
    #[comptime] unit_rows: usize,
    #[define(E)] _dtype: ElemType,
) {
    let geometry = comptime!(window.geometry);
    let lines = input.shape(3) / N::value();
    let line = grid::line();
    let parts = comptime!(window.rows() / unit_rows);
    let tap_columns = comptime!(geometry.kernel[1]);
    let (segment, part) = (grid::row() / parts, grid::row() % parts);
    let segments = partial.shape(0);
    if line >= lines || segment >= segments {
        terminate!();
    }
    let (input_rows, input_width) = (input.shape(1), input.shape(2));
    let (rows, width) = (gradient.shape(1), gradient.shape(2));
    let mut sums = Array::<Vector<f32, N>>::new(comptime!(unit_rows * tap_columns));
    #[unroll]
    for tap in 0..comptime!(unit_rows * tap_columns) {
        sums[tap] = Vector::<f32, N>::zeroed();
    }
    let mut gradients = Array::<Vector<f32, N>>::new(window.columns);

    let mut position = segment;
    while position < gradient.shape(0) * rows {
        let (image, row) = (position / rows, position % rows);
        let gradient_row = position * width * lines + line;
        let image = image * input_rows * input_width * lines + line;
        let top = (row * comptime!(geometry.stride[0])
            + part * comptime!(unit_rows * geometry.dilation[0])) as i32;
        let mut strip = 0usize.runtime();
        while strip * window.columns < width {
            let start = strip * window.columns;
            #[unroll]
            for at in 0..comptime!(window.columns) {
                gradients[at] = Vector::<f32, N>::zeroed();
                if start + at < width {
                    let value = gradient[gradient_row + (start + at) * lines];
                    gradients[at] = Vector::<f32, N>::cast_from(value);
                }
            }
            let base = (strip * comptime!(window.step())) as i32;
            #[unroll]
            for tap_row in 0..unit_rows {
                let from = top
                    + comptime!(
                        (tap_row * geometry.dilation[0]) as i32 - geometry.padding.top as i32
                    );
                if from >= 0 && from < input_rows as i32 {
                    let first = image + from as usize * input_width * lines;
                    #[unroll]
                    for index in 0..comptime!(window.offsets()) {
                        if comptime!(window.is_read(index)) {
                            let column = base + comptime!(window.offset(index));
                            if column >= 0 && column < input_width as i32 {
                                let value = input[first + column as usize * lines];
                                let value = Vector::<f32, N>::cast_from(value);
                                #[unroll]
                                for at in 0..comptime!(window.columns) {
                                    if comptime!(window.reaches(index, at)) {
                                        let tap = comptime!(window.tap_in_row(tap_row, index, at));
                                        sums[tap] += value * gradients[at];
                                    }
                                }
                            }
                        }
                    }
                }
            }
            strip += 1;
        }
        position += segments;
    }

    let first = (segment * parts + part) * comptime!(unit_rows * tap_columns);
    #[unroll]
    for tap in 0..comptime!(unit_rows * tap_columns) {
        partial[(first + tap) * lines + line] = sums[tap];
    }
}
