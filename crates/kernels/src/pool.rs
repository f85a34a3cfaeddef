//! Max pooling.

use burn::backend::Dispatch;
use burn::prelude::*;
use burn::tensor::module;
use burn::tensor::ops::MaxPoolOptions;

use crate::Geometry;
use crate::native::is_native;
use crate::ops::{MaxPoolBackend, PoolPlan};

/// Computes the maximum of each window.
///
/// Padding is never the maximum. A NaN in a window is.
///
/// On the devices for which [`runs_natively`](crate::runs_natively) holds, and for `f32`, this crate's kernel
/// computes it and its gradient if the dilation is 1, the padding on each side smaller than the kernel, and
/// the window has at most 255 values; in all other cases Burn's own operation does.
///
/// # Shapes
///
/// - `input`: `[batch, channels, height, width]`
/// - output: `[batch, channels, height_out, width_out]`, see [`Geometry::output_size`]
///
/// # Panics
///
/// If the padded input is smaller than the window.
pub fn max_pool2d(input: Tensor<4>, geometry: &Geometry) -> Tensor<4> {
    let plan = match is_native(&input) {
        true => PoolPlan::new(input.dims(), *geometry),
        false => None,
    };
    let Some(plan) = plan else {
        return burn_max_pool2d(input, geometry);
    };
    Tensor::from_dispatch(<Dispatch as MaxPoolBackend>::pool_maximum(
        input.into_dispatch(),
        plan,
    ))
}

/// Computes the maximum of each window as [`max_pool2d`] does, by Burn's own operation on every backend.
///
/// # Shapes
///
/// Those of [`max_pool2d`].
///
/// # Panics
///
/// If the padded input is smaller than the window.
pub fn burn_max_pool2d(input: Tensor<4>, geometry: &Geometry) -> Tensor<4> {
    let options = MaxPoolOptions::new(geometry.kernel)
        .with_stride(geometry.stride)
        .with_dilation(geometry.dilation)
        .with_padding_pairs(geometry.padding.pairs());
    module::max_pool2d(input, options)
}
