//! Transposed convolutions and their gradients against the definition and Burn's own operation.

#![allow(clippy::unwrap_used)]

mod support;

use burn::prelude::*;
use burn::tensor::DType;
use proptest::prelude::*;
use support::{
    Case, by_tensors, devices, elements, fractions, geometries, integers, tensor, values,
};
use xception_kernels::{
    Activation, Epilogue, FusedTransposedDepthwise, Geometry, burn_transposed_conv2d, conv2d,
    transposed_conv2d,
};

fn windows() -> impl Strategy<Value = Geometry> {
    let strided = (1..=3usize).prop_map(|stride| Geometry::same(3).with_stride(stride));
    prop_oneof![geometries(5, 3), strided]
}

prop_compose! {
    /// Convolutions to be transposed: depthwise with a multiplier, grouped, or dense.
    fn cases()(
        batch in 1..=3usize,
        (channels, multiplier, kind) in (1..=19usize, 1..=3usize, 0..4usize),
        size in [1..=17usize, 1..=17],
        geometry in windows(),
    ) -> Case {
        let (groups, channels, outputs) = match kind {
            0 => (1, channels, 5 * multiplier),
            1 => (multiplier, channels * multiplier, 3 * multiplier),
            2 => (channels, channels, channels * multiplier),
            _ => (channels, channels, channels),
        };
        Case { batch, channels, outputs, groups, size, geometry }
    }
}

type Transpose = fn(Tensor<4>, Tensor<4>, [usize; 2], &Geometry, usize) -> Tensor<4>;

/// Compares the output and the gradients with sums over the products of the convolution that is transposed.
fn check(case: &Case) {
    let input = integers(elements(case.output()), 1);
    let weight = integers(elements(case.weight()), 2);
    let gradient = integers(elements(case.input()), 3);
    let mut output = vec![0.0; gradient.len()];
    let mut input_gradient = vec![0.0; input.len()];
    let mut weight_gradient = vec![0.0; weight.len()];
    case.each_product(|from, to, tap| {
        output[to] += input[from] * weight[tap];
        input_gradient[from] += gradient[to] * weight[tap];
        weight_gradient[tap] += gradient[to] * input[from];
    });
    for device in devices() {
        let device = device.autodiff();
        for transpose in [
            transposed_conv2d as Transpose,
            burn_transposed_conv2d as Transpose,
        ] {
            let tensors = [
                tensor(input.clone(), case.output(), &device),
                tensor(weight.clone(), case.weight(), &device),
                tensor(gradient.clone(), case.input(), &device),
            ];
            let none = Tensor::zeros([1], &device);
            let found = by_tensors(tensors, none, |input, weight, none| {
                let output = transpose(input, weight, case.size, &case.geometry, case.groups);
                output + none.reshape([1, 1, 1, 1])
            });
            assert!(found.output == output, "{case:?} on {device:?}");
            assert!(found.input_gradient == input_gradient, "{case:?}");
            assert!(found.weight_gradient == weight_gradient, "{case:?}");
        }
    }
}

proptest! {
    #[test]
    fn equals_the_definition_exactly_on_small_integers(case in cases()) {
        prop_assume!(case.geometry.output_size(case.size).is_some());
        check(&case);
    }
}

/// The sums of products of one's output and the other's input are equal, which defines a transpose.
#[test]
fn is_the_transpose_of_convolution() {
    let device = Device::flex();
    let random = |shape, seed| tensor(fractions(elements(shape), seed), shape, &device);
    let geometry = Geometry::same(3).with_stride(2);
    for size in [[7, 8], [8, 7], [1, 2]] {
        let [height, width] = geometry.output_size(size).unwrap();
        let (x, y) = (
            random([2, 6, size[0], size[1]], 1),
            random([2, 6, height, width], 2),
        );
        let weight = random([6, 1, 3, 3], 3);
        let convolved = conv2d(x.clone(), weight.clone(), None, &geometry, 6);
        let transposed = transposed_conv2d(y.clone(), weight, size, &geometry, 6);
        let [one, other] =
            [convolved * y, transposed * x].map(|products| products.sum().into_scalar::<f32>());
        assert!((one - other).abs() < 1e-4, "{one}, {other}");
    }
}

