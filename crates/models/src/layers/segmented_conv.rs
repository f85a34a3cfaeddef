//! A convolution factorized into a spatial and a pointwise part: the whole spectrum from a regular convolution to a depthwise
//! separable one.

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
use super::{Epilogue, FeatureMap, Kernels, LayerOptions, Order, Segments};

/// Configuration of a [`SegmentedConvNorm`].
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentedConvNormConfig {
    /// Input and output channels.
    pub channels: [usize; 2],
    /// Number of segments of the spatial part, each with its own convolution.
    pub segments: Segments,
    /// Order of the two parts.
    pub order: Order,
    /// Number of outputs of the spatial part for each of its inputs.
    pub channel_multiplier: usize,
    /// Kernel, stride, dilation and padding of the spatial part.
    pub geometry: Geometry,
    /// Whether ReLU is applied to the input.
    pub input_relu: bool,
    /// Whether batch normalization follows the first part too.
    pub norm_between: bool,
    /// The activation between the two parts.
    pub activation: Activation,
    /// Whether batch normalization follows the second part.
    pub normalized: bool,
    /// Options that the layers of a network share.
    pub options: LayerOptions,
}

impl SegmentedConvNormConfig {
    /// Makes the configuration of a depthwise separable convolution in Xception's form: a square, odd kernel at stride 1
    /// with padding that keeps the size, and neither normalization nor activation between the parts.
    pub fn separable(channels: [usize; 2], kernel: usize, options: LayerOptions) -> Self {
        Self {
            channels,
            segments: Segments::Channels,
            order: Order::DepthwiseFirst,
            channel_multiplier: 1,
            geometry: Geometry::same(kernel),
            input_relu: false,
            norm_between: false,
            activation: Activation::None,
            normalized: true,
            options,
        }
    }

    /// Makes the configuration of a simplified Inception module with this number of 3x3 convolutions (figure 3): a 1x1
    /// convolution whose outputs are cut into segments, with normalization and ReLU after it, then the 3x3 convolutions.
    pub fn inception(channels: [usize; 2], segments: Segments, options: LayerOptions) -> Self {
        Self {
            segments,
            order: Order::PointwiseFirst,
            norm_between: true,
            activation: Activation::Relu,
            ..Self::separable(channels, 3, options)
        }
    }

    /// Sets the number of segments of the spatial part.
    pub fn with_segments(mut self, segments: Segments) -> Self {
        self.segments = segments;
        self
    }

