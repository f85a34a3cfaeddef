//! The kernels for graphics cards against the definition of convolution, on the device that wgpu finds.

#![cfg(feature = "wgpu")]
#![allow(clippy::unwrap_used)]

mod support;

use burn::prelude::*;
use burn::tensor::DType;
use support::catalogue::LAYERS;
use support::*;
use xception_kernels::{
    Activation, Epilogue, FusedConv2d, FusedDepthwise, Geometry, Padding2d, batch_norm_train,
    conv2d,
};

fn device() -> Device {
    Device::wgpu(Default::default()).autodiff()
}

/// Computes a convolution with its gradients in an element type.
fn compute(case: &Case, values: [&[f32]; 4], dtype: DType) -> Results {
    let device = device();
    let [input, weight, gradient, bias] = values.map(<[f32]>::to_vec);
    let tensors = [
        tensor(input, case.input(), &device).cast(dtype),
        tensor(weight, case.weight(), &device).cast(dtype),
        tensor(gradient, case.output(), &device).cast(dtype),
    ];
    let bias = tensor(bias, [case.outputs], &device).cast(dtype);
    by_tensors(tensors, bias, |input, weight, bias| {
        conv2d(input, weight, Some(bias), &case.geometry, case.groups)
    })
}

fn check(case: &Case) {
    check_parts(case, 4);
}

/// Checks the first of output and gradients of input, weight and bias.
fn check_parts(case: &Case, count: usize) {
    let input = integers(elements(case.input()), 1);
    let weight = integers(elements(case.weight()), 2);
    let gradient = integers(elements(case.output()), 3);
    let bias = integers(case.outputs, 4);
    let expected = by_definition(case, &input, &weight, &bias, &gradient);
    let found = compute(case, [&input, &weight, &gradient, &bias], DType::F32);
    let parts = |results: Results| {
        [
            ("output", results.output),
            ("input's gradient", results.input_gradient),
            ("weight's gradient", results.weight_gradient),
            ("bias's gradient", results.bias_gradient),
        ]
    };
    let pairs = parts(found).into_iter().zip(parts(expected));
    for ((name, found), (_, expected)) in pairs.take(count) {
        let wrong = found.iter().zip(&expected).position(|(a, b)| a != b);
        assert_eq!(found.len(), expected.len(), "{name}, {case:?}");
        assert!(
            wrong.is_none(),
            "{name}, {case:?}: {} at {wrong:?} instead of {}",
            found[wrong.unwrap()],
            expected[wrong.unwrap()]
        );
    }
}

fn depthwise(channels: usize, multiplier: usize, size: [usize; 2], geometry: Geometry) -> Case {
    Case {
        batch: 2,
        channels,
        outputs: channels * multiplier,
        groups: channels,
        size,
        geometry,
    }
}

#[test]
fn the_layers_of_the_networks_equal_the_definition() {
    for layer in LAYERS.iter().filter(|layer| layer.case.groups > 1) {
        check(&layer.case);
        println!("{}: equal", layer.name);
    }
}

#[test]
fn depthwise_convolutions_of_any_geometry_equal_the_definition() {
    let uneven = Padding2d {
        top: 0,
        bottom: 2,
        left: 1,
        right: 0,
    };
    let rectangle = Geometry {
        kernel: [1, 5],
        stride: [2, 1],
        dilation: [1, 2],
        padding: Padding2d {
            left: 3,
            ..Padding2d::symmetric(0)
        },
    };
    let geometries = [
        Geometry::valid(1),
        Geometry::valid(2),
        Geometry::same(3),
        Geometry::same(5),
        Geometry::same(7),
        Geometry::same(3).with_stride(2),
        Geometry::same(5).with_stride(2),
        Geometry::valid(3).with_stride(3).with_padding(uneven),
        Geometry::same(3).with_stride(5),
        Geometry::same(3)
            .with_dilation(2)
            .with_padding(Padding2d::symmetric(2)),
        Geometry::valid(3)
            .with_dilation(3)
            .with_stride(2)
            .with_padding(uneven),
        // Wider than the map.
        Geometry::valid(11).with_padding(Padding2d::symmetric(5)),
        rectangle,
    ];
    for geometry in geometries {
        for (channels, size) in [(2, [9, 12]), (6, [7, 7]), (33, [8, 5]), (40, [13, 6])] {
            if geometry.output_size(size).is_some() {
                check(&depthwise(channels, 1, size, geometry));
            }
        }
    }
}

