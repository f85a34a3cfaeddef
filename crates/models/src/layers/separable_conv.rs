//! A depthwise separable convolution with batch normalization.

use burn::module::Module;
use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::prelude::*;
use xception_kernels::{Activation, FusedConv2d, FusedDepthwise, Geometry};

use super::conv_norm::{
    batch_norm, convolution, normalize, run_packed, trace_convolution, trace_epilogue,
    trace_normalization,
};
use super::feature_map::Form;
use super::operation::OperationKind;
use super::packed::{Packed, fold, ids};
use super::{Epilogue, FeatureMap, Kernels, LayerOptions};

/// Configuration of a [`SeparableConvNorm`].
#[derive(Debug, Clone, PartialEq)]
pub struct SeparableConvNormConfig {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Number of outputs of the depthwise part for each input channel.
    pub channel_multiplier: usize,
    /// Kernel, stride, dilation and padding of the depthwise part.
    pub geometry: Geometry,
    /// Whether ReLU is applied to the input.
    pub input_relu: bool,
    /// Whether batch normalization follows the depthwise part too.
    pub depthwise_normalized: bool,
    /// The activation between the two parts.
    pub activation: Activation,
    /// Options that the layers of a network share.
    pub options: LayerOptions,
}

impl SeparableConvNormConfig {
    /// Makes the configuration in Xception's form: a square, odd kernel at stride 1 with padding that keeps the size,
    /// and neither normalization nor activation between the parts.
    pub fn new(channels: [usize; 2], kernel: usize, options: LayerOptions) -> Self {
        Self {
            channels,
            channel_multiplier: 1,
            geometry: Geometry::same(kernel),
            input_relu: false,
            depthwise_normalized: false,
            activation: Activation::None,
            options,
        }
    }

    /// Sets the activation between the two parts.
    pub fn with_activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Sets whether ReLU is applied to the input.
    pub fn with_input_relu(mut self, input_relu: bool) -> Self {
        self.input_relu = input_relu;
        self
    }

    /// Selects batch normalization between the two parts.
    pub fn with_depthwise_norm(mut self) -> Self {
        self.depthwise_normalized = true;
        self
    }

    /// Sets the window of the depthwise part.
    pub fn with_geometry(mut self, geometry: Geometry) -> Self {
        self.geometry = geometry;
        self
    }

    /// Sets the number of outputs of the depthwise part for each input channel.
    pub fn with_channel_multiplier(mut self, channel_multiplier: usize) -> Self {
        self.channel_multiplier = channel_multiplier;
        self
    }

    /// Makes the layer, with random weights.
    pub fn init(&self, device: &Device) -> SeparableConvNorm {
        let [channels_in, channels_out] = self.channels;
        let inner = channels_in * self.channel_multiplier;
        let LayerOptions { epsilon, kernels } = self.options;
        let depthwise = convolution(
            [channels_in, inner],
            &self.geometry,
            channels_in,
            false,
            device,
        );
        let norm = self.depthwise_normalized;
        SeparableConvNorm {
            depthwise,
            depthwise_norm: norm.then(|| batch_norm(inner, epsilon, device)),
            pointwise: convolution([inner, channels_out], &Geometry::valid(1), 1, false, device),
            norm: batch_norm(channels_out, epsilon, device),
            geometry: self.geometry,
            input_relu: self.input_relu,
            activation: self.activation,
            kernels,
            packed: Packed::default(),
        }
    }
}

/// A depthwise and a pointwise convolution, both without bias, followed by batch normalization.
///
/// Xception's separable convolutions have stride 1, channel multiplier 1 (figure 5) and no non-linearity between the
/// two parts, which section 4.7 studies; MobileNet's have a normalization and ReLU6 there.
#[derive(Module, Debug)]
pub struct SeparableConvNorm {
    /// The depthwise convolution, which filters each channel by itself.
    pub depthwise: Conv2d,
    /// Batch normalization of the depthwise part's channels.
    pub depthwise_norm: Option<BatchNorm>,
    /// The pointwise convolution, 1x1, which mixes the channels.
    pub pointwise: Conv2d,
    /// Batch normalization of the output channels.
    pub norm: BatchNorm,
    /// Window of the depthwise part.
    #[module(skip)]
    pub geometry: Geometry,
    /// Whether ReLU is applied to the input.
    pub input_relu: bool,
    /// The activation between the two convolutions.
    #[module(skip)]
    pub activation: Activation,
    /// The implementation of the operations.
    #[module(skip)]
    pub kernels: Kernels,
    #[module(skip)]
    packed: Packed,
}