    /// Sets the order of the two parts.
    pub fn with_order(mut self, order: Order) -> Self {
        self.order = order;
        self
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

    /// Sets whether batch normalization follows the first part too.
    pub fn with_norm_between(mut self, norm_between: bool) -> Self {
        self.norm_between = norm_between;
        self
    }

    /// Leaves out the batch normalization after the second part.
    pub fn without_norm(mut self) -> Self {
        self.normalized = false;
        self
    }

    /// Sets the window of the spatial part.
    pub fn with_geometry(mut self, geometry: Geometry) -> Self {
        self.geometry = geometry;
        self
    }

    /// Sets the number of outputs of the spatial part for each of its inputs. It serves the order
    /// [`Order::DepthwiseFirst`]; in the other, the spatial part has the layer's output channels.
    pub fn with_channel_multiplier(mut self, channel_multiplier: usize) -> Self {
        self.channel_multiplier = channel_multiplier;
        self
    }

    /// Returns the input and output channels of the spatial and of the pointwise part.
    pub(crate) fn part_channels(&self) -> [[usize; 2]; 2] {
        let [inputs, outputs] = self.channels;
        match self.order {
            Order::DepthwiseFirst => {
                let inner = inputs * self.channel_multiplier;
                [[inputs, inner], [inner, outputs]]
            }
            Order::PointwiseFirst => [[outputs, outputs], [inputs, outputs]],
        }
    }

    /// Makes the layer, with random weights.
    pub fn init(&self, device: &Device) -> SegmentedConvNorm {
        let [spatial, pointwise] = self.part_channels();
        let LayerOptions { epsilon, kernels } = self.options;
        let between = match self.order {
            Order::DepthwiseFirst => spatial[1],
            Order::PointwiseFirst => pointwise[1],
        };
        let norm = |used: bool, channels| used.then(|| batch_norm(channels, epsilon, device));
        let groups = self.segments.of(spatial[0]);
        SegmentedConvNorm {
            spatial: convolution(spatial, &self.geometry, groups, false, device),
            norm_between: norm(self.norm_between, between),
            pointwise: convolution(pointwise, &Geometry::valid(1), 1, false, device),
            norm: norm(self.normalized, self.channels[1]),
            order: self.order,
            geometry: self.geometry,
            input_relu: self.input_relu,
            activation: self.activation,
            kernels,
            packed: Default::default(),
        }
    }
}

/// A spatial convolution in segments and a pointwise convolution, both without bias, followed by batch normalization.
///
/// The number of segments spans the spectrum of F. Chollet, *Xception*, 2017, section 1: one segment makes the spatial part
/// a regular convolution, one per channel a depthwise convolution, and any number between them the simplified Inception
/// module of figure 3. The order says whether the spatial part comes first, as in a separable convolution, or the pointwise
/// part, as in an Inception module (section 1.2).
///
/// Xception's separable convolutions have stride 1, channel multiplier 1 (figure 5) and nothing between the two parts;
/// section 4.7 studies a non-linearity there, and MobileNet's have a normalization and ReLU6.
///
/// ```
/// use burn::prelude::*;
/// use xception_models::layers::{
///     Epilogue, FeatureMap, Kernels, LayerOptions, Order, SegmentedConvNormConfig, Segments,
/// };
///
/// let device = Device::flex();
/// let options = LayerOptions { epsilon: 1e-5, kernels: Kernels::Native };
/// for segments in [Segments::Number(1), Segments::Number(4), Segments::Channels] {
///     let module = SegmentedConvNormConfig::separable([16, 32], 3, options)
///         .with_segments(segments)
///         .with_order(Order::PointwiseFirst)
///         .with_norm_between(true)
///         .init(&device);
///     let input = FeatureMap::composed(Tensor::ones([1, 16, 8, 8], &device));
///     assert_eq!(module.forward(input, Epilogue::relu()).dims(), [1, 32, 8, 8]);
///     assert_eq!(module.spatial.groups, segments.of(32));
/// }
/// ```
#[derive(Module, Debug)]
pub struct SegmentedConvNorm {
    /// The spatial convolution, whose groups are the segments: depthwise, if there is one for each channel.
    pub spatial: Conv2d,
    /// Batch normalization between the two convolutions.
    pub norm_between: Option<BatchNorm>,
    /// The pointwise convolution, 1x1, which mixes the channels.
    pub pointwise: Conv2d,
    /// Batch normalization of the output channels.
    pub norm: Option<BatchNorm>,
    /// Order of the two convolutions.
    #[module(skip)]
    pub order: Order,
    /// Window of the spatial convolution.
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
    /// The fused forms of the two parts; a depthwise separable convolution has a single one.
    #[module(skip)]
    packed: [Packed; 2],
}

impl SegmentedConvNorm {
    /// Computes both convolutions in their order, normalizes, and applies the epilogue.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height_out, width_out]`
    pub fn forward(&self, input: FeatureMap, epilogue: Epilogue) -> FeatureMap {
        match input.form {
            Form::Composed(input) => self.compose(input, None, epilogue),
            Form::Traced(input) => {
                input.trace().module(self);
                if input.trace().fuses() {
                    self.pack();
                    input.trace().packed(ids(self));
                }
                let input = match self.input_relu {
                    true => input.then(OperationKind::Activation(Activation::Relu), input.dims),
                    false => input,
                };
                let [(first, window), (second, last_window)] = self.parts();
                let x = trace_convolution(first, &window, &input);
                let mut x = trace_normalization(self.norm_between.as_ref(), x);
                if self.activation != Activation::None {
                    x = x.then(OperationKind::Activation(self.activation), x.dims);
                }
                let x = trace_convolution(second, &last_window, &x);
                trace_epilogue(trace_normalization(self.norm.as_ref(), x), &epilogue)
            }
            form if self.is_separable() => run_packed(self.whole(), form.into(), epilogue),
            form => {
                let input = FeatureMap::from(form);
                let input = match self.input_relu {
                    true => input.activate(Activation::Relu, self.kernels),
                    false => input,
                };
                let x = run_packed(self.part(0), input, Epilogue::from(self.activation));
                run_packed(self.part(1), x, epilogue)
            }
        }
    }

