//! Pools for inference, of tensors with trailing channels.

use burn::backend::Dispatch;
use burn::prelude::*;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use pulp::Arch;

use crate::channel_order::{leading_channels, trailing_channels};
use crate::cpu::fused::{Pool, PoolKind};
use crate::native::is_native;
use crate::ops::{InferenceBackend, InferencePlan};
use crate::{Geometry, burn_max_pool2d};

/// Computes the maximum of each window, of a tensor with trailing channels.
///
/// Padding is never the maximum. A NaN in a window is.
///
/// With `native`, this crate's kernel computes it on the devices for which
/// [`runs_natively`](crate::runs_natively) holds, if the dilation is 1 and the padding on each side smaller
/// than the kernel. In all other cases, and in autodiff mode, where there is a gradient, Burn's own
/// operation does.
///
/// # Shapes
///
/// - `input`: `[batch, height, width, channels]`
/// - output: `[batch, height_out, width_out, channels]`, see [`Geometry::output_size`]
///
/// # Panics
///
/// If the padded input is smaller than the window.
pub fn max_pool_trailing_channels(
    input: Tensor<4>,
    geometry: &Geometry,
    native: bool,
) -> Tensor<4> {
    match plan(&input, PoolKind::Maximum, geometry, native) {
        Some(plan) => infer(input, plan),
        None => trailing_channels(burn_max_pool2d(leading_channels(input), geometry)),
    }
}

/// Computes the mean of each window at stride 1, of a tensor with trailing channels.
///
/// The window is a square of `kernel` rows and columns, an odd number, and the input is padded so that the
/// output has its size. With `counts_padding` the zeros of the padding count as values, else the mean is
/// over the values of the input alone.
///
/// With `native`, this crate's kernel computes it on the devices for which
/// [`runs_natively`](crate::runs_natively) holds. Elsewhere, and in autodiff mode, where there is a
/// gradient, Burn's own operation does.
///
/// # Shapes
///
/// - `input` and output: `[batch, height, width, channels]`
///
/// # Panics
///
/// If `kernel` is even.
pub fn mean_pool_trailing_channels(
    input: Tensor<4>,
    kernel: usize,
    counts_padding: bool,
    native: bool,
) -> Tensor<4> {
    assert!(kernel % 2 == 1, "a kernel of odd size, not {kernel}");
    let kind = PoolKind::Mean { counts_padding };
    match plan(&input, kind, &Geometry::same(kernel), native) {
        Some(plan) => infer(input, plan),
        None => {
            let options = AvgPoolOptions::new([kernel, kernel])
                .with_stride([1, 1])
                .with_padding([kernel / 2, kernel / 2])
                .with_count_include_pad(counts_padding);
            trailing_channels(avg_pool2d(leading_channels(input), options))
        }
    }
}

/// Returns the kernel's plan for a pool that it serves.
fn plan(
    input: &Tensor<4>,
    kind: PoolKind,
    geometry: &Geometry,
    native: bool,
) -> Option<InferencePlan> {
    let sizes = input.dims();
    let pool = Pool {
        arch: Arch::new(),
        kind,
        geometry: *geometry,
        channels: sizes[3],
    };
    let native = native && is_native(input) && !input.device().is_autodiff();
    native.then(|| InferencePlan::pool(pool, sizes)).flatten()
}

fn infer(input: Tensor<4>, plan: InferencePlan) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as InferenceBackend>::infer(
        input.into_dispatch(),
        plan,
    ))
}
