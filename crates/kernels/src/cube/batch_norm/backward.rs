//! The gradients of input, gamma and beta.

use burn::backend::cubecl::dtype_to_storage_type;
use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;
use cubecl::prelude::*;

use super::{Batch, PIXELS, Tensors, add_up_pair, reciprocal_deviation};
use crate::cube::grid;
use crate::cube::layout::{channels_last, channels_second, empty_beside, gapless};
use crate::ops::{BatchNormGradientBackend, NormSettings};

impl BatchNormGradientBackend for CubeBackend {
    fn normalize_batch_backward(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        settings: NormSettings,
    ) -> Tensors {
        let [input, gradient] = [input, gradient].map(channels_last);
        let [gamma, beta, mean, variance] = [gamma, beta, mean, variance].map(gapless);
        let batch = Batch::of(&input);
        let parameter = dtype_to_storage_type(gamma.dtype);
        let epsilon = settings.epsilon as f32;
        let sums = batch.empty_sums(&input);
        gradient_sums_kernel::launch(
            &input.client,
            batch.sums.count(),
            batch.sums.dim(),
            batch.vector,
            input.clone().into_tensor_arg(),
            gradient.clone().into_tensor_arg(),
            gamma.clone().into_buffer_arg(),
            beta.clone().into_buffer_arg(),
            mean.clone().into_buffer_arg(),
            variance.clone().into_buffer_arg(),
            sums.clone().into_tensor_arg(),
            epsilon,
            settings.relu,
            batch.element,
            parameter,
        );
        let channels = [batch.channels];
        let [gamma_gradient, beta_gradient] =
            [(); 2].map(|()| empty_beside(&input, channels, gamma.dtype));
        let (count, dim) = batch.per_channel(&input);
        parameter_gradients_kernel::launch(
            &input.client,
            count,
            dim,
            sums.into_tensor_arg(),
            variance.clone().into_buffer_arg(),
            gamma_gradient.clone().into_tensor_arg(),
            beta_gradient.clone().into_tensor_arg(),
            epsilon,
            parameter,
        );
        let result = empty_beside(&input, batch.shape, input.dtype);
        input_gradient_kernel::launch(
            &input.client,
            batch.pass.count(),
            batch.pass.dim(),
            batch.vector,
            input.clone().into_tensor_arg(),
            gradient.into_tensor_arg(),
            gamma.into_buffer_arg(),
            beta.into_buffer_arg(),
            mean.into_buffer_arg(),
            variance.into_buffer_arg(),
            gamma_gradient.clone().into_buffer_arg(),
            beta_gradient.clone().into_buffer_arg(),
            result.clone().into_tensor_arg(),
            epsilon,
            settings.relu,
            batch.element,
            parameter,
        );
        (channels_second(result), gamma_gradient, beta_gradient)
    }
}

/// Each unit sums, over the pixels of a segment, the gradient of the normalized value, and its product with the distance from the
/// mean.
#[cube(launch)]
fn gradient_sums_kernel<E: Float, P: Float, N: Size>(
    input: &Tensor<Vector<E, N>>,
    gradient: &Tensor<Vector<E, N>>,
    gamma: &[Vector<P, N>],
    beta: &[Vector<P, N>],
    mean: &[Vector<P, N>],
    variance: &[Vector<P, N>],
    sums: &mut Tensor<Vector<f32, N>>,
    epsilon: f32,
    #[comptime] relu: bool,
    #[define(E)] _element: ElemType,
    #[define(P)] _parameter: ElemType,
) {
    let lines = input.shape(3) / N::value();
    let pixels = input.shape(0) * input.shape(1) * input.shape(2);
    let (line, segment, segments) = (grid::line(), grid::row(), sums.shape(0));
    if line >= lines || segment >= segments {
        terminate!();
    }
    let mean = Vector::<f32, N>::cast_from(mean[line]);
    let scale = Vector::<f32, N>::cast_from(gamma[line])
        * reciprocal_deviation::<P, N>(variance[line], epsilon);
    let beta = Vector::<f32, N>::cast_from(beta[line]);
    let mut sum = Vector::<f32, N>::zeroed();
    let mut products = Vector::<f32, N>::zeroed();
    let mut pixel = segment;
    while pixel < pixels {
        let distance = Vector::<f32, N>::cast_from(input[pixel * lines + line]) - mean;
        let gradient = Vector::<f32, N>::cast_from(gradient[pixel * lines + line]);
        let gradient = passed::<N>(gradient, distance * scale + beta, relu);
        sum += gradient;
        products += gradient * distance;
        pixel += segments;
    }
    sums[2 * segment * lines + line] = sum;
    sums[(2 * segment + 1) * lines + line] = products;
}

/// Returns the gradient that ReLU lets through: where the output is above zero.
#[cube]
fn passed<N: Size>(
    gradient: Vector<f32, N>,
    output: Vector<f32, N>,
    #[comptime] relu: bool,
) -> Vector<f32, N> {
    let zero = Vector::<f32, N>::zeroed();
    if relu {
        select_many(output.greater_than(&zero), gradient, zero)
    } else {
        gradient
    }
}

/// Each unit computes the gradients of gamma and beta of a channel.
#[cube(launch)]
fn parameter_gradients_kernel<P: Float>(
    sums: &Tensor<f32>,
    variance: &[P],
    gamma_gradient: &mut Tensor<P>,
    beta_gradient: &mut Tensor<P>,
    epsilon: f32,
    #[define(P)] _parameter: ElemType,
) {
    if ABSOLUTE_POS >= sums.shape(2) {
        terminate!();
    }
    let (sum, products) = add_up_pair(sums, ABSOLUTE_POS);
    let deviation = (f32::cast_from(variance[ABSOLUTE_POS]) + epsilon).sqrt();
    gamma_gradient[ABSOLUTE_POS] = P::cast_from(products / deviation);
    beta_gradient[ABSOLUTE_POS] = P::cast_from(sum);
}

/// Each unit computes the input's gradient of some pixels of a line.
#[cube(launch)]
fn input_gradient_kernel<E: Float, P: Float, N: Size>(
    input: &Tensor<Vector<E, N>>,
    gradient: &Tensor<Vector<E, N>>,
    gamma: &[Vector<P, N>],
    beta: &[Vector<P, N>],
    mean: &[Vector<P, N>],
    variance: &[Vector<P, N>],
    gamma_gradient: &[Vector<P, N>],
    beta_gradient: &[Vector<P, N>],
    result: &mut Tensor<Vector<E, N>>,
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
    let share = Vector::<f32, N>::broadcast(1.0f32 / f32::cast_from(pixels));
    let mean = Vector::<f32, N>::cast_from(mean[line]);
    let reciprocal = reciprocal_deviation::<P, N>(variance[line], epsilon);
    let scale = Vector::<f32, N>::cast_from(gamma[line]) * reciprocal;
    let beta = Vector::<f32, N>::cast_from(beta[line]);
    let shift = Vector::<f32, N>::cast_from(beta_gradient[line]) * share;
    let slope = Vector::<f32, N>::cast_from(gamma_gradient[line]) * reciprocal * share;
    #[unroll]
    for at in 0..PIXELS {
        let pixel = start + at;
        if pixel < pixels {
            let distance = Vector::<f32, N>::cast_from(input[pixel * lines + line]) - mean;
            let gradient = Vector::<f32, N>::cast_from(gradient[pixel * lines + line]);
            let gradient = passed::<N>(gradient, distance * scale + beta, relu);
            let value = scale * (gradient - shift - distance * slope);
            result[pixel * lines + line] = Vector::<E, N>::cast_from(value);
        }
    }
}