    /// Computes both convolutions in their order, each as an operation of its own.
    pub(super) fn compose_parts(&self, input: Tensor<4>) -> Tensor<4> {
        let kernels = self.kernels;
        let input = match self.input_relu {
            true => kernels.activate(input, Activation::Relu),
            false => input,
        };
        let convolve = |input, (convolution, window): (&Conv2d, Geometry)| {
            let weight = convolution.weight.val();
            kernels.conv2d(input, weight, None, &window, convolution.groups)
        };
        let [first, second] = self.parts();
        let x = convolve(input, first);
        let between = Epilogue::from(self.activation);
        let x = normalize(self.norm_between.as_ref(), x, None, between, kernels);
        convolve(x.into_tensor(), second)
    }

    /// Returns the two convolutions in their order, each with its window.
    fn parts(&self) -> [(&Conv2d, Geometry); 2] {
        let spatial = (&self.spatial, self.geometry);
        let pointwise = (&self.pointwise, Geometry::valid(1));
        match self.order {
            Order::DepthwiseFirst => [spatial, pointwise],
            Order::PointwiseFirst => [pointwise, spatial],
        }
    }

    /// Returns whether the layer is a depthwise separable convolution, which a single fused operation computes.
    fn is_separable(&self) -> bool {
        // Each input channel is a group of its own.
        let channels = super::packed::lazy_dims(&self.spatial.weight)[1];
        self.order == Order::DepthwiseFirst && channels == 1
    }

    /// Makes the fused form.
    fn pack(&self) {
        if self.is_separable() {
            self.whole();
        } else {
            self.part(0);
            self.part(1);
        }
    }

    /// Returns the fused form of a depthwise separable convolution.
    fn whole(&self) -> &FusedConv2d {
        self.packed[0].get_or_pack(|| {
            let [(spatial, inner), (pointwise, bias)] = [0, 1].map(|index| self.folded(index));
            let depthwise = FusedDepthwise {
                weight: spatial,
                channels: self.spatial.groups,
                bias: self.norm_between.is_some().then_some(inner),
                geometry: self.geometry,
                input_relu: self.input_relu,
                activation: self.activation,
            };
            FusedConv2d::separable(depthwise, pointwise, bias, self.is_native())
        })
    }

    /// Returns the fused form of the first or the second convolution.
    fn part(&self, index: usize) -> &FusedConv2d {
        self.packed[index].get_or_pack(|| {
            let (convolution, window) = self.parts()[index];
            let (weight, bias) = self.folded(index);
            FusedConv2d::new(weight, bias, window, convolution.groups, self.is_native())
        })
    }

    /// Returns the weight and the bias of the first or the second convolution, with the normalization after it.
    fn folded(&self, index: usize) -> (Tensor<4>, Tensor<1>) {
        let weight = self.parts()[index].0.weight.val();
        match [&self.norm_between, &self.norm][index] {
            Some(norm) => fold(weight, None, norm),
            None => {
                let [outputs, ..] = weight.dims();
                let bias = Tensor::zeros([outputs], &weight.device());
                (weight, bias)
            }
        }
    }