#[test]
fn other_element_types_take_burns_operation() {
    let device = Device::flex();
    let input = Tensor::<4>::ones([1, 2, 2, 2], &device).cast(DType::F64);
    let weight = Tensor::<4>::ones([2, 1, 3, 3], &device).cast(DType::F64);
    let geometry = Geometry::same(3).with_stride(2);
    let output = transposed_conv2d(input, weight, [4, 3], &geometry, 2);
    assert_eq!(output.dtype(), DType::F64);
    assert_eq!(
        values(output)[..12],
        [1., 2., 1., 2., 4., 2., 1., 2., 1., 1., 2., 1.]
    );
}

fn trailing(tensor: Tensor<4>) -> Tensor<4> {
    tensor.permute([0, 2, 3, 1])
}

/// Compares the fused form, by both kernels, with the composed operations.
fn check_fused(case: &Case, activation: Activation, adds: bool) {
    let Case { channels, size, .. } = *case;
    for device in devices() {
        let make = |shape, seed| tensor(fractions(elements(shape), seed), shape, &device);
        let (input, weight) = (make(case.output(), 1), make(case.weight(), 2));
        let bias = tensor(fractions(channels, 3), [channels], &device);
        let residual = make([case.batch, size[0], size[1], channels], 4) * 4.0;
        let output = burn_transposed_conv2d(
            input.clone(),
            weight.clone(),
            size,
            &case.geometry,
            channels,
        );
        let mut expected = trailing(output) + bias.clone().reshape([1, 1, 1, channels]);
        if adds {
            expected = expected + residual.clone();
        }
        let expected = values(activation.burn(expected));
        for native in [false, true] {
            let fused =
                FusedTransposedDepthwise::new(weight.clone(), bias.clone(), case.geometry, native);
            let epilogue = Epilogue {
                residual: adds.then(|| residual.clone()),
                activation,
            };
            let found = fused.forward(trailing(input.clone()), size, epilogue);
            assert_eq!(found.dims(), [case.batch, size[0], size[1], channels]);
            for (found, expected) in values(found).iter().zip(&expected) {
                assert!(
                    (found - expected).abs() < 2e-5,
                    "{case:?} {activation:?} {native}: {found}, {expected}"
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn fused_it_gives_the_same(case in cases(), activation in 0..4usize, adds: bool) {
        prop_assume!(case.geometry.output_size(case.size).is_some());
        let activation = [Activation::None, Activation::Relu, Activation::Relu6, Activation::Elu][activation];
        let case = Case { outputs: case.channels, groups: case.channels, ..case };
        check_fused(&case, activation, adds);
    }
}

/// An image that several tasks of the kernel share.
#[test]
fn fused_large_maps_give_the_same() {
    let case = Case {
        batch: 3,
        channels: 72,
        outputs: 72,
        groups: 72,
        size: [29, 31],
        geometry: Geometry::same(5).with_stride(2),
    };
    check_fused(&case, Activation::Relu, true);
}

#[test]
fn fused_nan_and_infinity_stay_within_their_windows() {
    let device = Device::flex();
    for special in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut numbers = vec![1.0; 4 * 9];
        numbers[0] = special;
        let input = tensor(numbers, [1, 3, 3, 4], &device);
        let found = [false, true].map(|native| {
            let fused = FusedTransposedDepthwise::new(
                Tensor::ones([4, 1, 3, 3], &device),
                Tensor::zeros([4], &device),
                Geometry::same(3).with_stride(2),
                native,
            );
            let epilogue = Epilogue {
                residual: None,
                activation: Activation::Relu,
            };
            let output = fused.forward(input.clone(), [5, 6], epilogue);
            values(output)
                .iter()
                .map(f32::to_string)
                .collect::<Vec<_>>()
        });
        assert_eq!(found[0], found[1], "{special}");
        // The corner of one channel reaches two rows and two columns.
        let text = match special < 0.0 {
            true => "0".to_owned(),
            false => special.to_string(),
        };
        assert_eq!(found[1].iter().filter(|found| **found == text).count(), 4);
    }
}
