//! Fused convolutions against Burn's operations, one after the other.

#![allow(clippy::unwrap_used)]

mod support;

use burn::prelude::*;
use burn::tensor::DType;
use proptest::prelude::*;
use support::{devices, elements, fractions, geometries, tensor, values};
use xception_kernels::{Activation, Epilogue, FusedConv2d, FusedDepthwise, Geometry, burn_conv2d};

const ACTIVATIONS: [Activation; 4] = [
    Activation::None,
    Activation::Relu,
    Activation::Relu6,
    Activation::Elu,
];

/// A separable convolution and what is around it.
#[derive(Debug, Clone, Copy)]
struct Separable {
    batch: usize,
    channels: usize,
    /// Filters for each channel.
    multiplier: usize,
    outputs: usize,
    size: [usize; 2],
    geometry: Geometry,
    depthwise_bias: bool,
    input_relu: bool,
    /// Between the parts, and after the second one.
    activations: [Activation; 2],
    residual: bool,
}

/// Values from about -8 to 8, so that each activation has something to do.
fn wide<const D: usize>(shape: [usize; D], seed: usize, device: &Device) -> Tensor<D> {
    let length = shape.iter().product();
    tensor(fractions(length, seed), shape, device) * 8.0
}

/// Values that keep sums near one.
fn weights<const D: usize>(shape: [usize; D], seed: usize, device: &Device) -> Tensor<D> {
    let length: usize = shape.iter().product();
    let inputs = (length / shape[0]) as f32;
    tensor(fractions(length, seed), shape, device) / inputs.sqrt()
}

fn trailing(tensor: Tensor<4>) -> Tensor<4> {
    tensor.permute([0, 2, 3, 1])
}

impl Separable {
    fn images(&self, device: &Device) -> Tensor<4> {
        let [height, width] = self.size;
        wide([self.batch, self.channels, height, width], 1, device)
    }

    fn depthwise(&self, device: &Device) -> FusedDepthwise {
        let [rows, columns] = self.geometry.kernel;
        let inner = self.channels * self.multiplier;
        FusedDepthwise {
            weight: weights([inner, 1, rows, columns], 2, device),
            channels: self.channels,
            bias: self.depthwise_bias.then(|| wide([inner], 3, device)),
            geometry: self.geometry,
            input_relu: self.input_relu,
            activation: self.activations[0],
        }
    }

    /// Weight and bias.
    fn pointwise(&self, device: &Device) -> (Tensor<4>, Tensor<1>) {
        let shape = [self.outputs, self.channels * self.multiplier, 1, 1];
        (weights(shape, 4, device), wide([self.outputs], 5, device))
    }

    fn epilogue(&self, device: &Device) -> Epilogue {
        let [rows, columns] = self.geometry.output_size(self.size).unwrap();
        let shape = [self.batch, rows, columns, self.outputs];
        Epilogue {
            residual: self.residual.then(|| wide(shape, 6, device)),
            activation: self.activations[1],
        }
    }

    fn composed(&self, device: &Device) -> Tensor<4> {
        let mut x = self.images(device);
        if self.input_relu {
            x = Activation::Relu.burn(x);
        }
        let depthwise = self.depthwise(device);
        let (weight, bias) = (depthwise.weight, depthwise.bias);
        x = burn_conv2d(x, weight, bias, &self.geometry, self.channels);
        x = depthwise.activation.burn(x);
        let (weight, bias) = self.pointwise(device);
        let x = burn_conv2d(x, weight, Some(bias), &Geometry::valid(1), 1);
        finish(x, self.epilogue(device))
    }

    fn fused(&self, device: &Device, native: bool) -> FusedConv2d {
        let (pointwise, bias) = self.pointwise(device);
        FusedConv2d::separable(self.depthwise(device), pointwise, bias, native)
    }

