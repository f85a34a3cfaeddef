//! The normalized batch and its statistics.

use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;
use cubecl::prelude::*;

use super::{Batch, PIXELS, Tensors, add_up_pair, reciprocal_deviation};
use crate::cube::grid;
use crate::cube::layout::{channels_last, channels_second, empty_beside, gapless};
use crate::ops::{BatchNormBackend, NormSettings};

impl BatchNormBackend for CubeBackend {
    fn normalize_batch(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        settings: NormSettings,
    ) -> Tensors {
        let input = channels_last(input);
        let [gamma, beta] = [gamma, beta].map(gapless);
        let batch = Batch::of(&input);
        let sums = batch.empty_sums(&input);
        sums_kernel::launch(
            &input.client,
            batch.sums.count(),
            batch.sums.dim(),
            batch.vector,
            input.clone().into_tensor_arg(),
            sums.clone().into_tensor_arg(),
            batch.element,
        );
        let channels = [batch.channels];
        let [mean, variance] = [(); 2].map(|()| empty_beside(&input, channels, gamma.dtype));
        let parameter = dtype_to_storage_type(gamma.dtype);
        let (count, dim) = batch.per_channel(&input);
        statistics_kernel::launch(
            &input.client,
            count,
            dim,
            input.clone().into_tensor_arg(),
            sums.into_tensor_arg(),
            mean.clone().into_tensor_arg(),
            variance.clone().into_tensor_arg(),
            batch.element,
            parameter,
        );
        let output = empty_beside(&input, batch.shape, input.dtype);
        normalize_kernel::launch(
            &input.client,
            batch.pass.count(),
            batch.pass.dim(),
            batch.vector,
            input.clone().into_tensor_arg(),
            gamma.into_buffer_arg(),
            beta.into_buffer_arg(),
            mean.clone().into_buffer_arg(),
            variance.clone().into_buffer_arg(),
            output.clone().into_tensor_arg(),
            settings.epsilon as f32,
            settings.relu,
            batch.element,
            parameter,
        );
        (channels_second(output), mean, variance)
    }
}

/// Each unit sums, over the pixels of a segment, the differences from the channel's first value, and their squares. That value is
/// near the mean, compared to what the deviation may be from zero: so no digits are lost where a mean is large.
#[cube(launch)]
fn sums_kernel<E: Float, N: Size>(
    input: &Tensor<Vector<E, N>>,
    sums: &mut Tensor<Vector<f32, N>>,
    #[define(E)] _element: ElemType,
) {
    let lines = input.shape(3) / N::value();
    let pixels = input.shape(0) * input.shape(1) * input.shape(2);
    let (line, segment, segments) = (grid::line(), grid::row(), sums.shape(0));
    if line >= lines || segment >= segments {
        terminate!();
    }
    let first = Vector::<f32, N>::cast_from(input[line]);
    let mut sum = Vector::<f32, N>::zeroed();
    let mut squares = Vector::<f32, N>::zeroed();
    let mut pixel = segment;
    while pixel < pixels {
        let difference = Vector::<f32, N>::cast_from(input[pixel * lines + line]) - first;
        sum += difference;
        squares += difference * difference;
        pixel += segments;
    }
    sums[2 * segment * lines + line] = sum;
    sums[(2 * segment + 1) * lines + line] = squares;
}

/// Each unit computes the mean and the biased variance of a channel.
#[cube(launch)]
fn statistics_kernel<E: Float, P: Float>(
    input: &Tensor<E>,
    sums: &Tensor<f32>,
    mean: &mut Tensor<P>,
    variance: &mut Tensor<P>,
    #[define(E)] _element: ElemType,
    #[define(P)] _parameter: ElemType,
) {
    let channels = input.shape(3);
    if ABSOLUTE_POS >= channels {
        terminate!();
    }
    let (sum, squares) = add_up_pair(sums, ABSOLUTE_POS);
    let pixels = f32::cast_from(input.shape(0) * input.shape(1) * input.shape(2));
    let distance = sum / pixels;
    let spread = squares / pixels - distance * distance;
    mean[ABSOLUTE_POS] = P::cast_from(f32::cast_from(input[ABSOLUTE_POS]) + distance);
    variance[ABSOLUTE_POS] = P::cast_from(clamp_min(spread, 0.0f32));
}

/// Each unit normalizes some pixels of a line.
#[cube(launch)]
fn normalize_kernel<E: Float, P: Float, N: Size>(
    input: &Tensor<Vector<E, N>>,
    gamma: &[Vector<P, N>],
    beta: &[Vector<P, N>],
    mean: &[Vector<P, N>],
    variance: &[Vector<P, N>],
    output: &mut Tensor<Vector<E, N>>,
    epsilon: f32,
    #[comptime] relu: bool,
    #[define(E)] _element: ElemType,
    #[define(P)] _parameter: ElemType,
) {
    let lines = input.shape(3) / N::value();
    let pixels = input.shape(0) * input.shape(1) * input.shape(2);
    let line = grid::line();
    let start = grid::row() * PIXELS;
    if line >= lines || start >= pixels {
        terminate!();
    }
    let mean = Vector::<f32, N>::cast_from(mean[line]);
    let scale = Vector::<f32, N>::cast_from(gamma[line])
        * reciprocal_deviation::<P, N>(variance[line], epsilon);
    let beta = Vector::<f32, N>::cast_from(beta[line]);
    #[unroll]
    for at in 0..PIXELS {
        let pixel = start + at;
        if pixel < pixels {
            let value = Vector::<f32, N>::cast_from(input[pixel * lines + line]);
            let mut result = (value - mean) * scale + beta;
            if relu {
                result = max(result, Vector::<f32, N>::zeroed());
            }
            output[pixel * lines + line] = Vector::<E, N>::cast_from(result);
        }
    }
}
