//! The output of a depthwise convolution.

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

/// Computes the output of a depthwise convolution.
pub(in crate::cube) fn forward(
    input: CubeTensor,
    weight: CubeTensor,
    bias: Option<CubeTensor>,
    shape: &ConvolutionShape,
) -> CubeTensor {
    let (input, weight) = (channels_last(input), gapless(weight));
    let [batch, channels, height, width] = shape.output;
    let output = empty_beside(&input, [batch, height, width, channels], input.dtype);
    let multiplier = shape.multiplier();
    let vector = match multiplier {
        1 => vector_size(&input, channels),
        _ => 1,
    };
    let window = Window::forward(shape.geometry, COLUMNS);
    let strips = width.div_ceil(window.columns);
    let grid = Grid::sharing(
        &input,
        channels / vector,
        batch * height * strips,
        shared_bytes(&window, vector),
    );
    let dtype = dtype_to_storage_type(input.dtype);
    let client = input.client.clone();
    forward_kernel::launch(
        &client,
        grid.count(),
        grid.dim(),
        vector,
        input.into_tensor_arg(),
        weight.into_tensor_arg(),
        bias.map(|bias| gapless(bias).into_buffer_arg()).into(),
        output.clone().into_tensor_arg(),
        shape.geometry,
        window,
        multiplier,
        grid.cube_lines,
        dtype,
    );
    channels_second(output)
}

/// Each unit computes a strip of columns of a row, for a line of channels.
#[cube(launch)]
fn forward_kernel<E: Float, N: Size>(
    input: &Tensor<Vector<E, N>>,
    weight: &Tensor<E>,
    bias: ComptimeOption<&[Vector<E, N>]>,
    output: &mut Tensor<Vector<E, N>>,
    #[comptime] geometry: Geometry,
    #[comptime] window: Window,
    #[comptime] multiplier: usize,
    #[comptime] cube_lines: usize,
    #[define(E)] _dtype: ElemType,
) {
    let vector = N::value();
    let (rows, width, channels) = (output.shape(1), output.shape(2), output.shape(3));
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
    if line >= lines || row >= output.shape(0) * rows {
        terminate!();
    }
    let (image, row) = (row / rows, row % rows);

    let (input_rows, input_width) = (input.shape(1), input.shape(2));
    let pixel = input.shape(3) / vector;
    let first_pixel = image * input_rows * input_width * pixel + line / multiplier;
    let base = (strip * comptime!(window.step())) as i32;
    let top = (row * comptime!(geometry.stride[0])) as i32;

    let bias: ComptimeOption<Vector<E, N>> = bias.as_ref().map(|bias| bias[line]);
    let bias = Vector::<f32, N>::cast_from(bias.unwrap_or(Vector::<E, N>::zeroed()));
    let mut sums = Array::<Vector<f32, N>>::new(window.columns);
    #[unroll]
    for at in 0..comptime!(window.columns) {
        sums[at] = bias;
    }
    #[unroll]
    for tap_row in 0..comptime!(window.rows()) {
        let from =
            top + comptime!((tap_row * geometry.dilation[0]) as i32 - geometry.padding.top as i32);
        if from >= 0 && from < input_rows as i32 {
            add_row::<E, N>(
                input,
                &weights,
                &mut sums,
                first_pixel + from as usize * input_width * pixel,
                pixel,
                base,
                input_width as i32,
                tap_row,
                window,
                cube_lines,
            );
        }
    }
    write_strip::<E, N>(
        output,
        &sums,
        (image * rows + row) * width * lines + line,
        lines,
        strip * window.columns,
        width,
        window.columns,
    );
}
