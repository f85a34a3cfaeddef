//! The gradient of a depthwise convolution's input.

use burn::backend::cubecl::dtype_to_storage_type;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::COLUMNS;
use super::strip::{add_row, write_strip};
use super::weights::{share_weights, shared_bytes};
use super::window::Window;
use crate::Geometry;
use crate::convolution_shape::ConvolutionShape;
use crate::cube::grid::{self, Grid};
use crate::cube::layout::{channels_last, channels_second, empty_beside, gapless, vector_size};

/// Computes the gradient of the input from that of the output, at channel multiplier 1.
pub(in crate::cube) fn input_gradient(
    weight: CubeTensor,
    gradient: CubeTensor,
    shape: &ConvolutionShape,
) -> CubeTensor {
    let (weight, gradient) = (gapless(weight), channels_last(gradient));
    let [batch, channels, height, width] = shape.input;
    let input = empty_beside(&gradient, [batch, height, width, channels], gradient.dtype);
    let vector = vector_size(&gradient, channels);
    let window = Window::transposed(shape.geometry, COLUMNS);
    let strips = width.div_ceil(window.columns);
    let grid = Grid::sharing(
        &gradient,
        channels / vector,
        batch * height * strips,
        shared_bytes(&window, vector),
    );
    let dtype = dtype_to_storage_type(gradient.dtype);
    let client = gradient.client.clone();
    input_gradient_kernel::launch(
        &client,
        grid.count(),
        grid.dim(),
        vector,
        weight.into_tensor_arg(),
        gradient.into_tensor_arg(),
        input.clone().into_tensor_arg(),
        shape.geometry,
        window,
        grid.cube_lines,
        dtype,
    );
    channels_second(input)
}

/// Each unit computes a strip of columns of a row, for a line of channels, from the pixels of the gradient that it had a part in.
#[cube(launch)]
fn input_gradient_kernel<E: Float, N: Size>(
    weight: &Tensor<E>,
    gradient: &Tensor<Vector<E, N>>,
    input: &mut Tensor<Vector<E, N>>,
    #[comptime] geometry: Geometry,
    #[comptime] window: Window,
    #[comptime] cube_lines: usize,
    #[define(E)] _dtype: ElemType,
) {
    let vector = N::value();
    let (rows, width, channels) = (input.shape(1), input.shape(2), input.shape(3));
    let mut weights = Shared::<[Vector<f32, N>]>::new_slice(comptime!(window.taps() * cube_lines));
    share_weights::<E, N>(
        weight,
        &mut weights,
        channels,
        comptime!(window.taps()),
        cube_lines,
    );

    let (line, lines) = (grid::line(), channels / vector);
    let strips = width.div_ceil(window.columns);
    let (row, strip) = (grid::row() / strips, grid::row() % strips);
    if line >= lines || row >= input.shape(0) * rows {
        terminate!();
    }
    let (image, row) = (row / rows, row % rows);

    let (gradient_rows, gradient_width) = (gradient.shape(1), gradient.shape(2));
    let first_pixel = image * gradient_rows * gradient_width * lines + line;
    let base = (strip * comptime!(window.step())) as i32;

    let mut sums = Array::<Vector<f32, N>>::new(window.columns);
    #[unroll]
    for at in 0..comptime!(window.columns) {
        sums[at] = Vector::<f32, N>::zeroed();
    }
    #[unroll]
    for tap_row in 0..comptime!(window.rows()) {
        // from * stride + tap_row * dilation - top = row
        let distance = row as i32
            + comptime!(geometry.padding.top as i32 - (tap_row * geometry.dilation[0]) as i32);
        let stride = comptime!(geometry.stride[0] as i32);
        let from = distance / stride;
        if distance >= 0 && from * stride == distance && from < gradient_rows as i32 {
            add_row::<E, N>(
                gradient,
                &weights,
                &mut sums,
                first_pixel + from as usize * gradient_width * lines,
                lines,
                base,
                gradient_width as i32,
                tap_row,
                window,
                cube_lines,
            );
        }
    }
    write_strip::<E, N>(
        input,
        &sums,
        (image * rows + row) * width * lines + line,
        lines,
        strip * window.columns,
        width,
        window.columns,
    );
}
