//! The gradients of a convolution in groups of channels, each in a number of launches that doesn't depend on that of the groups.

use burn::backend::cubecl::dtype_to_storage_type;
use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::grid::{self, Grid};
use super::layout::{channels_last, channels_second, empty_beside, gapless};
use super::partial_sums::{add_up, segments};
use super::source::output_of;
use crate::Geometry;
use crate::convolution_shape::ConvolutionShape;

/// Computes the gradient of the input from that of the output.
pub(super) fn input_gradient(
    weight: CubeTensor,
    gradient: CubeTensor,
    shape: &ConvolutionShape,
) -> CubeTensor {
    let (weight, gradient) = (gapless(weight), channels_last(gradient));
    let [batch, channels, height, width] = shape.input;
    let input = empty_beside(&gradient, [batch, height, width, channels], gradient.dtype);
    let grid = Grid::new(&gradient, channels, batch * height * width);
    let dtype = dtype_to_storage_type(gradient.dtype);
    let client = gradient.client.clone();
    input_gradient_kernel::launch(
        &client,
        grid.count(),
        grid.dim(),
        weight.into_tensor_arg(),
        gradient.into_tensor_arg(),
        input.clone().into_tensor_arg(),
        shape.geometry,
        shape.groups,
        dtype,
    );
    channels_second(input)
}

/// Each unit computes a value: the sum over the taps and the group's outputs.
#[cube(launch)]
fn input_gradient_kernel<E: Float>(
    weight: &Tensor<E>,
    gradient: &Tensor<E>,
    input: &mut Tensor<E>,
    #[comptime] geometry: Geometry,
    #[comptime] groups: usize,
    #[define(E)] _dtype: ElemType,
) {
    let (rows, width, channels) = (input.shape(1), input.shape(2), input.shape(3));
    let (channel, position) = (grid::line(), grid::row());
    if channel >= channels || position >= input.shape(0) * rows * width {
        terminate!();
    }
    let (column, row) = (position % width, position / width % rows);
    let image = position / width / rows;
    let (gradient_rows, gradient_width) = (gradient.shape(1), gradient.shape(2));
    let outputs = gradient.shape(3) / groups;
    let inputs = channels / groups;
    let (group, of_group) = (channel / inputs, channel % inputs);
    let (tap_rows, tap_columns) = comptime!((geometry.kernel[0], geometry.kernel[1]));
    let taps = comptime!(tap_rows * tap_columns);

    let mut sum = 0.0f32;
    for tap_row in 0..tap_rows {
        let (from_row, row_exists) = output_of(
            row,
            tap_row,
            gradient_rows,
            comptime!(geometry.stride[0]),
            comptime!(geometry.dilation[0]),
            comptime!(geometry.padding.top),
        );
        for tap_column in 0..tap_columns {
            let (from_column, column_exists) = output_of(
                column,
                tap_column,
                gradient_width,
                comptime!(geometry.stride[1]),
                comptime!(geometry.dilation[1]),
                comptime!(geometry.padding.left),
            );
            if row_exists && column_exists {
                let pixel = (image * gradient_rows + from_row) * gradient_width + from_column;
                let first = pixel * gradient.shape(3) + group * outputs;
                for output in 0..outputs {
                    let filter = (group * outputs + output) * inputs + of_group;
                    let weight = weight[filter * taps + tap_row * tap_columns + tap_column];
                    sum += f32::cast_from(gradient[first + output]) * f32::cast_from(weight);
                }
            }
        }
    }
    input[position * channels + channel] = E::cast_from(sum);
}

/// Computes the gradient of the weight from the input and the gradient of the output.
pub(super) fn weight_gradient(
    input: CubeTensor,
    gradient: CubeTensor,
    shape: &ConvolutionShape,
) -> CubeTensor {
    let (input, gradient) = (channels_last(input), channels_last(gradient));
    let [outputs, of_group, tap_rows, tap_columns] = shape.weight;
    let [batch, _, height, _] = shape.output;
    let (filters, taps) = (outputs * of_group, tap_rows * tap_columns);
    let segments = segments(batch * height, filters * taps);
    let partial = empty_beside(&input, [segments, taps, filters], DType::F32);
    let grid = Grid::new(&input, filters, segments * taps);
    let (dtype, element) = (input.dtype, dtype_to_storage_type(input.dtype));
    let client = input.client.clone();
    weight_gradient_kernel::launch(
        &client,
        grid.count(),
        grid.dim(),
        input.into_tensor_arg(),
        gradient.into_tensor_arg(),
        partial.clone().into_tensor_arg(),
        shape.geometry,
        shape.groups,
        element,
    );
    add_up(partial, shape.weight, dtype)
}

/// Each unit computes the sum of one weight over the rows of a segment.
#[cube(launch)]
fn weight_gradient_kernel<E: Float>(
    input: &Tensor<E>,
    gradient: &Tensor<E>,
    partial: &mut Tensor<f32>,
    #[comptime] geometry: Geometry,
    #[comptime] groups: usize,
    #[define(E)] _dtype: ElemType,
) {
    let (segments, taps, filters) = (partial.shape(0), partial.shape(1), partial.shape(2));
    let (filter, segment, tap) = (grid::line(), grid::row() / taps, grid::row() % taps);
    if filter >= filters || segment >= segments {
        terminate!();
    }
    let (channels, outputs) = (input.shape(3), gradient.shape(3));
    let of_group = channels / groups;
    let output = filter / of_group;
    let group = output / (outputs / groups);
    let channel = group * of_group + filter % of_group;
    let (input_rows, input_width) = (input.shape(1), input.shape(2));
    let (rows, width) = (gradient.shape(1), gradient.shape(2));
    let tap_columns = comptime!(geometry.kernel[1]);
    let (tap_row, tap_column) = (tap / tap_columns, tap % tap_columns);
    // Distances of the input's positions from the output's, which may be negative.
    let down =
        (tap_row * comptime!(geometry.dilation[0])) as i32 - comptime!(geometry.padding.top as i32);
    let right = (tap_column * comptime!(geometry.dilation[1])) as i32
        - comptime!(geometry.padding.left as i32);

    let mut sum = 0.0f32;
    let mut position = segment;
    while position < gradient.shape(0) * rows {
        let (image, row) = (position / rows, position % rows);
        let from = (row * comptime!(geometry.stride[0])) as i32 + down;
        if from >= 0 && from < input_rows as i32 {
            let first = (image * input_rows + from as usize) * input_width;
            for column in 0..width {
                let from = (column * comptime!(geometry.stride[1])) as i32 + right;
                if from >= 0 && from < input_width as i32 {
                    let value = input[(first + from as usize) * channels + channel];
                    let gradient = gradient[(position * width + column) * outputs + output];
                    sum += f32::cast_from(value) * f32::cast_from(gradient);
                }
            }
        }
        position += segments;
    }
    partial[(segment * taps + tap) * filters + filter] = sum;
}
