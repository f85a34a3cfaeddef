//! A normalization before the layers that take its output, as in networks with pre-activation.

use burn::module::Module;
use burn::nn::BatchNorm;
use burn::prelude::*;
use xception_kernels::{FusedConv2d, Geometry};

use super::conv_norm::{batch_norm, normalize, run_packed, trace_epilogue, trace_normalization};
use super::feature_map::Form;
use super::packed::{Packed, fold, ids, lazy_dims};
use super::{Epilogue, FeatureMap, Kernels, LayerOptions};

/// Configuration of a [`PreNorm`].
#[derive(Debug, Clone, PartialEq)]
pub struct PreNormConfig {
    /// Number of channels.
    pub channels: usize,
    /// Options that the layers of a network share.
    pub options: LayerOptions,
}

impl PreNormConfig {
    /// Makes the configuration.
    pub fn new(channels: usize, options: LayerOptions) -> Self {
        Self { channels, options }
    }

    /// Makes the layer.
    pub fn init(&self, device: &Device) -> PreNorm {
        PreNorm {
            norm: batch_norm(self.channels, self.options.epsilon, device),
            kernels: self.options.kernels,
            packed: Packed::default(),
        }
    }
}

/// A batch normalization that no convolution comes right before, so that it can't be folded into one: of a sum in a network
/// with pre-activation (K. He et al., *Identity Mappings in Deep Residual Networks*, ECCV 2016, figure 4e).
///
/// In a fused network it is one pass with its epilogue, a factor and a shift for each channel.
#[derive(Module, Debug)]
pub struct PreNorm {
    /// Batch normalization of the channels.
    pub norm: BatchNorm,
    /// The implementation of the operations.
    #[module(skip)]
    pub kernels: Kernels,
    #[module(skip)]
    packed: Packed,
}

impl PreNorm {
    /// Normalizes, and applies the epilogue.
    ///
    /// # Shapes
    ///
    /// - `input` and output: `[batch, channels, height, width]`
    pub fn forward(&self, input: FeatureMap, epilogue: Epilogue) -> FeatureMap {
        match input.form {
            Form::Composed(input) => {
                normalize(Some(&self.norm), input, None, epilogue, self.kernels)
            }
            Form::Traced(traced) => {
                traced.trace().module(self);
                if traced.trace().fuses() {
                    self.packed.get_or_pack(|| self.pack());
                    traced.trace().packed(ids(self));
                }
                trace_epilogue(trace_normalization(Some(&self.norm), traced), &epilogue)
            }
            form => {
                let packed = self.packed.get_or_pack(|| self.pack());
                run_packed(packed, form.into(), epilogue)
            }
        }
    }

    /// Packs the normalization as a depthwise convolution of a single tap.
    fn pack(&self) -> FusedConv2d {
        let [channels] = lazy_dims(&self.norm.gamma);
        let ones = Tensor::ones([channels, 1, 1, 1], &self.norm.gamma.val().device());
        let (weight, bias) = fold(ones, None, &self.norm);
        let native = self.kernels == Kernels::Native;
        FusedConv2d::new(weight, bias, Geometry::valid(1), channels, native)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;
    use crate::layers::OperationKind;
    use crate::layers::trace::Trace;

    #[test]
    fn every_form_gives_the_same() {
        let device = Device::flex();
        for kernels in [Kernels::Native, Kernels::Burn] {
            for channels in [1, 5, 16] {
                let options = LayerOptions {
                    epsilon: 1e-3,
                    kernels,
                };
                let mut layer = PreNormConfig::new(channels, options).init(&device);
                let numbers = |low, high| {
                    Tensor::random([channels], Distribution::Uniform(low, high), &device)
                };
                layer.norm.gamma = layer.norm.gamma.map(|_| numbers(0.5, 1.5));
                layer.norm.beta = layer.norm.beta.map(|_| numbers(-0.5, 0.5));
                layer.norm.running_mean.update(numbers(-0.5, 0.5));
                layer.norm.running_var.update(numbers(0.5, 1.5));
                let input = Tensor::random([2, channels, 4, 3], Distribution::Default, &device);
                let residual = Tensor::random([2, channels, 4, 3], Distribution::Default, &device);

                let expected = layer.norm.forward(input.clone());
                let rectified = burn::tensor::activation::relu(expected.clone());
                let trailing = |map: &Tensor<4>| Form::Fused(map.clone().permute([0, 2, 3, 1]));
                for form in [
                    Form::Composed(input.clone()),
                    Form::FusedImages(input.clone()),
                    trailing(&input),
                ] {
                    let residual: FeatureMap = match form {
                        Form::Composed(_) => FeatureMap::composed(residual.clone()),
                        _ => trailing(&residual).into(),
                    };
                    let sum = expected.clone() + residual.clone().into_tensor();
                    for (epilogue, expected) in [
                        (Epilogue::none(), &expected),
                        (Epilogue::relu(), &rectified),
                        (Epilogue::add(residual), &sum),
                    ] {
                        let found = layer.forward(form.clone().into(), epilogue);
                        let difference = (found.into_tensor() - expected.clone()).abs().max();
                        assert!(difference.into_scalar::<f32>() < 1e-5, "{kernels:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_trace_counts_its_parameters() {
        let device = Device::flex();
        let options = LayerOptions {
            epsilon: 1e-5,
            kernels: Kernels::Native,
        };
        let layer = PreNormConfig::new(6, options).init(&device);
        let trace = Trace::recording(&device);
        let map = FeatureMap::traced([2, 6, 4, 3], &trace);
        let output = layer.forward(map, Epilogue::relu());
        assert_eq!(output.dims(), [2, 6, 4, 3]);
        let operations = trace.take().operations;
        assert_eq!(operations.len(), 2);
        assert_eq!(operations[0].kind, OperationKind::Normalization);
        assert_eq!(operations[0].parameters, 12);
    }
}