    fn check(&self) {
        for device in devices() {
            let expected = self.composed(&device);
            for native in [false, true] {
                let layer = self.fused(&device, native);
                let input = trailing(self.images(&device));
                let found = layer.forward(input, self.epilogue(&device));
                assert_close(found, &expected, &format!("{self:?}, native: {native}"));
            }
        }
    }
}

/// The epilogue after `[batch, channels, height, width]`.
fn finish(output: Tensor<4>, epilogue: Epilogue) -> Tensor<4> {
    let mut output = trailing(output);
    if let Some(residual) = epilogue.residual {
        output = output + residual;
    }
    epilogue.activation.burn(output)
}

fn assert_close(found: Tensor<4>, expected: &Tensor<4>, name: &str) {
    assert_eq!(found.dims(), expected.dims(), "{name}");
    let (found, expected) = (values(found), values(expected.clone()));
    let largest = expected.iter().fold(1f32, |max, x| max.max(x.abs()));
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference <= 2e-5 * largest,
            "{name}: {index}: {found}, {expected}"
        );
    }
}

fn windows() -> impl Strategy<Value = Geometry> {
    prop_oneof![
        geometries(4, 2),
        Just(Geometry::same(3)),
        Just(Geometry::same(3).with_stride(2))
    ]
}

fn activation() -> impl Strategy<Value = Activation> {
    (0..ACTIVATIONS.len()).prop_map(|index| ACTIVATIONS[index])
}

prop_compose! {
    fn separables()(
        (batch, channels, outputs) in (1..=3usize, 1..=37usize, 1..=70usize),
        multiplier in prop_oneof![3 => Just(1usize), 1 => 2..=3usize],
        size in [1..=21usize, 1..=21],
        geometry in windows(),
        depthwise_bias: bool,
        input_relu: bool,
        activations in [activation(), activation()],
        residual: bool,
    ) -> Separable {
        Separable {
            batch,
            channels,
            multiplier,
            outputs,
            size,
            geometry,
            depthwise_bias,
            input_relu,
            activations,
            residual,
        }
    }
}

proptest! {
    #[test]
    fn separable_convolutions_equal_the_composed_operations(case in separables()) {
        prop_assume!(case.geometry.output_size(case.size).is_some());
        case.check();
    }
}

#[test]
fn each_activation_after_each_part_equals_the_composed_operations() {
    for first in ACTIVATIONS {
        for second in ACTIVATIONS {
            for options in 0..8 {
                let case = Separable {
                    batch: 2,
                    channels: 19,
                    multiplier: 1,
                    outputs: 35,
                    size: [9, 7],
                    geometry: Geometry::same(3),
                    depthwise_bias: options & 1 > 0,
                    input_relu: options & 2 > 0,
                    activations: [first, second],
                    residual: options & 4 > 0,
                };
                case.check();
            }
        }
    }
}

#[test]
fn strides_and_dilations_equal_the_composed_operations() {
    for (stride, dilation) in [(1, 1), (2, 1), (3, 1), (1, 2), (2, 3)] {
        let geometry = Geometry::same(3)
            .with_stride(stride)
            .with_dilation(dilation);
        Separable {
            batch: 2,
            channels: 18,
            multiplier: 1,
            outputs: 33,
            size: [13, 11],
            geometry,
            depthwise_bias: true,
            input_relu: true,
            activations: [Activation::Relu6, Activation::Relu],
            residual: true,
        }
        .check();
    }
}

/// A convolution in groups and what follows it.
#[derive(Debug, Clone, Copy)]
struct Grouped {
    batch: usize,
    groups: usize,
    /// Channels of a group, in and out.
    inputs: usize,
    outputs: usize,
    size: [usize; 2],
    geometry: Geometry,
    activation: Activation,
    residual: bool,
}

