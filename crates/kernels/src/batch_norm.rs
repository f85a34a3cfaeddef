//! Batch normalization.

use burn::backend::Dispatch;
use burn::prelude::*;
use burn::tensor::activation;
use burn::tensor::module;

use crate::half_precision::{half, single};
use crate::native::{is_native, is_on_cube};
use crate::ops::{BatchNormBackend, NormSettings, NormalizeBackend, StatisticsBackend};

/// A batch that is normalized by its own statistics, and these statistics.
#[derive(Debug, Clone)]
pub struct NormalizedBatch {
    /// The normalized, scaled and shifted batch, rectified where asked for.
    pub output: Tensor<4>,
    /// The mean of each channel; without a gradient.
    pub mean: Tensor<1>,
    /// The biased variance of each channel; without a gradient.
    pub variance: Tensor<1>,
}

/// Normalizes each channel by the mean and the variance that it has in the batch, scales it by
/// `gamma` and shifts it by `beta`. With `relu`, the result is rectified.
///
/// The result is that of Burn's `batch_norm_train` and `relu`, up to rounding. ReLU takes no pass of its
/// own on the devices for which [`runs_natively`](crate::runs_natively) holds, and on graphics cards with one of the cargo
/// features `wgpu`, `cuda` and `rocm`.
///
/// # Shapes
///
/// - `input` and output: `[batch, channels, height, width]`
/// - `gamma` and `beta`: `[channels]`
///
/// # Element types
///
/// The input, and with it the output, may be of `f16` or `bf16` while gamma and beta are of `f32`. Statistics are then of
/// `f32`, and all is computed in it.
///
/// # Panics
///
/// If the shapes don't fit.
pub fn batch_norm_train(
    input: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
    relu: bool,
) -> NormalizedBatch {
    let [_, channels, _, _] = input.dims();
    let fits = gamma.dims() == [channels] && beta.dims() == [channels];
    let native = is_native(&input) && is_native(&gamma) && is_native(&beta);
    let elements = input.shape().num_elements();
    let on_cube = is_on_cube(&input)
        && (1..=u32::MAX as usize).contains(&elements)
        && is_on_cube(&gamma)
        && gamma.dtype() == beta.dtype();
    if let Some(element) = half(&input).filter(|_| !on_cube) {
        let (gamma, beta) = (single(gamma), single(beta));
        let batch = batch_norm_train(single(input), gamma, beta, epsilon, relu);
        return NormalizedBatch {
            output: batch.output.cast(element),
            ..batch
        };
    }
    if !(fits && (native || on_cube)) {
        let result = module::batch_norm_train(input, gamma, beta, epsilon);
        return NormalizedBatch {
            output: match relu {
                true => activation::relu(result.output),
                false => result.output,
            },
            mean: result.mean.detach(),
            variance: result.variance.detach(),
        };
    }
    let (output, mean, variance) = <Dispatch as BatchNormBackend>::normalize_batch(
        input.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        NormSettings { epsilon, relu },
    );
    NormalizedBatch {
        output: Tensor::from_dispatch(output),
        mean: Tensor::from_dispatch(mean),
        variance: Tensor::from_dispatch(variance),
    }
}

/// Returns the mean and the biased variance of each channel of a batch, without gradients.
///
/// They are those of [`batch_norm_train`], bit for bit on the devices for which [`runs_natively`](crate::runs_natively) holds.
///
/// # Shapes
///
/// - `input`: `[batch, channels, height, width]`
/// - mean and variance: `[channels]`
pub fn batch_statistics(input: &Tensor<4>) -> [Tensor<1>; 2] {
    let is_autodiff = input.device().is_autodiff();
    let values = match is_autodiff {
        true => input.clone().inner(),
        false => input.clone(),
    };
    let statistics = if is_native(&values) {
        let (mean, variance) =
            <Dispatch as StatisticsBackend>::batch_statistics(values.into_dispatch());
        [mean, variance].map(Tensor::from_dispatch)
    } else {
        let [_, channels, ..] = values.dims();
        let values = single(values).swap_dims(0, 1).flatten::<2>(1, 3); // [channels, batch * height * width]
        [
            values.clone().mean_dim(1).reshape([channels]),
            values.var_bias(1).reshape([channels]),
        ]
    };
    match is_autodiff {
        true => statistics.map(Tensor::from_inner),
        false => statistics,
    }
}

/// Normalizes each channel by a given mean and variance, scales and shifts it. With `relu`, the result is
/// rectified.
///
/// This is one pass, in place if there is no other reference to the input, on the devices for which
/// [`runs_natively`](crate::runs_natively) holds. Elsewhere, and in autodiff mode, where there is a
/// gradient, Burn's own operations compute it.
///
/// # Shapes
///
/// - `input` and output: `[batch, channels, height, width]`
/// - `parameters`, gamma and beta, and `statistics`, mean and variance: each `[channels]`
///
/// # Element types
///
/// The input, and with it the output, may be of `f16` or `bf16`; all is computed in `f32`.
///
/// # Panics
///
/// If the shapes don't fit.
pub fn normalize(
    input: Tensor<4>,
    parameters: [Tensor<1>; 2],
    statistics: [Tensor<1>; 2],
    epsilon: f64,
    relu: bool,
) -> Tensor<4> {
    if let Some(element) = half(&input) {
        let (parameters, statistics) = (parameters.map(single), statistics.map(single));
        return normalize(single(input), parameters, statistics, epsilon, relu).cast(element);
    }
    let [_, channels, _, _] = input.dims();
    let native = parameters
        .iter()
        .chain(&statistics)
        .all(|tensor| tensor.dims() == [channels] && is_native(tensor))
        && is_native(&input)
        && !input.device().is_autodiff();
    let ([gamma, beta], [mean, variance]) = (parameters, statistics);
    if !native {
        let output = module::batch_norm(input, gamma, beta, mean, variance, epsilon);
        return match relu {
            true => activation::relu(output),
            false => output,
        };
    }
    Tensor::from_dispatch(<Dispatch as NormalizeBackend>::normalize_by(
        input.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        mean.into_dispatch(),
        variance.into_dispatch(),
        NormSettings { epsilon, relu },
    ))
}
