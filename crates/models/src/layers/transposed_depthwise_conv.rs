//! A transposed depthwise convolution with batch normalization.

use burn::module::{Module, Param};
use burn::nn::BatchNorm;
use burn::prelude::*;
use xception_kernels::{FusedTransposedDepthwise, Geometry};

use super::conv_norm::{
    batch_norm, convolution_initializer, normalize, then_pool, trace_epilogue, trace_normalization,
};
use super::feature_map::Form;
use super::operation::OperationKind;
use super::packed::{Packed, fold, ids, lazy_dims};
use super::{Epilogue, FeatureMap, Kernels, LayerOptions};

/// Configuration of a [`TransposedDepthwiseConvNorm`].
#[derive(Debug, Clone, PartialEq)]
pub struct TransposedDepthwiseConvNormConfig {
    /// Number of channels.
    pub channels: usize,
    /// Kernel, stride, dilation and padding of the convolution that is transposed.
    pub geometry: Geometry,
    /// Options that the layers of a network share.
    pub options: LayerOptions,
}

impl TransposedDepthwiseConvNormConfig {
    /// Makes the layer, with random weights.
    pub fn init(&self, device: &Device) -> TransposedDepthwiseConvNorm {
        let [rows, columns] = self.geometry.kernel;
        let taps = rows * columns;
        let weight = convolution_initializer().init_with(
            [self.channels, 1, rows, columns],
            Some(taps),
            Some(taps),
            device,
        );
        TransposedDepthwiseConvNorm {
            weight,
            norm: batch_norm(self.channels, self.options.epsilon, device),
            geometry: self.geometry,
            kernels: self.options.kernels,
            packed: Packed::default(),
        }
    }
}

/// The transpose of a depthwise convolution, also called deconvolution, without a bias and followed by batch
/// normalization.
///
/// Each pixel of the input adds its window, weighted, to the output of its channel:
///
/// `O(s y + u - p, s x + v - p, c) += K(u, v, c) I(y, x, c)`, with stride `s` and padding `p`.
#[derive(Module, Debug)]
pub struct TransposedDepthwiseConvNorm {
    /// The filter of each channel, `[channels, 1, height, width]`, as in PyTorch's `ConvTranspose2d` with as many groups
    /// as channels.
    pub weight: Param<Tensor<4>>,
    /// Batch normalization of the channels.
    pub norm: BatchNorm,
    /// Window of the convolution that is transposed.
    #[module(skip)]
    pub geometry: Geometry,
    /// The implementation of the operations.
    #[module(skip)]
    pub kernels: Kernels,
    #[module(skip)]
    packed: Packed<FusedTransposedDepthwise>,
}

impl TransposedDepthwiseConvNorm {
    /// Convolves each channel to an output of `size` pixels, normalizes, and applies the epilogue.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels, height, width]`, with `[height, width]` the
    ///   [`output_size`](Geometry::output_size) that the geometry gives for `size`
    /// - output: `[batch, channels, size[0], size[1]]`
    ///
    /// # Panics
    ///
    /// If the input has another size.
    pub fn forward(&self, input: FeatureMap, size: [usize; 2], epilogue: Epilogue) -> FeatureMap {
        let [batch, channels, height, width] = input.dims();
        match input.form {
            Form::Composed(input) => {
                let weight = self.weight.val();
                let geometry = &self.geometry;
                let x = self
                    .kernels
                    .transposed_conv2d(input, weight, size, geometry, channels);
                normalize(Some(&self.norm), x, None, epilogue, self.kernels)
            }
            Form::Traced(traced) => {
                traced.trace().module(self);
                if traced.trace().fuses() {
                    self.packed.get_or_pack(|| self.pack());
                    traced.trace().packed(ids(self));
                }
                let [_, _, rows, columns] = lazy_dims(&self.weight);
                let kind = OperationKind::TransposedConvolution {
                    kernel: self.geometry.kernel,
                    stride: self.geometry.stride,
                    inputs: channels,
                    groups: channels,
                };
                // Each pixel of the input is multiplied by each weight of its channel.
                let parameters = channels * rows * columns;
                let pixels = [batch, height, width].map(|size| size as u64).into_iter();
                let multiply_adds = pixels.fold(parameters as u64, u64::saturating_mul);
                let output = [batch, channels, size[0], size[1]];
                let x = traced.then_counted(kind, output, parameters, multiply_adds);
                trace_epilogue(trace_normalization(Some(&self.norm), x), &epilogue)
            }
            form => {
                let packed = self.packed.get_or_pack(|| self.pack());
                let (epilogue, pool) = epilogue.into_kernels();
                let input = FeatureMap::from(form).into_trailing();
                then_pool(
                    Form::Fused(packed.forward(input, size, epilogue)).into(),
                    pool,
                )
            }
        }
    }

