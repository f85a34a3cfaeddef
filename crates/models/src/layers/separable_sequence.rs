//! Separable convolutions one after the other.

use burn::nn::BatchNorm;
use burn::prelude::*;
use xception_kernels::{
    InputNorm, SeparableOptions, SeparableOutput, batch_norm_train, separable_conv2d_train,
    trains_separable,
};

use super::conv_norm::normalize;
use super::feature_map::Form;
use super::{Epilogue, FeatureMap, Kernels, Order, SegmentedConvNorm};

impl SegmentedConvNorm {
    /// Applies layers one after the other, with ReLU between each two and an epilogue after the last. Without layers, the
    /// input is returned.
    ///
    /// In training, a separable convolution of small maps leaves its normalization and the ReLU to the one after it, which
    /// does both while it reads the map: see [`separable_conv2d_train`].
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`, with the first layer's input channels
    /// - output: `[batch, channels_out, height_out, width_out]`, with the last layer's output channels
    pub fn forward_sequence(layers: &[&Self], input: FeatureMap, last: Epilogue) -> FeatureMap {
        let Some((end, before)) = layers.split_last() else {
            return input;
        };
        if let Form::Composed(input) = input.form {
            return Self::compose_sequence(end, before, input, last);
        }
        let x = before
            .iter()
            .fold(input, |x, layer| layer.forward(x, Epilogue::relu()));
        end.forward(x, last)
    }

    fn compose_sequence(
        end: &Self,
        before: &[&Self],
        input: Tensor<4>,
        last: Epilogue,
    ) -> FeatureMap {
        let (mut x, mut pending) = (input, None);
        for layer in before {
            let norm = layer
                .norm
                .as_ref()
                .filter(|norm| norm.training.is_enabled());
            match norm.filter(|_| layer.trains_as_one(&x)) {
                Some(norm) => {
                    let result = layer.separable(x, pending);
                    pending = Some(layer.kernels.defer(norm, &result));
                    x = result.output;
                }
                None => {
                    let result = layer.compose(x, pending.take(), Epilogue::relu());
                    x = result.into_tensor();
                }
            }
        }
        end.compose(x, pending, last)
    }

    /// Computes the layer by composed operations, after a normalization and ReLU that the layer before has left to it.
    pub(super) fn compose(
        &self,
        input: Tensor<4>,
        pending: Option<InputNorm>,
        epilogue: Epilogue,
    ) -> FeatureMap {
        let norm = self.norm.as_ref();
        if self.trains_as_one(&input) {
            let result = self.separable(input, pending);
            let statistics = Some([result.mean, result.variance]);
            return normalize(norm, result.output, statistics, epilogue, self.kernels);
        }
        let input = match pending {
            Some(norm) => batch_norm_train(input, norm.gamma, norm.beta, norm.epsilon, true).output,
            None => input,
        };
        let x = self.compose_parts(input);
        normalize(norm, x, None, epilogue, self.kernels)
    }

    /// Returns whether both convolutions are one operation in training.
    fn trains_as_one(&self, input: &Tensor<4>) -> bool {
        self.kernels == Kernels::Native
            && self.order == Order::DepthwiseFirst
            && self.norm_between.is_none()
            && input.device().is_autodiff()
            && trains_separable(input, &self.spatial.weight.val(), &self.geometry)
    }

    /// Computes both convolutions as one operation.
    fn separable(&self, input: Tensor<4>, pending: Option<InputNorm>) -> SeparableOutput {
        let options = SeparableOptions {
            geometry: self.geometry,
            input_relu: self.input_relu || pending.is_some(),
            activation: self.activation,
        };
        let weights = [&self.spatial, &self.pointwise].map(|part| part.weight.val());
        let [spatial, pointwise] = weights;
        separable_conv2d_train(input, pending, spatial, pointwise, &options)
    }
}

impl Kernels {
    /// Returns the normalization of a separable convolution's output, which the next one does, and moves the running
    /// statistics towards the batch's.
    fn defer(&self, norm: &BatchNorm, result: &SeparableOutput) -> InputNorm {
        let [images, _, height, width] = result.output.dims();
        let statistics = [result.mean.clone(), result.variance.clone()];
        super::kernels::update_running(norm, statistics, images * height * width);
        InputNorm {
            gamma: norm.gamma.val(),
            beta: norm.beta.val(),
            mean: result.mean.clone(),
            variance: result.variance.clone(),
            epsilon: norm.epsilon,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Param;

    use super::super::{LayerOptions, SegmentedConvNormConfig};
    use super::*;
    use crate::layers::Activation;

    /// Numbers from -1 to 1, the same in every call.
    fn numbers(shape: [usize; 4], device: &Device) -> Tensor<4> {
        let numbers = (0..shape.iter().product()).map(|index: usize| (index as f32 * 1.7).sin());
        Tensor::from_data(
            TensorData::new(numbers.collect::<Vec<f32>>(), shape),
            device,
        )
    }

    fn layers(kernels: Kernels, activation: Activation, device: &Device) -> Vec<SegmentedConvNorm> {
        let options = LayerOptions {
            epsilon: 1e-3,
            kernels,
        };
        let channels = [[4, 6], [6, 9], [9, 5]];
        let layer = |(index, channels): (usize, [usize; 2])| {
            let config = SegmentedConvNormConfig::separable(channels, 3, options)
                .with_input_relu(index == 0)
                .with_activation(activation);
            let mut layer = config.init(device);
            let [inputs, outputs] = channels;
            layer.spatial.weight = Param::from_tensor(numbers([inputs, 1, 3, 3], device));
            layer.pointwise.weight = Param::from_tensor(numbers([outputs, inputs, 1, 1], device));
            layer
        };
        channels.into_iter().enumerate().map(layer).collect()
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec().unwrap()
    }

    /// Output, gradient of the input, and for each layer the gradients of its weights and its running statistics.
    fn run(layers: &[SegmentedConvNorm], in_sequence: bool) -> Vec<Vec<f32>> {
        let device = Device::flex().autodiff();
        let input = numbers([5, 4, 7, 6], &device).require_grad();
        let factor = numbers([5, 5, 7, 6], &device);
        let map = FeatureMap::composed(input.clone());
        let output = match in_sequence {
            true => {
                let layers: Vec<_> = layers.iter().collect();
                SegmentedConvNorm::forward_sequence(&layers, map, Epilogue::none())
            }
            false => {
                let x = layers[0].forward(map, Epilogue::relu());
                let x = layers[1].forward(x, Epilogue::relu());
                layers[2].forward(x, Epilogue::none())
            }
        };
        let output = output.into_tensor();
        let gradients = (output.clone() * factor).sum().backward();
        let mut results = vec![values(output), values(input.grad(&gradients).unwrap())];
        for layer in layers {
            let norm = layer.norm.as_ref().unwrap();
            for weight in [&layer.spatial.weight, &layer.pointwise.weight] {
                results.push(values(weight.val().grad(&gradients).unwrap()));
            }
            for parameter in [&norm.gamma, &norm.beta] {
                results.push(values(parameter.val().grad(&gradients).unwrap()));
            }
            for running in [&norm.running_mean, &norm.running_var] {
                results.push(values(running.value_sync()));
            }
        }
        results
    }

    #[test]
    fn a_sequence_trains_as_its_layers_do() {
        let device = Device::flex().autodiff();
        for activation in [Activation::None, Activation::Elu] {
            let native =
                |in_sequence| run(&layers(Kernels::Native, activation, &device), in_sequence);
            let expected = run(&layers(Kernels::Burn, activation, &device), false);
            for found in [native(false), native(true)] {
                assert_eq!(found.len(), expected.len());
                for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    let largest = expected
                        .iter()
                        .fold(1f32, |most, value| most.max(value.abs()));
                    for (found, expected) in found.iter().zip(expected) {
                        let difference = (found - expected).abs();
                        assert!(difference < 1e-4 * largest, "{index}: {found} {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn without_layers_the_input_is_returned() {
        let input = Tensor::ones([1, 2, 3, 3], &Device::flex());
        let map = FeatureMap::composed(input.clone());
        let output = SegmentedConvNorm::forward_sequence(&[], map, Epilogue::none());
        assert_eq!(values(output.into_tensor()), values(input));
    }
}
