//! Layers folded into single convolutions, and what else the fused networks share.
//!
//! Inside of a fused network feature maps have their channels last, `[batch, height, width, channels]`.

use burn::module::Module;
use burn::nn::BatchNorm;
use burn::prelude::*;
use xception_kernels::{Between, FusedConv2d, FusedSeparable, Geometry};

use crate::layers::{Activation, ConvNorm, Kernels, SeparableConvNorm};

/// The weights of a convolution and the normalization after it as one convolution's weight and bias.
fn fold(weight: Tensor<4>, norm: &BatchNorm) -> (Tensor<4>, Tensor<1>) {
    // In training the running statistics of each thread are only joined by `valid`.
    let (weight, norm) = (weight.without_autodiff(), norm.valid());
    let device = weight.device();
    let [mean, variance] =
        [&norm.running_mean, &norm.running_var].map(|running| running.value().to_device(&device));
    let scale = norm.gamma.val() / (variance + norm.epsilon).sqrt();
    let bias = norm.beta.val() - mean * scale.clone();
    let [outputs, ..] = weight.dims();
    (weight * scale.reshape([outputs, 1, 1, 1]), bias)
}

impl ConvNorm {
    /// The convolution and its normalization as one operation, which rectifies its output where asked
    /// to.
    pub(super) fn fuse(&self, relu: bool) -> FusedConv2d {
        let (weight, bias) = fold(self.conv.weight.val(), &self.norm);
        let native = self.kernels == Kernels::Native;
        FusedConv2d::new(weight, bias, self.geometry(), relu, native)
    }
}

impl SeparableConvNorm {
    /// Both convolutions and the normalization as one operation, which rectifies its input and its
    /// output where asked to.
    pub(super) fn fuse(&self, input_relu: bool, relu: bool) -> FusedConv2d {
        let (pointwise, bias) = fold(self.pointwise.weight.val(), &self.norm);
        let depthwise = self.depthwise.weight.val();
        let [_, _, kernel, _] = depthwise.dims();
        let between = match self.activation {
            Activation::None => Between::Nothing,
            Activation::Relu => Between::Relu,
            Activation::Elu => Between::Elu,
        };
        let options = FusedSeparable {
            input_relu,
            between,
            relu,
        };
        let native = self.kernels == Kernels::Native;
        let geometry = Geometry::same(kernel);
        FusedConv2d::separable(depthwise, pointwise, bias, geometry, options, native)
    }
}

/// A feature map with its channels first, as [`Network`](crate::Network) has them: a view.
pub(super) fn channels_first(map: &Tensor<4>) -> Tensor<4> {
    map.clone().permute([0, 3, 1, 2])
}

/// The mean over the pixels of a feature map with its channels first.
///
/// # Shapes
///
/// - `features`: `[batch, channels, height, width]`
/// - output: `[batch, channels]`
pub(super) fn pool(features: Tensor<4>) -> Tensor<2> {
    let pixels = features.permute([0, 2, 3, 1]).flatten::<3>(1, 2); // [batch, height * width, channels]
    pixels.mean_dim(1).squeeze_dim::<2>(1) // [batch, channels]
}
