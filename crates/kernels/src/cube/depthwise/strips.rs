//! A depthwise convolution, or its transpose, in strips of columns.

use burn::backend::cubecl::dtype_to_storage_type;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::weights::{share_weights, shared_bytes};
use super::window::Window;
use crate::Activation;
use crate::cube::grid::{self, Grid};
use crate::cube::layout::{channels_last, channels_second, empty_beside, gapless, vector_size};
use crate::cube::source::output_of;
use crate::ops::Activations;

/// Computes what a window makes of a tensor, in the shape `[batch, channels, height, width]`, whose channels are a multiple of the
/// tensor's, with activations before and after.
pub(super) fn compute(
    source: CubeTensor,
    weight: CubeTensor,
    bias: Option<CubeTensor>,
    [batch, channels, height, width]: [usize; 4],
    window: Window,
    activations: Activations,
) -> CubeTensor {
    let (source, weight) = (channels_last(source), gapless(weight));
    let result = empty_beside(&source, [batch, height, width, channels], source.dtype);
    let multiplier = channels / source.meta.shape()[3];
    let vector = match multiplier {
        1 => vector_size(&source, channels),
        _ => 1,
    };
    let rows = batch * height * width.div_ceil(window.columns);
    let shared = shared_bytes(&window, vector);
    let grid = Grid::sharing(&source, channels / vector, rows, shared);
    let dtype = dtype_to_storage_type(source.dtype);
    let client = source.client.clone();
    strips_kernel::launch(
        &client,
        grid.count(),
        grid.dim(),
        vector,
        source.into_tensor_arg(),
        weight.into_tensor_arg(),
        bias.map(|bias| gapless(bias).into_buffer_arg()).into(),
        result.clone().into_tensor_arg(),
        window,
        activations,
        multiplier,
        grid.cube_lines,
        dtype,
    );
    channels_second(result)
}

/// Each unit computes a strip of columns of a row, for a line of channels.
#[cube(launch)]
fn strips_kernel<E: Float, N: Size>(
    source: &Tensor<Vector<E, N>>,
    weight: &Tensor<E>,
    bias: ComptimeOption<&[Vector<E, N>]>,
    result: &mut Tensor<Vector<E, N>>,
    #[comptime] window: Window,
    #[comptime] activations: Activations,
    #[comptime] multiplier: usize,
    #[comptime] cube_lines: usize,
    #[define(E)] _dtype: ElemType,
) {
    let vector = N::value();
    let (rows, width, channels) = (result.shape(1), result.shape(2), result.shape(3));
    let taps = comptime!(window.taps());
    let mut weights = Shared::<[Vector<f32, N>]>::new_slice(comptime!(taps * cube_lines));
    share_weights::<E, N>(weight, &mut weights, channels, taps, cube_lines);

    let (line, lines) = (grid::line(), channels / vector);
    let strips = width.div_ceil(window.columns);
    let (row, strip) = (grid::row() / strips, grid::row() % strips);
    if line >= lines || row >= result.shape(0) * rows {
        terminate!();
    }
    let (image, row) = (row / rows, row % rows);

    let bias: ComptimeOption<Vector<E, N>> = bias.as_ref().map(|bias| bias[line]);
    let bias = Vector::<f32, N>::cast_from(bias.unwrap_or(Vector::<E, N>::zeroed()));
    let mut sums = Array::<Vector<f32, N>>::new(window.columns);
    #[unroll]
    for at in 0..comptime!(window.columns) {
        sums[at] = bias;
    }
    let (source_rows, source_width) = (source.shape(1), source.shape(2));
    let pixel = source.shape(3) / vector;
    let first_pixel = image * source_rows * source_width * pixel + line / multiplier;
    let base = (strip * comptime!(window.step())) as i32;
    #[unroll]
    for tap_row in 0..comptime!(window.rows()) {
        let (from, exists) = source_row(row, source_rows, tap_row, window);
        if exists {
            add_row::<E, N>(
                source,
                &weights,
                &mut sums,
                first_pixel + from * source_width * pixel,
                pixel,
                base,
                source_width as i32,
                tap_row,
                window,
                activations.input_relu,
                cube_lines,
            );
        }
    }

    let first = (image * rows + row) * width * lines + line;
    #[unroll]
    for at in 0..comptime!(window.columns) {
        let column = strip * window.columns + at;
        if column < width {
            let value = activate::<N>(sums[at], activations.output);
            result[first + column * lines] = Vector::<E, N>::cast_from(value);
        }
    }
}

/// Applies an activation.
#[cube]
fn activate<N: Size>(value: Vector<f32, N>, #[comptime] activation: Activation) -> Vector<f32, N> {
    let zero = Vector::<f32, N>::zeroed();
    match activation {
        Activation::None => value,
        Activation::Relu => max(value, zero),
        Activation::Relu6 => min(max(value, zero), Vector::broadcast(6.0f32)),
        Activation::Elu => max(value, zero) + (min(value, zero).exp() - Vector::broadcast(1.0f32)),
    }
}

/// Returns the source's row from which a row of the window leads to a row of the result, and whether there is one.
#[cube]
fn source_row(
    row: usize,
    source_rows: usize,
    #[comptime] tap_row: usize,
    #[comptime] window: Window,
) -> (usize, bool) {
    let geometry = comptime!(window.geometry);
    let stride = comptime!(geometry.stride[0]);
    let dilation = comptime!(geometry.dilation[0]);
    let top = comptime!(geometry.padding.top);
    if comptime!(window.transposed) {
        output_of(row, tap_row, source_rows, stride, dilation, top)
    } else {
        let from = (row * stride) as i32 + comptime!((tap_row * dilation) as i32 - top as i32);
        (from as usize, from >= 0 && from < source_rows as i32)
    }
}

/// Adds to the sums of a strip's columns what a row of the window finds in a row of pixels.
///
/// `first` is the place of the row's first pixel, `pixel` the distance of one to the next, in vectors; `base` is the column that
/// the window's offsets count from.
#[cube]
fn add_row<E: Float, N: Size>(
    pixels: &Tensor<Vector<E, N>>,
    weights: &Shared<[Vector<f32, N>]>,
    sums: &mut Array<Vector<f32, N>>,
    first: usize,
    pixel: usize,
    base: i32,
    width: i32,
    #[comptime] row: usize,
    #[comptime] window: Window,
    #[comptime] rectify: bool,
    #[comptime] cube_lines: usize,
) {
    let line = UNIT_POS_X as usize;
    #[unroll]
    for index in 0..comptime!(window.offsets()) {
        if comptime!(window.is_read(index)) {
            let column = base + comptime!(window.offset(index));
            if column >= 0 && column < width {
                let value = pixels[first + column as usize * pixel];
                let mut value = Vector::<f32, N>::cast_from(value);
                if rectify {
                    value = max(value, Vector::<f32, N>::zeroed());
                }
                #[unroll]
                for at in 0..comptime!(window.columns) {
                    if comptime!(window.reaches(index, at)) {
                        let tap = comptime!(window.tap_in_row(row, index, at) * cube_lines);
                        sums[at] += value * weights[tap + line];
                    }
                }
            }
        }
    }
}
