//! Pools.

use burn::backend::Dispatch;
use burn::prelude::*;
use burn::tensor::module;
use burn::tensor::ops::MaxPoolOptions;

use crate::Geometry;
use crate::native::is_native;
use crate::ops::{MaxPoolBackend, PoolPlan};

/// Maximum over each window; what is padded never wins, and NaN always.
///
/// # Shapes
///
/// - `input`: `[batch, channels, height, width]`
/// - output: `[batch, channels, height_out, width_out]`, see [`Geometry::output_size`]
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

/// The same by Burn's own operation, on every backend.
///
/// # Shapes
///
/// As [`max_pool2d`].
pub fn burn_max_pool2d(input: Tensor<4>, geometry: &Geometry) -> Tensor<4> {
    let options = MaxPoolOptions::new(geometry.kernel)
        .with_stride(geometry.stride)
        .with_dilation(geometry.dilation)
        .with_padding_pairs(geometry.padding.pairs());
    module::max_pool2d(input, options)
}