    /// Packs the convolution and its normalization as one operation.
    fn pack(&self) -> FusedTransposedDepthwise {
        let (weight, bias) = fold(self.weight.val(), None, &self.norm);
        let native = self.kernels == Kernels::Native;
        FusedTransposedDepthwise::new(weight, bias, self.geometry, native)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;
    use crate::layers::Activation;
    use crate::layers::trace::Trace;

    fn options(kernels: Kernels) -> LayerOptions {
        LayerOptions {
            epsilon: 1e-5,
            kernels,
        }
    }

    #[test]
    fn it_gives_the_same_in_every_form() {
        let device = Device::flex();
        for kernels in [Kernels::Native, Kernels::Burn] {
            for (stride, kernel) in [(1, 3), (2, 3), (2, 5), (3, 3), (2, 1)] {
                let geometry = Geometry::same(kernel).with_stride(stride);
                let config = TransposedDepthwiseConvNormConfig {
                    channels: 6,
                    geometry,
                    options: options(kernels),
                };
                let layer = config.init(&device);
                for size in [[9, 8], [1, 5], [7, 7]] {
                    let [height, width] = geometry.output_size(size).unwrap();
                    let random = |shape| Tensor::random(shape, Distribution::Default, &device);
                    let input = random([2, 6, height, width]);
                    let residual: Tensor<4> = random([2, 6, size[0], size[1]]);
                    let run = |input: FeatureMap, residual: FeatureMap| {
                        let epilogue = Epilogue::add(residual).then(Activation::Relu);
                        layer.forward(input, size, epilogue)
                    };
                    let composed = FeatureMap::composed;
                    let expected = run(composed(input.clone()), composed(residual.clone()));
                    let trace = Trace::recording(&device);
                    let traced = run(
                        FeatureMap::traced([2, 6, height, width], &trace),
                        FeatureMap::traced([2, 6, size[0], size[1]], &trace),
                    );
                    assert_eq!(traced.dims(), expected.dims());
                    let found = run(FeatureMap::fused(input), FeatureMap::fused(residual));
                    let difference = found.into_tensor() - expected.into_tensor();
                    let difference = difference.abs().max().into_scalar::<f32>();
                    assert!(difference < 1e-5, "{config:?} {size:?}: {difference}");
                }
            }
        }
    }

    #[test]
    fn gradients_agree_with_burns_operation() {
        let device = Device::flex().autodiff();
        let geometry = Geometry::same(3).with_stride(2);
        let native = TransposedDepthwiseConvNormConfig {
            channels: 4,
            geometry,
            options: options(Kernels::Native),
        };
        let native = native.init(&device);
        let burn = TransposedDepthwiseConvNorm {
            kernels: Kernels::Burn,
            ..native.clone()
        };
        let input = Tensor::<4>::random([2, 4, 4, 3], Distribution::Default, &device);
        let weights = Tensor::<4>::random([2, 4, 7, 6], Distribution::Default, &device);
        let [a, b] = [native, burn].map(|layer| {
            let input = input.clone().require_grad();
            let output = layer.forward(
                FeatureMap::composed(input.clone()),
                [7, 6],
                Epilogue::relu(),
            );
            let gradients = (output.into_tensor() * weights.clone()).sum().backward();
            let of_weight = layer.weight.val().grad(&gradients).unwrap();
            [input.grad(&gradients).unwrap(), of_weight]
        });
        for (a, b) in a.into_iter().zip(b) {
            assert!((a - b).abs().max().into_scalar::<f32>() < 1e-4);
        }
    }
}
