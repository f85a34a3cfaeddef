//! Convolution with any geometry and number of groups.

use burn::backend::Dispatch;
use burn::prelude::*;
use burn::tensor::module;
use burn::tensor::ops::ConvOptions;

use crate::Geometry;
use crate::convolution_shape::ConvolutionShape;
use crate::half_precision::{half_in_memory, single};
use crate::native::{is_native, is_on_cube};
use crate::ops::ConvolutionBackend;

/// Convolves with a window of any geometry, in any number of groups of channels.
///
/// Depthwise and pointwise convolutions are recognized by their shapes. On the devices for which
/// [`runs_natively`](crate::runs_natively) holds, and for `f32`, this crate's kernels compute the output and
/// the gradients. On graphics cards, with one of the cargo features `wgpu`, `cuda` and `rocm`, they compute depthwise
/// convolutions and their gradients, and the weight's gradient of grouped ones, for `f32`, `f16` and `bf16`. Elsewhere Burn's
/// own operation does. All arguments are of one element type; of `f16` and `bf16`, this crate's kernels sum
/// the products in `f32`.
///
/// # Shapes
///
/// - `input`: `[batch, channels_in, height, width]`
/// - `weight`: `[channels_out, channels_in / groups, kernel_height, kernel_width]`
/// - `bias`: `[channels_out]`
/// - output: `[batch, channels_out, height_out, width_out]`, see [`Geometry::output_size`]
///
/// # Panics
///
/// If the shapes don't fit, as Burn's own convolution does.
pub fn conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    geometry: &Geometry,
    groups: usize,
) -> Tensor<4> {
    if let Some(element) = half_in_memory(&input) {
        let bias = bias.map(single);
        return conv2d(single(input), single(weight), bias, geometry, groups).cast(element);
    }
    let native = is_native(&input) && is_native(&weight) && bias.as_ref().is_none_or(is_native);
    let dtype = input.dtype();
    let same = weight.dtype() == dtype && bias.as_ref().is_none_or(|bias| bias.dtype() == dtype);
    let on_cube = groups > 1 && same && is_on_cube(&input);
    let shape = match native || on_cube {
        true => ConvolutionShape::new(input.dims(), weight.dims(), *geometry, groups),
        false => None,
    };
    let shape = shape.filter(|shape| native || shape.has_short_indices());
    let Some(shape) = shape else {
        return burn_conv2d(input, weight, bias, geometry, groups);
    };
    let (input, weight) = (input.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias {
        None => <Dispatch as ConvolutionBackend>::convolve(input, weight, shape),
        Some(bias) => {
            let bias = bias.into_dispatch();
            <Dispatch as ConvolutionBackend>::convolve_with_bias(input, weight, bias, shape)
        }
    })
}

/// Convolves as [`conv2d`] does, by Burn's own operation on every backend.
///
/// # Shapes
///
/// Those of [`conv2d`].
///
/// # Panics
///
/// If the shapes don't fit.
pub fn burn_conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    geometry: &Geometry,
    groups: usize,
) -> Tensor<4> {
    let options = ConvOptions::new_with_padding(
        geometry.stride,
        geometry.padding.pairs(),
        geometry.dilation,
        groups,
    );
    module::conv2d(input, weight, bias, options)
}