    fn is_native(&self) -> bool {
        self.kernels == Kernels::Native
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;
    use xception_kernels::{conv2d, depthwise_conv2d};

    use super::*;
    use crate::layers::trace::Trace;

    fn options(kernels: Kernels) -> LayerOptions {
        LayerOptions {
            epsilon: 1e-5,
            kernels,
        }
    }

    /// Compares the forms of a layer on random images, with an activation after it.
    fn check(config: &SegmentedConvNormConfig) {
        let device = Device::flex();
        let layer = config.init(&device);
        let dims = [2, config.channels[0], 9, 8];
        let images = Tensor::random(dims, Distribution::Default, &device);
        let run = |map: FeatureMap| layer.forward(map, Epilogue::relu());
        let expected = run(FeatureMap::composed(images.clone())).into_tensor();
        let traced = run(FeatureMap::traced(dims, &Trace::recording(&device)));
        assert_eq!(traced.dims(), expected.dims());
        let found = run(FeatureMap::fused(images)).into_tensor();
        let difference = (found - expected).abs().max().into_scalar::<f32>();
        assert!(difference < 1e-5, "{config:?}: {difference}");
    }

    #[test]
    fn fused_it_gives_the_same_with_every_option() {
        let strided = Geometry::same(3).with_stride(2);
        let segments = [1, 2, 3, 6, 100].map(Segments::Number);
        for kernels in [Kernels::Native, Kernels::Burn] {
            for order in [Order::DepthwiseFirst, Order::PointwiseFirst] {
                for segments in segments.into_iter().chain([Segments::Channels]) {
                    for multiplier in [1, 2] {
                        let plain =
                            SegmentedConvNormConfig::separable([6, 12], 3, options(kernels))
                                .with_segments(segments)
                                .with_order(order)
                                .with_channel_multiplier(multiplier);
                        let between = plain.clone().with_norm_between(true);
                        let between = between.with_geometry(strided).with_input_relu(true);
                        check(&plain);
                        check(&between.with_activation(Activation::Relu6));
                        check(&plain.without_norm().with_activation(Activation::Elu));
                    }
                }
            }
        }
    }

    #[test]
    fn the_ends_of_the_spectrum_are_a_regular_and_a_depthwise_convolution() {
        let device = Device::flex();
        let images = Tensor::random([2, 6, 9, 8], Distribution::Default, &device);
        for order in [Order::DepthwiseFirst, Order::PointwiseFirst] {
            for segments in [Segments::Number(1), Segments::Channels] {
                let config =
                    SegmentedConvNormConfig::separable([6, 10], 3, options(Kernels::Native));
                let config = config.with_segments(segments).with_order(order);
                let layer = config.without_norm().init(&device);
                let spatial = |input: Tensor<4>| {
                    let (weight, window) = (layer.spatial.weight.val(), layer.geometry);
                    match segments {
                        Segments::Channels => depthwise_conv2d(input, weight, None, &window),
                        Segments::Number(_) => conv2d(input, weight, None, &window, 1),
                    }
                };
                let pointwise = |input: Tensor<4>| {
                    let weight = layer.pointwise.weight.val();
                    conv2d(input, weight, None, &Geometry::valid(1), 1)
                };
                let expected = match order {
                    Order::DepthwiseFirst => pointwise(spatial(images.clone())),
                    Order::PointwiseFirst => spatial(pointwise(images.clone())),
                };
                let found = layer.forward(FeatureMap::composed(images.clone()), Epilogue::none());
                assert_eq!(found.into_tensor().into_data(), expected.into_data());
            }
        }
    }

    #[test]
    fn segments_divide_the_spatial_weights() {
        let parameters = |segments, order| {
            let config = SegmentedConvNormConfig::separable([16, 32], 3, options(Kernels::Native));
            let config = config.with_segments(segments).with_order(order);
            crate::trainable_parameters(&config.init(&Device::flex()))
        };
        let rest = 16 * 32 + 2 * 32;
        for number in [1, 2, 4, 8, 16] {
            let segments = Segments::Number(number);
            let first = parameters(segments, Order::DepthwiseFirst);
            assert_eq!(first, 9 * 16 * 16 / number + rest);
            let second = parameters(segments, Order::PointwiseFirst);
            assert_eq!(second, 9 * 32 * 32 / number + rest);
        }
        let extreme = parameters(Segments::Channels, Order::PointwiseFirst);
        assert_eq!(extreme, 9 * 32 + rest);
    }
}
