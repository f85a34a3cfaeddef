//! A depthwise separable convolution with batch normalization.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, PaddingConfig2d};
use burn::prelude::*;
use xception_kernels::Geometry;

use super::conv_norm::{batch_norm, convolution_initializer, convolve, normalize, normalize_relu};
use crate::layers::{Activation, Kernels, LayerOptions};

/// Configuration of a [`SeparableConvNorm`].
#[derive(Debug, Clone, PartialEq)]
pub struct SeparableConvNormConfig {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Height and width of the depthwise kernel; odd.
    pub kernel: usize,
    /// The non-linearity between the two parts.
    pub activation: Activation,
    /// What it shares with the network's other layers.
    pub options: LayerOptions,
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
            norm: batch_norm(channels_out, self.options.epsilon, device),
            activation: self.activation,
            kernels: self.options.kernels,
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
    /// Whose operations it runs.
    #[module(skip)]
    pub kernels: Kernels,
}

impl SeparableConvNorm {
    /// Convolves each channel, mixes channels, normalizes.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height, width]`
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        normalize(&self.norm, self.convolve(input), self.kernels)
    }

    /// The same, rectified.
    ///
    /// # Shapes
    ///
    /// As [`forward`](Self::forward).
    pub fn forward_relu(&self, input: Tensor<4>) -> Tensor<4> {
        normalize_relu(&self.norm, self.convolve(input), self.kernels)
    }

    fn convolve(&self, input: Tensor<4>) -> Tensor<4> {
        let [_, _, kernel, _] = self.depthwise.weight.lazy_shape().dims();
        let x = convolve(
            &self.depthwise,
            input,
            &Geometry::same(kernel),
            self.kernels,
        );
        let x = self.activation.forward(x, self.kernels);
        convolve(&self.pointwise, x, &Geometry::valid(1), self.kernels) // [batch, channels_out, height, width]
    }
}
