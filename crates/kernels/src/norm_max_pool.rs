//! Batch normalization followed by a max pool.

use burn::backend::Dispatch;
use burn::prelude::*;

use crate::native::is_native;
use crate::ops::{NormMaxPoolBackend, NormMaxPoolPlan, NormSettings, PoolPlan};
use crate::{Geometry, InputNorm, batch_norm_train, max_pool2d};

/// Returns whether [`norm_max_pool2d_train`] normalizes and pools in one operation: on the devices for which
/// [`runs_natively`](crate::runs_natively) holds, for `f32` and the windows for which [`max_pool2d`] has a kernel.
pub fn trains_norm_max_pool(input: &Tensor<4>, geometry: &Geometry) -> bool {
    is_native(input) && PoolPlan::new(input.dims(), *geometry).is_some()
}

/// Normalizes a batch by its own statistics, as [`batch_norm_train`] does, with ReLU if `relu` is set, and computes the maximum
/// of each window, as [`max_pool2d`] does.
///
/// Both are one operation where [`trains_norm_max_pool`] holds: it writes neither the normalized map to memory nor that map's
/// gradient. Its output is that of the two functions bit for bit, and its gradients are up to rounding. Elsewhere it calls them.
///
/// The statistics in `norm` must be those of the input, as [`batch_statistics`](crate::batch_statistics) or the operation
/// before returns them: gradients flow through them.
///
/// # Shapes
///
/// - `input`: `[batch, channels, height, width]`; the tensors in `norm`: `[channels]`
/// - output: `[batch, channels, height_out, width_out]`, see [`Geometry::output_size`]
///
/// # Panics
///
/// If the shapes don't fit, or the padded input is smaller than the window.
pub fn norm_max_pool2d_train(
    input: Tensor<4>,
    norm: InputNorm,
    relu: bool,
    geometry: &Geometry,
) -> Tensor<4> {
    let [_, channels, ..] = input.dims();
    let tensors = [&norm.gamma, &norm.beta, &norm.mean, &norm.variance];
    let fits = |tensor: &Tensor<1>| tensor.dims() == [channels] && is_native(tensor);
    let plan = match is_native(&input) && tensors.into_iter().all(fits) {
        true => PoolPlan::new(input.dims(), *geometry),
        false => None,
    };
    let Some(pool) = plan else {
        let batch = batch_norm_train(input, norm.gamma, norm.beta, norm.epsilon, relu);
        return max_pool2d(batch.output, geometry);
    };
    let settings = NormSettings {
        epsilon: norm.epsilon,
        relu,
    };
    Tensor::from_dispatch(<Dispatch as NormMaxPoolBackend>::normalize_and_pool(
        input.into_dispatch(),
        norm.gamma.into_dispatch(),
        norm.beta.into_dispatch(),
        norm.mean.into_dispatch(),
        norm.variance.into_dispatch(),
        NormMaxPoolPlan { settings, pool },
    ))
}