impl Grouped {
    fn check(&self) {
        let [rows, columns] = self.geometry.kernel;
        let [height, width] = self.size;
        let output = self.geometry.output_size(self.size).unwrap();
        let (channels, outputs) = (self.groups * self.inputs, self.groups * self.outputs);
        for device in devices() {
            let weight = weights([outputs, self.inputs, rows, columns], 2, &device);
            let bias = wide([outputs], 3, &device);
            let images = wide([self.batch, channels, height, width], 1, &device);
            let shape = [self.batch, output[0], output[1], outputs];
            let epilogue = Epilogue {
                residual: self.residual.then(|| wide(shape, 4, &device)),
                activation: self.activation,
            };
            let (filters, summand) = (weight.clone(), Some(bias.clone()));
            let composed = burn_conv2d(
                images.clone(),
                filters,
                summand,
                &self.geometry,
                self.groups,
            );
            let expected = finish(composed, epilogue.clone());
            for native in [false, true] {
                let (weight, bias) = (weight.clone(), bias.clone());
                let layer = FusedConv2d::new(weight, bias, self.geometry, self.groups, native);
                let name = format!("{self:?}, native: {native}");
                let found = layer.forward(trailing(images.clone()), epilogue.clone());
                assert_close(found, &expected, &name);
                let found = layer.forward_images(images.clone(), epilogue.clone());
                assert_close(found, &expected, &format!("{name}, images"));
            }
        }
    }
}

prop_compose! {
    fn grouped()(
        (batch, groups) in (1..=2usize, 1..=11usize),
        (inputs, outputs) in prop_oneof![
            3 => (1..=9usize, 1..=9usize),
            3 => (1..=9usize).prop_map(|width| (width, width)),
            1 => (1..=20usize, 10..=40usize),
        ],
        size in [1..=21usize, 1..=21],
        geometry in windows(),
        activation in activation(),
        residual: bool,
    ) -> Grouped {
        Grouped { batch, groups, inputs, outputs, size, geometry, activation, residual }
    }
}

proptest! {
    #[test]
    fn convolutions_in_groups_equal_the_composed_operations(case in grouped()) {
        prop_assume!(case.geometry.output_size(case.size).is_some());
        case.check();
    }
}

#[test]
fn the_spectrum_from_dense_to_depthwise_equals_the_composed_operations() {
    for groups in [1, 2, 3, 4, 6, 8, 12, 24, 48] {
        for geometry in [
            Geometry::valid(1),
            Geometry::same(3),
            Geometry::valid(3).with_stride(2).with_dilation(2),
        ] {
            for activation in ACTIVATIONS {
                Grouped {
                    batch: 2,
                    groups,
                    inputs: 48 / groups,
                    outputs: 48 / groups,
                    size: [9, 14],
                    geometry,
                    activation,
                    residual: groups % 2 == 0,
                }
                .check();
            }
        }
    }
}

/// Padding must add nothing, also where it lies under a weight that is infinite or NaN.
#[test]
fn weights_in_groups_that_are_not_finite_give_what_burns_operations_say() {
    let device = Device::flex();
    for special in [f32::NAN, f32::INFINITY] {
        for groups in [2, 4, 12] {
            let shape = [12, 12 / groups, 3, 3];
            let mut numbers = fractions(elements(shape), 2);
            numbers[0] = special;
            let layers = [false, true].map(|native| {
                let weight = tensor(numbers.clone(), shape, &device);
                let bias = Tensor::zeros([12], &device);
                FusedConv2d::new(weight, bias, Geometry::same(3), groups, native)
            });
            let images = wide([1, 12, 4, 5], 1, &device);
            let [burn, own] = layers
                .map(|layer| values(layer.forward_images(images.clone(), Epilogue::default())));
            for (own, burn) in own.iter().zip(&burn) {
                let same = own.is_nan() && burn.is_nan() || own == burn;
                assert!(same || (own - burn).abs() < 1e-3, "{groups}: {own}, {burn}");
            }
        }
    }
}

