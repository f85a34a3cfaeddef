//! Depthwise separable convolution.

use burn::backend::Dispatch;
use burn::prelude::*;

use crate::cpu::separable::Separable;
use crate::native::is_native;
use crate::ops::{SeparableBackend, SeparablePlan};
use crate::{
    Activation, Geometry, activate, batch_norm_train, batch_statistics, depthwise_conv2d,
    pointwise_conv2d,
};

/// Convolves each channel by itself and then mixes the channels: a depthwise convolution followed by a
/// pointwise one, with nothing between them.
///
/// It is equal to the dense convolution whose kernel is `W[o, c, h, w] = pointwise[o, c] *
/// depthwise[c, h, w]`: for each input channel a matrix of rank one.
///
/// # Shapes
///
/// - `input`: `[batch, channels_in, height, width]`
/// - `depthwise`, with the channel multiplier `m`: `[channels_in * m, 1, kernel_height, kernel_width]`
/// - `pointwise`: `[channels_out, channels_in * m, 1, 1]`
/// - output: `[batch, channels_out, height_out, width_out]`, see [`Geometry::output_size`]
///
/// # Panics
///
/// If the shapes don't fit, as Burn's own convolution does.
pub fn separable_conv2d(
    input: Tensor<4>,
    depthwise: Tensor<4>,
    pointwise: Tensor<4>,
    geometry: &Geometry,
) -> Tensor<4> {
    let spatial = depthwise_conv2d(input, depthwise, None, geometry);
    pointwise_conv2d(spatial, pointwise, None, [1, 1])
}

/// What happens to the input of a separable convolution, and between its two parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeparableOptions {
    /// The window of the depthwise part.
    pub geometry: Geometry,
    /// Whether the input is rectified, after its normalization if there is one.
    pub input_relu: bool,
    /// The activation between the two parts.
    pub activation: Activation,
}

/// The normalization of an input by the statistics that it has itself.
#[derive(Debug, Clone)]
pub struct InputNorm {
    /// The scale of each channel.
    pub gamma: Tensor<1>,
    /// The shift of each channel.
    pub beta: Tensor<1>,
    /// The mean of each channel of the input.
    pub mean: Tensor<1>,
    /// The biased variance of each channel of the input.
    pub variance: Tensor<1>,
    /// Added to the variance.
    pub epsilon: f64,
}

/// The output of a separable convolution, and its statistics.
#[derive(Debug, Clone)]
pub struct SeparableOutput {
    /// The output.
    pub output: Tensor<4>,
    /// The mean of each channel of the output; without a gradient.
    pub mean: Tensor<1>,
    /// The biased variance of each channel of the output; without a gradient.
    pub variance: Tensor<1>,
}

/// Returns whether [`separable_conv2d_train`] computes a separable convolution in one operation: on the devices for which
/// [`runs_natively`](crate::runs_natively) holds, where the depthwise part has channel multiplier 1 and keeps the size of
/// maps of at most 1024 pixels.
///
/// # Shapes
///
/// As [`separable_conv2d`].
pub fn trains_separable(input: &Tensor<4>, depthwise: &Tensor<4>, geometry: &Geometry) -> bool {
    let [_, channels, height, width] = input.dims();
    is_native(input)
        && is_native(depthwise)
        && depthwise.dims() == [channels, 1, geometry.kernel[0], geometry.kernel[1]]
        && Separable::serves(geometry, [height, width])
}