#[test]
fn channel_multipliers_and_groups_equal_the_definition() {
    for geometry in [
        Geometry::same(3),
        Geometry::same(3).with_stride(2),
        Geometry::valid(2).with_dilation(2),
    ] {
        check(&depthwise(5, 2, [6, 9], geometry));
        check(&depthwise(4, 3, [9, 6], geometry));
        for (groups, inputs, outputs) in [(2, 3, 1), (3, 2, 5), (7, 4, 4)] {
            check(&Case {
                batch: 3,
                channels: groups * inputs,
                outputs: groups * outputs,
                groups,
                size: [7, 8],
                geometry,
            });
        }
    }
}

#[test]
fn half_precision_equals_the_definition_within_its_digits() {
    // Half a unit in the last place, relative to the largest value.
    for (dtype, tolerance) in [(DType::F16, 1.0 / 2048.0), (DType::BF16, 1.0 / 256.0)] {
        if !device().supports_dtype(dtype) {
            println!("{dtype:?}: this device doesn't have it");
            continue;
        }
        for case in [
            depthwise(32, 1, [40, 30], Geometry::same(3)),
            depthwise(6, 1, [33, 20], Geometry::same(5).with_stride(2)),
            depthwise(5, 2, [9, 9], Geometry::same(3)),
        ] {
            let input = integers(elements(case.input()), 1);
            let weight = integers(elements(case.weight()), 2);
            let gradient = integers(elements(case.output()), 3);
            let bias = integers(case.outputs, 4);
            let expected = by_definition(&case, &input, &weight, &bias, &gradient);
            let found = compute(&case, [&input, &weight, &gradient, &bias], dtype);
            for (name, found, expected) in [
                ("output", found.output, expected.output),
                ("input", found.input_gradient, expected.input_gradient),
                ("weight", found.weight_gradient, expected.weight_gradient),
            ] {
                let largest = expected.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
                let errors = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
                let off = errors.fold(0.0_f32, f32::max) / largest;
                println!("{dtype:?}, {name}, {case:?}: {off:.1e}");
                assert!(off <= tolerance, "{dtype:?}, {name}, {case:?}: {off}");
            }
        }
    }
}

/// Computes a normalized batch, its statistics, and the gradients of input, gamma and beta.
fn normalize(shape: [usize; 4], offset: f32, relu: bool, device: &Device) -> [Vec<f32>; 6] {
    let channels = shape[1];
    let input = fractions(elements(shape), 1);
    let input = input.iter().map(|value| value + offset).collect();
    let input = tensor(input, shape, device).require_grad();
    let gamma = tensor(fractions(channels, 2), [channels], device).require_grad();
    let beta = tensor(fractions(channels, 3), [channels], device).require_grad();
    let gradient = tensor(fractions(elements(shape), 4), shape, device);
    let batch = batch_norm_train(input.clone(), gamma.clone(), beta.clone(), 1e-3, relu);
    let gradients = (batch.output.clone() * gradient).sum().backward();
    [
        values(batch.output),
        values(batch.mean),
        values(batch.variance),
        values(input.grad(&gradients).unwrap()),
        values(gamma.grad(&gradients).unwrap()),
        values(beta.grad(&gradients).unwrap()),
    ]
}