impl SeparableConvNorm {
    /// Convolves each channel, mixes the channels, normalizes, and applies the epilogue.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height_out, width_out]`
    pub fn forward(&self, input: FeatureMap, epilogue: Epilogue) -> FeatureMap {
        match input.form {
            Form::Composed(input) => {
                let between = Epilogue::from(self.activation);
                let kernels = self.kernels;
                let input = match self.input_relu {
                    true => kernels.activate(input, Activation::Relu),
                    false => input,
                };
                let groups = self.depthwise.groups;
                let weight = self.depthwise.weight.val();
                let x = kernels.conv2d(input, weight, None, &self.geometry, groups);
                let norm = self.depthwise_norm.as_ref();
                let x = normalize(norm, x, between, kernels).into_tensor();
                let weight = self.pointwise.weight.val();
                let x = kernels.conv2d(x, weight, None, &Geometry::valid(1), 1);
                normalize(Some(&self.norm), x, epilogue, kernels)
            }
            Form::Traced(mut x) => {
                x.trace().module(self);
                if x.trace().fuses() {
                    self.packed.get_or_pack(|| self.pack());
                    x.trace().packed(ids(self));
                }
                if self.input_relu {
                    x = x.then(OperationKind::Activation(Activation::Relu), x.dims);
                }
                x = trace_convolution(&self.depthwise, &self.geometry, &x);
                x = trace_normalization(self.depthwise_norm.as_ref(), x);
                if self.activation != Activation::None {
                    x = x.then(OperationKind::Activation(self.activation), x.dims);
                }
                x = trace_convolution(&self.pointwise, &Geometry::valid(1), &x);
                x = trace_normalization(Some(&self.norm), x);
                trace_epilogue(x, &epilogue)
            }
            form => run_packed(
                self.packed.get_or_pack(|| self.pack()),
                form.into(),
                epilogue,
            ),
        }
    }

    /// Packs both convolutions and their normalizations as one operation.
    fn pack(&self) -> FusedConv2d {
        let (pointwise, bias) = fold(self.pointwise.weight.val(), None, &self.norm);
        let weight = self.depthwise.weight.val();
        let (weight, inner) = match &self.depthwise_norm {
            Some(norm) => {
                let (weight, bias) = fold(weight, None, norm);
                (weight, Some(bias))
            }
            None => (weight, None),
        };
        let depthwise = FusedDepthwise {
            weight,
            channels: self.depthwise.groups,
            bias: inner,
            geometry: self.geometry,
            input_relu: self.input_relu,
            activation: self.activation,
        };
        let native = self.kernels == Kernels::Native;
        FusedConv2d::separable(depthwise, pointwise, bias, native)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;
    use crate::layers::trace::Trace;

    #[test]
    fn fused_it_gives_the_same_with_every_option() {
        let device = Device::flex();
        let geometry = Geometry::same(3).with_stride(2);
        for kernels in [Kernels::Native, Kernels::Burn] {
            let options = LayerOptions {
                epsilon: 1e-5,
                kernels,
            };
            let plain = SeparableConvNormConfig::new([6, 10], 3, options);
            for multiplier in [1, 2, 3] {
                let plain = plain.clone().with_channel_multiplier(multiplier);
                let between = plain.clone().with_depthwise_norm().with_geometry(geometry);
                let between = between
                    .with_activation(Activation::Relu6)
                    .with_input_relu(true);
                for config in [plain, between] {
                    let layer = config.init(&device);
                    let images = Tensor::random([2, 6, 9, 8], Distribution::Default, &device);
                    let run = |map: FeatureMap| layer.forward(map, Epilogue::relu());
                    let expected = run(FeatureMap::composed(images.clone())).into_tensor();
                    let traced = run(FeatureMap::traced([2, 6, 9, 8], &Trace::recording(&device)));
                    assert_eq!(traced.dims(), expected.dims());
                    let found = run(FeatureMap::fused(images)).into_tensor();
                    let difference = (found - expected).abs().max().into_scalar::<f32>();
                    assert!(difference < 1e-5, "{config:?}: {difference}");
                }
            }
        }
    }
}