/// Convolves each channel by itself and then mixes the channels, as [`separable_conv2d`] does. Before that it normalizes the
/// input by the statistics of the batch, as [`batch_norm_train`](crate::batch_norm_train) does, and rectifies it, where asked
/// for.
///
/// All of it is one operation where [`trains_separable`] holds: a few images at a time, so that what passes from one
/// part to the next stays in the cache, and without a normalized map in memory. Elsewhere it is composed of this crate's other
/// functions. The results agree up to rounding.
///
/// The statistics in `norm` must be those of the input: gradients flow through them. The statistics of the output are what
/// the normalization after this convolution needs.
///
/// # Shapes
///
/// As [`separable_conv2d`]; the tensors in `norm` are `[channels_in]`, the statistics returned `[channels_out]`.
///
/// # Panics
///
/// If the shapes don't fit.
pub fn separable_conv2d_train(
    input: Tensor<4>,
    norm: Option<InputNorm>,
    depthwise: Tensor<4>,
    pointwise: Tensor<4>,
    options: &SeparableOptions,
) -> SeparableOutput {
    let [batch, inputs, height, width] = input.dims();
    let outputs = pointwise.dims()[0];
    let norm_fits = norm.as_ref().is_none_or(|norm| {
        let tensors = [&norm.gamma, &norm.beta, &norm.mean, &norm.variance];
        tensors
            .iter()
            .all(|tensor| tensor.dims() == [inputs] && is_native(*tensor))
    });
    let serves = norm_fits
        && trains_separable(&input, &depthwise, &options.geometry)
        && is_native(&pointwise)
        && pointwise.dims() == [outputs, inputs, 1, 1];
    if !serves {
        return compose(input, norm, depthwise, pointwise, options);
    }
    let plan = SeparablePlan {
        kernel: Separable {
            batch,
            inputs,
            outputs,
            size: [height, width],
            geometry: options.geometry,
            input_relu: options.input_relu,
            activation: options.activation,
        },
        epsilon: norm.as_ref().map_or(0.0, |norm| norm.epsilon),
    };
    let (input, depthwise) = (input.into_dispatch(), depthwise.into_dispatch());
    let pointwise = pointwise.into_dispatch();
    let (output, mean, variance) = match norm {
        None => <Dispatch as SeparableBackend>::separable(input, depthwise, pointwise, plan),
        Some(norm) => <Dispatch as SeparableBackend>::separable_of_normalized(
            input,
            norm.gamma.into_dispatch(),
            norm.beta.into_dispatch(),
            norm.mean.into_dispatch(),
            norm.variance.into_dispatch(),
            depthwise,
            pointwise,
            plan,
        ),
    };
    SeparableOutput {
        output: Tensor::from_dispatch(output),
        mean: Tensor::from_dispatch(mean),
        variance: Tensor::from_dispatch(variance),
    }
}

/// Computes [`separable_conv2d_train`] by an operation for each of its parts.
fn compose(
    input: Tensor<4>,
    norm: Option<InputNorm>,
    depthwise: Tensor<4>,
    pointwise: Tensor<4>,
    options: &SeparableOptions,
) -> SeparableOutput {
    let input = match (norm, options.input_relu) {
        (Some(norm), relu) => {
            batch_norm_train(input, norm.gamma, norm.beta, norm.epsilon, relu).output
        }
        (None, true) => activate(input, Activation::Relu),
        (None, false) => input,
    };
    let inner = depthwise_conv2d(input, depthwise, None, &options.geometry);
    let inner = activate(inner, options.activation);
    let output = pointwise_conv2d(inner, pointwise, None, [1, 1]);
    let [mean, variance] = batch_statistics(&output);
    SeparableOutput {
        output,
        mean,
        variance,
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tolerance;
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Distribution, Tensor};

    use super::*;

    #[test]
    fn equals_the_dense_convolution_of_rank_one() {
        let device = Device::flex();
        device.seed(1);
        let random = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Default, &device);
        let (input, depthwise, pointwise) = (
            random([2, 3, 6, 5]),
            random([3, 1, 3, 3]),
            random([4, 3, 1, 1]),
        );
        // [3, 1, 3, 3] -> [1, 3, 3, 3], times [4, 3, 1, 1]
        let dense = pointwise.clone() * depthwise.clone().swap_dims(0, 1);
        let expected = conv2d(
            input.clone(),
            dense,
            None,
            ConvOptions::new([1, 1], [1, 1], [1, 1], 1),
        );
        let found = separable_conv2d(input, depthwise, pointwise, &Geometry::same(3));
        found
            .into_data()
            .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::default());
    }
}