#[test]
fn batch_normalization_equals_the_one_for_the_processor() {
    let names = ["output", "mean", "variance", "input", "gamma", "beta"];
    for (shape, offset) in [
        ([2, 3, 5, 7], 0.0),
        ([4, 32, 9, 9], 0.0),
        ([3, 130, 4, 1], 0.0),
        ([1, 4, 300, 300], 0.0),
        // A mean of many deviations.
        ([8, 6, 16, 16], 300.0),
    ] {
        for relu in [false, true] {
            let expected = normalize(shape, offset, relu, &Device::flex().autodiff());
            let found = normalize(shape, offset, relu, &device());
            for ((name, found), expected) in names.iter().zip(found).zip(expected) {
                let largest = expected.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
                // A mean near zero is as exact as the values that it is the mean of.
                let largest = if *name == "mean" {
                    largest.max(1.0)
                } else {
                    largest
                };
                let errors = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
                let off = errors.fold(0.0_f32, f32::max) / largest;
                let tolerance = if offset == 0.0 { 2e-5 } else { 2e-3 };
                println!("{name} of {shape:?}, ReLU {relu}: {off:.1e}");
                assert!(off <= tolerance, "{name}, {shape:?}, ReLU {relu}: {off}");
            }
        }
    }
}

/// Normalizes a batch of half precision with parameters of single precision, and returns output, mean and the gradients of input and
/// gamma.
fn normalize_half(shape: [usize; 4], element: DType, device: &Device) -> [Vec<f32>; 4] {
    let channels = shape[1];
    let input = tensor(fractions(elements(shape), 1), shape, device).require_grad();
    let gamma = tensor(fractions(channels, 2), [channels], device).require_grad();
    let beta = tensor(fractions(channels, 3), [channels], device);
    let gradient = tensor(fractions(elements(shape), 4), shape, device);
    let batch = batch_norm_train(input.clone().cast(element), gamma.clone(), beta, 1e-3, true);
    assert_eq!(
        (batch.output.dtype(), batch.mean.dtype()),
        (element, DType::F32)
    );
    let gradients = (batch.output.clone() * gradient.cast(element)).cast(DType::F32);
    let gradients = gradients.sum().backward();
    [
        values(batch.output.cast(DType::F32)),
        values(batch.mean),
        values(input.grad(&gradients).unwrap()),
        values(gamma.grad(&gradients).unwrap()),
    ]
}

#[test]
fn batch_normalization_of_half_precision_has_parameters_of_single_precision() {
    if !device().supports_dtype(DType::F16) {
        println!("the device doesn't compute with f16");
        return;
    }
    let found = normalize_half([4, 33, 6, 5], DType::F16, &device());
    let expected = normalize_half([4, 33, 6, 5], DType::F16, &Device::flex().autodiff());
    let names = ["output", "mean", "input's gradient", "gamma's gradient"];
    for ((name, found), expected) in names.iter().zip(found).zip(expected) {
        let off = distance(&found, &expected);
        println!("{name}: {off:.1e}");
        // Half a unit in the last of f16's eleven digits, and rounding before that.
        assert!(off <= 6e-4, "{name}: {off}");
    }
}

/// Returns the largest difference, relative to the largest value expected.
fn distance(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
    let errors = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    errors.fold(0.0_f32, f32::max) / largest
}

