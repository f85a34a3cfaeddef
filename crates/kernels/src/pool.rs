//! Max and average pooling.

use burn::backend::Dispatch;
use burn::prelude::*;
use burn::tensor::module;
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};

use crate::Geometry;
use crate::half_precision::{half_in_memory, single};
use crate::native::is_native;
use crate::ops::{AveragePlan, AveragePoolBackend, MaxPoolBackend, PoolPlan};

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
    if let Some(element) = half_in_memory(&input) {
        return max_pool2d(single(input), geometry).cast(element);
    }
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

/// Computes the mean of each window. `counts_padding` says whether padded zeros count in it.
///
/// On the devices for which [`runs_natively`](crate::runs_natively) holds, and for `f32`, this crate's kernel
/// computes it and its gradient if each window has a pixel of the input; in all other cases Burn's own operation does.
///
/// # Shapes
///
/// - `input`: `[batch, channels, height, width]`
/// - output: `[batch, channels, height_out, width_out]`, see [`Geometry::output_size`]
///
/// # Panics
///
/// If the padded input is smaller than the window, or for Burn's operation the padding differs from one side to the opposite
/// or the dilation is not 1.
pub fn average_pool2d(input: Tensor<4>, geometry: &Geometry, counts_padding: bool) -> Tensor<4> {
    if let Some(element) = half_in_memory(&input) {
        return average_pool2d(single(input), geometry, counts_padding).cast(element);
    }
    let plan = match is_native(&input) {
        true => AveragePlan::new(input.dims(), *geometry, counts_padding),
        false => None,
    };
    let Some(plan) = plan else {
        return burn_average_pool2d(input, geometry, counts_padding);
    };
    Tensor::from_dispatch(<Dispatch as AveragePoolBackend>::pool_mean(
        input.into_dispatch(),
        plan,
    ))
}

/// Computes the mean of each window as [`average_pool2d`] does, by Burn's own operation on every backend, which has no
/// dilation, and the same padding on opposite sides.
///
/// # Shapes
///
/// Those of [`average_pool2d`].
///
/// # Panics
///
/// If the padded input is smaller than the window, or the geometry is none for Burn's operation.
pub fn burn_average_pool2d(
    input: Tensor<4>,
    geometry: &Geometry,
    counts_padding: bool,
) -> Tensor<4> {
    let padding = geometry.padding;
    let symmetric = padding.top == padding.bottom && padding.left == padding.right;
    assert!(
        symmetric && geometry.dilation == [1, 1],
        "an average pool without dilation, with the same padding on opposite sides"
    );
    let options = AvgPoolOptions::new(geometry.kernel)
        .with_stride(geometry.stride)
        .with_padding([padding.top, padding.left])
        .with_count_include_pad(counts_padding);
    module::avg_pool2d(input, options)
}
