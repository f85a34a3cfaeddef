//! A depthwise separable convolution with batch normalization.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, PaddingConfig2d};
use burn::prelude::*;
use xception_kernels::{Geometry, Padding2d, depthwise_conv2d, pointwise_conv2d};

use super::conv_norm::{batch_norm, convolution_initializer, normalize};
use crate::layers::Activation;
use crate::trace;

/// Configuration of a [`SeparableConvNorm`].
#[derive(Debug, Clone, PartialEq)]
pub struct SeparableConvNormConfig {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Height and width of the depthwise kernel; odd.
    pub kernel: usize,
    /// The non-linearity between the two parts.
    pub activation: Activation,
    /// Added to the variance by batch normalization.
    pub epsilon: f64,
}

impl SeparableConvNormConfig {
    /// Makes the layer, with random weights.
    pub fn init(&self, device: &Device) -> SeparableConvNorm {
        let [channels_in, channels_out] = self.channels;
        let conv = |channels: [usize; 2], kernel: usize, groups: usize| {
            let padding = kernel / 2;
            Conv2dConfig::new(channels, [kernel, kernel])
                .with_groups(groups)
                .with_padding(PaddingConfig2d::Explicit(
                    padding, padding, padding, padding,
                ))
                .with_bias(false)
                .with_initializer(convolution_initializer())
                .init(device)
        };
        SeparableConvNorm {
            depthwise: conv([channels_in, channels_in], self.kernel, channels_in),
            pointwise: conv([channels_in, channels_out], 1, 1),
            norm: batch_norm(channels_out, self.epsilon, device),
            activation: self.activation,
        }
    }
}

/// A depthwise and a pointwise convolution, both without bias, then batch normalization.
///
/// Xception, figure 5: stride 1, depth multiplier 1; no non-linearity between the two parts unless
/// asked for (section 4.7).
#[derive(Module, Debug)]
pub struct SeparableConvNorm {
    /// The spatial convolution of each channel.
    pub depthwise: Conv2d,
    /// The 1x1 convolution that mixes channels.
    pub pointwise: Conv2d,
    /// The normalization of the output channels.
    pub norm: BatchNorm,
    /// The non-linearity between the two convolutions.
    #[module(skip)]
    pub activation: Activation,
}

impl SeparableConvNorm {
    /// Convolves each channel, mixes channels, normalizes.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height, width]`
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let depthwise = self.depthwise.weight.val();
        let pointwise = self.pointwise.weight.val();
        let [channels, _, kernel, _] = depthwise.dims();
        let [channels_out, _, _, _] = pointwise.dims();
        let taps = kernel * kernel;
        let geometry = Geometry::valid(kernel).with_padding(Padding2d::symmetric(kernel / 2));

        let x = depthwise_conv2d(input, depthwise, None, &geometry);
        let x = trace::weighted(x, channels * taps, taps);
        let x = self.activation.forward(x);
        let x = pointwise_conv2d(x, pointwise, None, [1, 1]); // [batch, channels_out, height, width]
        let x = trace::weighted(x, channels * channels_out, channels);
        normalize(&self.norm, x)
    }
}