/// Few channels, which the kernel reads from images, and many, which it reads from trailing channels.
#[test]
fn images_give_what_their_trailing_channels_give() {
    let device = Device::flex();
    for channels in [1, 3, 15, 16, 40] {
        for geometry in [Geometry::valid(1), Geometry::same(3).with_stride(2)] {
            let [rows, columns] = geometry.kernel;
            let weight = weights([21, channels, rows, columns], 2, &device);
            for native in [false, true] {
                let bias = wide([21], 3, &device);
                let layer = FusedConv2d::new(weight.clone(), bias, geometry, 1, native);
                let images = wide([2, channels, 11, 10], 1, &device);
                let found = layer.forward_images(images.clone(), Epilogue::default());
                let expected = layer.forward(trailing(images), Epilogue::default());
                let name = format!("{channels} channels, {geometry:?}, native: {native}");
                assert_close(found, &expected, &name);
            }
        }
    }
}

/// NaN, infinities and numbers as text, since NaN is not equal to itself.
fn text(tensor: Tensor<4>) -> Vec<String> {
    values(tensor).iter().map(f32::to_string).collect()
}

#[test]
fn nan_and_infinity_at_the_border_reach_what_burns_operations_say() {
    let device = Device::flex();
    for special in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for activation in [Activation::None, Activation::Relu, Activation::Relu6] {
            let mut numbers = vec![1.0; elements([1, 4, 5, 6])];
            numbers[0] = special; // a corner
            let images = tensor(numbers, [1, 4, 5, 6], &device);
            let layers = [false, true].map(|native| {
                let depthwise = FusedDepthwise {
                    weight: Tensor::ones([4, 1, 3, 3], &device),
                    channels: 4,
                    bias: None,
                    geometry: Geometry::same(3),
                    input_relu: false,
                    activation,
                };
                let pointwise = Tensor::ones([5, 4, 1, 1], &device);
                FusedConv2d::separable(depthwise, pointwise, Tensor::zeros([5], &device), native)
            });
            let [burn, own] = layers.map(|layer| {
                let epilogue = Epilogue {
                    residual: None,
                    activation,
                };
                text(layer.forward_images(images.clone(), epilogue))
            });
            assert_eq!(own, burn, "{special} {activation:?}");
        }
    }
}

#[test]
fn there_is_no_gradient_and_none_is_needed() {
    let device = Device::flex().autodiff();
    let weight = weights([6, 4, 3, 3], 2, &device).require_grad();
    let layer = FusedConv2d::new(
        weight,
        Tensor::zeros([6], &device),
        Geometry::same(3),
        1,
        true,
    );
    let input = wide([1, 5, 5, 4], 1, &device);
    let output = layer.forward(input, Epilogue::default());
    assert!(!output.device().is_autodiff());
    assert_eq!(output.dims(), [1, 5, 5, 6]);
}

#[test]
fn other_element_types_take_burns_operations() {
    let device = Device::flex();
    let weight = weights([6, 4, 3, 3], 2, &device);
    let bias = Tensor::<1>::zeros([6], &device);
    let input = wide([1, 5, 5, 4], 1, &device);
    let expected = FusedConv2d::new(weight.clone(), bias.clone(), Geometry::same(3), 1, true)
        .forward(input.clone(), Epilogue::default());
    let (weight, bias) = (weight.cast(DType::F64), bias.cast(DType::F64));
    let layer = FusedConv2d::new(weight, bias, Geometry::same(3), 1, true);
    let found = layer.forward(input.cast(DType::F64), Epilogue::default());
    assert_eq!(found.dtype(), DType::F64);
    assert_close(found, &expected, "f64");
}

#[test]
#[should_panic(expected = "a residual of the output's shape")]
fn a_residual_of_another_shape_is_refused() {
    let device = Device::flex();
    let weight = weights([6, 4, 3, 3], 2, &device);
    let layer = FusedConv2d::new(
        weight,
        Tensor::zeros([6], &device),
        Geometry::same(3),
        1,
        true,
    );
    let epilogue = Epilogue {
        residual: Some(Tensor::zeros([1, 5, 4, 6], &device)),
        activation: Activation::None,
    };
    layer.forward(Tensor::zeros([1, 5, 5, 4], &device), epilogue);
}