/// Makes a tensor of fractions on a device without autodiff.
fn constant<const D: usize>(shape: [usize; D], seed: usize, device: &Device) -> Tensor<D> {
    let numbers = fractions(shape.iter().product(), seed);
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

#[test]
fn fused_convolutions_equal_those_for_the_processor() {
    let activations = [
        Activation::None,
        Activation::Relu,
        Activation::Relu6,
        Activation::Elu,
    ];
    let (batch, channels, outputs, size) = (2, 33, 20, [9, 7]);
    let geometries = [Geometry::same(3), Geometry::same(5).with_stride(2)];
    let compute = |depthwise: Option<(Geometry, bool)>,
                   last: (Geometry, usize),
                   activation: Activation,
                   residual: bool,
                   device: &Device| {
        let (geometry, groups) = last;
        let bias = constant([outputs], 4, device);
        let [rows, columns] = geometry.kernel;
        let inputs = if groups == 1 { channels } else { outputs / 2 };
        let weight = constant([outputs, inputs / groups, rows, columns], 3, device);
        let convolution = match depthwise {
            None => FusedConv2d::new(weight, bias, geometry, groups, true),
            Some((geometry, biased)) => {
                let [rows, columns] = geometry.kernel;
                let depthwise = FusedDepthwise {
                    weight: constant([channels, 1, rows, columns], 5, device),
                    channels,
                    bias: biased.then(|| constant([channels], 6, device)),
                    geometry,
                    input_relu: biased,
                    activation,
                };
                FusedConv2d::separable(depthwise, weight, bias, true)
            }
        };
        let window = depthwise.map_or(geometry, |(geometry, _)| geometry);
        let [height, width] = window.output_size(size).unwrap();
        let epilogue = Epilogue {
            residual: residual.then(|| constant([batch, height, width, outputs], 7, device)),
            activation,
        };
        let input = constant([batch, size[0], size[1], inputs], 8, device);
        values(convolution.forward(input, epilogue))
    };
    let pointwise = (Geometry::valid(1), 1);
    let mut cases = vec![(None, pointwise), (None, (Geometry::same(3), 1))];
    for geometry in geometries {
        // Alone, with a channel multiplier of 2; and as part of a separable convolution.
        cases.push((None, (geometry, outputs / 2)));
        cases.push((Some((geometry, false)), pointwise));
        cases.push((Some((geometry, true)), pointwise));
    }
    for (depthwise, last) in cases {
        for activation in activations {
            for residual in [false, true] {
                let devices = [Device::wgpu(Default::default()), Device::flex()];
                let [found, expected] = devices
                    .each_ref()
                    .map(|device| compute(depthwise, last, activation, residual, device));
                let off = distance(&found, &expected);
                let case = format!("{depthwise:?}, {last:?}, {activation:?}, residual {residual}");
                assert!(off <= 1e-5, "{case}: {off}");
            }
        }
    }
}

/// Computes the gradients of a depthwise convolution, a pointwise one, normalization with ReLU, and a mean over the pixels.
fn sequence(channels: usize, size: usize, device: &Device) -> Vec<(&'static str, Vec<f32>)> {
    let shape = [8, channels, size, size];
    let input = tensor(fractions(elements(shape), 1), shape, device).require_grad();
    let depthwise = tensor(fractions(channels * 9, 2), [channels, 1, 3, 3], device).require_grad();
    let mixing = [channels, channels, 1, 1];
    let pointwise = tensor(fractions(elements(mixing), 3), mixing, device).require_grad();
    let gamma = tensor(fractions(channels, 4), [channels], device).require_grad();
    let beta = tensor(fractions(channels, 5), [channels], device).require_grad();
    let map = conv2d(
        input.clone(),
        depthwise.clone(),
        None,
        &Geometry::same(3),
        channels,
    );
    let map = conv2d(map, pointwise.clone(), None, &Geometry::valid(1), 1);
    let batch = batch_norm_train(map, gamma.clone(), beta.clone(), 1e-3, true);
    let loss = batch
        .output
        .clone()
        .mean_dims(&[2, 3])
        .powi_scalar(2)
        .mean();
    let gradients = loss.backward();
    vec![
        ("output", values(batch.output)),
        ("input", values(input.grad(&gradients).unwrap())),
        ("depthwise", values(depthwise.grad(&gradients).unwrap())),
        ("pointwise", values(pointwise.grad(&gradients).unwrap())),
        ("gamma", values(gamma.grad(&gradients).unwrap())),
        ("beta", values(beta.grad(&gradients).unwrap())),
    ]
}

#[test]
fn layers_in_sequence_have_the_gradients_that_they_have_on_the_processor() {
    for (channels, size) in [(33, 1), (32, 5)] {
        let expected = sequence(channels, size, &Device::flex().autodiff());
        let found = sequence(channels, size, &device());
        for ((name, found), (_, expected)) in found.into_iter().zip(expected) {
            let off = distance(&found, &expected);
            println!("{name}, {channels} channels, {size} x {size}: {off:.1e}");
            assert!(
                off <= 5e-5,
                "{name}, {channels} channels, {size} x {size}: {off}"
            );
        }
    }
}

/// More blocks of units than a dimension of a grid holds.
#[test]
fn maps_of_more_strips_than_a_grid_is_wide() {
    let case = Case {
        batch: 1,
        ..depthwise(33, 1, [530_000, 1], Geometry::same(3))
    };
    // The sums of the other gradients are too large to be exact.
    check_parts(&case, 2);
}
