//! A convolution with batch normalization.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::prelude::*;

use xception_kernels::{Geometry, Padding2d};

use super::{Kernels, LayerOptions, window_output};
use crate::trace;

/// Momentum of the running statistics in Burn's and PyTorch's direction: the share of the new batch.
pub(crate) const NORM_MOMENTUM: f64 = 0.1;

/// He initialization over the fan-out, as in timm's and torchvision's models (K. He et al.,
/// *Delving Deep into Rectifiers*, 2015).
pub(crate) fn convolution_initializer() -> Initializer {
    Initializer::KaimingNormal {
        gain: std::f64::consts::SQRT_2,
        fan_out_only: true,
    }
}

pub(crate) fn batch_norm(channels: usize, epsilon: f64, device: &Device) -> BatchNorm {
    BatchNormConfig::new(channels)
        .with_epsilon(epsilon)
        .with_momentum(NORM_MOMENTUM)
        .init(device)
}

/// Batch normalization that reports itself to the trace.
pub(crate) fn normalize(norm: &BatchNorm, input: Tensor<4>, kernels: Kernels) -> Tensor<4> {
    let [_, channels, _, _] = input.dims();
    trace::weighted(input.dims(), 2 * channels, 0, || {
        kernels.normalize(norm, input, false)
    })
}

/// Batch normalization and ReLU, in one operation where the kernels have it.
pub(crate) fn normalize_relu(norm: &BatchNorm, input: Tensor<4>, kernels: Kernels) -> Tensor<4> {
    let [_, channels, _, _] = input.dims();
    let output = trace::weighted(input.dims(), 2 * channels, 0, || {
        kernels.normalize(norm, input, true)
    });
    trace::elementwise(output.dims(), || output) // rectified already
}

/// A convolution that reports itself to the trace.
pub(crate) fn convolve(
    conv: &Conv2d,
    input: Tensor<4>,
    geometry: &Geometry,
    kernels: Kernels,
) -> Tensor<4> {
    let [channels_out, channels_in, height, width] = conv.weight.lazy_shape().dims();
    let multiply_adds = channels_in * height * width;
    let parameters = channels_out * multiply_adds;
    let mut output = window_output(&input, geometry);
    output[1] = channels_out;
    trace::weighted(output, parameters, multiply_adds, || {
        kernels.conv2d(input, conv.weight.val(), None, geometry, conv.groups)
    })
}

/// Configuration of a [`ConvNorm`].
#[derive(Debug, Clone, PartialEq)]
pub struct ConvNormConfig {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Stride in both directions.
    pub stride: usize,
    /// Rows above and below, columns left and right.
    pub padding: [usize; 2],
    /// What it shares with the network's other layers.
    pub options: LayerOptions,
}

impl ConvNormConfig {
    /// A square kernel at stride 1 without padding.
    pub fn new(channels: [usize; 2], kernel: usize, options: LayerOptions) -> Self {
        Self {
            channels,
            kernel: [kernel, kernel],
            stride: 1,
            padding: [0, 0],
            options,
        }
    }

    /// With another kernel, padded so that at stride 1 the size stays.
    pub fn with_same_kernel(mut self, kernel: [usize; 2]) -> Self {
        self.kernel = kernel;
        self.padding = [kernel[0] / 2, kernel[1] / 2];
        self
    }

    /// With this stride.
    pub fn with_stride(mut self, stride: usize) -> Self {
        self.stride = stride;
        self
    }

    /// With this padding on all sides.
    pub fn with_padding(mut self, padding: usize) -> Self {
        self.padding = [padding, padding];
        self
    }

    /// Makes the layer, with random weights.
    pub fn init(&self, device: &Device) -> ConvNorm {
        let [rows, columns] = self.padding;
        let padding = PaddingConfig2d::Explicit(rows, columns, rows, columns);
        let conv = Conv2dConfig::new(self.channels, self.kernel)
            .with_stride([self.stride, self.stride])
            .with_padding(padding)
            .with_bias(false)
            .with_initializer(convolution_initializer())
            .init(device);
        ConvNorm {
            conv,
            norm: batch_norm(self.channels[1], self.options.epsilon, device),
            padding: self.padding,
            kernels: self.options.kernels,
        }
    }
}

/// A convolution without bias, followed by batch normalization.
#[derive(Module, Debug)]
pub struct ConvNorm {
    /// The convolution.
    pub conv: Conv2d,
    /// The normalization of its output channels.
    pub norm: BatchNorm,
    /// Rows above and below, columns left and right.
    #[module(skip)]
    pub padding: [usize; 2],
    /// Whose operations it runs.
    #[module(skip)]
    pub kernels: Kernels,
}

impl ConvNorm {
    /// Convolves and normalizes.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height_out, width_out]`
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        normalize(&self.norm, self.convolve(input), self.kernels)
    }

    /// Convolves, normalizes and rectifies.
    ///
    /// # Shapes
    ///
    /// As [`forward`](Self::forward).
    pub fn forward_relu(&self, input: Tensor<4>) -> Tensor<4> {
        normalize_relu(&self.norm, self.convolve(input), self.kernels)
    }

    /// The convolution's window.
    pub(crate) fn geometry(&self) -> Geometry {
        let [rows, columns] = self.padding;
        Geometry {
            kernel: self.conv.kernel_size,
            stride: self.conv.stride,
            dilation: self.conv.dilation,
            padding: Padding2d {
                top: rows,
                bottom: rows,
                left: columns,
                right: columns,
            },
        }
    }

    fn convolve(&self, input: Tensor<4>) -> Tensor<4> {
        convolve(&self.conv, input, &self.geometry(), self.kernels)
    }
}
