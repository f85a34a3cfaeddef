//! Convolutions and their gradients against the definition, Burn's own operations, and finite
//! differences.

#![allow(clippy::unwrap_used)]

mod support;

use burn::prelude::*;
use burn::tensor::DType;
use proptest::prelude::*;
use support::catalogue::LAYERS;
use support::*;
use xception_kernels::{Geometry, Padding2d, burn_conv2d, conv2d};

/// Depthwise with a multiplier, in groups of any width, or dense; pointwise at times.
fn cases() -> impl Strategy<Value = Case> {
    let depthwise = (1..=19usize, 1..=3usize).prop_map(|(channels, multiplier)| {
        let outputs = channels * multiplier;
        (channels, channels, outputs)
    });
    let grouped = (1..=4usize, 1..=15usize, 1..=15usize)
        .prop_map(|(groups, inputs, outputs)| (groups, groups * inputs, groups * outputs));
    let dense = (1..=19usize, 1..=40usize).prop_map(|(channels, outputs)| (1, channels, outputs));
    let channels = prop_oneof![1 => depthwise, 2 => grouped, 1 => dense];
    let pointwise = (1..=3usize).prop_map(|stride| Geometry::valid(1).with_stride(stride));
    let same = Just(Geometry::same(3));
    let geometry = prop_oneof![2 => geometries(5, 3), 1 => pointwise, 1 => same];
    (1..=4usize, channels, [1..=40usize, 1..=40], geometry)
        .prop_map(
            |(batch, (groups, channels, outputs), size, geometry)| Case {
                batch,
                channels,
                outputs,
                groups,
                size,
                geometry,
            },
        )
        .prop_filter("the kernel fits", |case| {
            case.geometry.output_size(case.size).is_some()
        })
}

fn check(case: &Case) {
    let input = integers(elements(case.input()), 1);
    let weight = integers(elements(case.weight()), 2);
    let gradient = integers(elements(case.output()), 3);
    let bias = integers(case.outputs, 4);
    let expected = by_definition(case, &input, &weight, &bias, &gradient);
    for device in devices() {
        let device = device.autodiff();
        let tensors = [
            tensor(input.clone(), case.input(), &device),
            tensor(weight.clone(), case.weight(), &device),
            tensor(gradient.clone(), case.output(), &device),
        ];
        let bias = tensor(bias.clone(), [case.outputs], &device);
        let found = by_tensors(tensors, bias, |input, weight, bias| {
            conv2d(input, weight, Some(bias), &case.geometry, case.groups)
        });
        assert!(found == expected, "{case:?} on {device:?}");
    }
}

/// 300 cases, or as many as the environment variable `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 300;
    }
    config
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn equals_the_definition_exactly_on_small_integers(case in cases()) {
        check(&case);
    }
}

#[test]
fn small_maps_of_many_images_equal_the_definition() {
    for size in [
        [1, 1],
        [2, 2],
        [3, 3],
        [4, 4],
        [8, 8],
        [13, 13],
        [8, 1],
        [1, 5],
        [2, 6],
        [6, 7],
        [9, 8],
        [8, 9],
    ] {
        for (channels, outputs, groups) in [(33, 33, 33), (33, 17, 1), (24, 36, 3)] {
            for kernel in [1, 3] {
                check(&Case {
                    batch: 25,
                    channels,
                    outputs,
                    groups,
                    size,
                    geometry: Geometry::same(kernel),
                });
            }
        }
    }
}

#[test]
fn every_number_of_groups_equals_the_definition() {
    let asymmetric = Geometry {
        kernel: [3, 2],
        stride: [1, 2],
        dilation: [2, 1],
        padding: Padding2d {
            top: 0,
            bottom: 3,
            left: 2,
            right: 1,
        },
    };
    let geometries = [
        Geometry::same(3),
        Geometry::same(3).with_stride(2),
        Geometry::valid(3).with_stride(3),
        Geometry::same(3).with_dilation(2),
        Geometry::same(5),
        Geometry::valid(1),
        Geometry::valid(1).with_stride(2),
        asymmetric,
    ];
    for groups in [1, 2, 3, 4, 6, 8, 12, 24] {
        for outputs in [24, 48, 5 * groups] {
            for geometry in geometries {
                for (batch, size) in [(1, [7, 9]), (3, [6, 5]), (2, [19, 19])] {
                    check(&Case {
                        batch,
                        channels: 24,
                        outputs,
                        groups,
                        size,
                        geometry,
                    });
                }
            }
        }
    }
}

/// So wide that groups are matrix products, and so many that these are divided into tasks.
#[test]
fn wide_groups_equal_the_definition() {
    for (groups, inputs, outputs) in [(2, 65, 66), (3, 70, 64), (2, 33, 130)] {
        for geometry in [
            Geometry::same(3),
            Geometry::same(3).with_stride(2),
            Geometry::valid(1),
            Geometry::valid(1).with_stride(2),
            Geometry::valid(3).with_dilation(2),
        ] {
            for (batch, size) in [(1, [9, 8]), (5, [6, 7])] {
                check(&Case {
                    batch,
                    channels: groups * inputs,
                    outputs: groups * outputs,
                    groups,
                    size,
                    geometry,
                });
            }
        }
    }
}

/// The largest difference, as a share of the largest value.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-6f32, |max, x| max.max(x.abs()));
    let pairs = found.iter().zip(expected);
    pairs.fold(0f32, |max, (a, b)| max.max((a - b).abs())) / largest
}

#[test]
fn equals_burns_operation_on_the_networks_layers() {
    let device = Device::flex().autodiff();
    for layer in LAYERS {
        // Burn's gradients of many groups take long.
        let groups = layer.case.groups.min(8);
        let case = Case {
            channels: layer.case.channels / layer.case.groups * groups,
            outputs: layer.case.outputs / layer.case.groups * groups,
            groups,
            ..layer.case
        };
        let make = |shape, seed| tensor(fractions(elements(shape), seed), shape, &device);
        let tensors = [
            make(case.input(), 1),
            make(case.weight(), 2),
            make(case.output(), 3),
        ];
        let bias = tensor(fractions(case.outputs, 4), [case.outputs], &device);
        let own = by_tensors(tensors.clone(), bias.clone(), |input, weight, bias| {
            conv2d(input, weight, Some(bias), &case.geometry, case.groups)
        });
        let burn = by_tensors(tensors, bias, |input, weight, bias| {
            burn_conv2d(input, weight, Some(bias), &case.geometry, case.groups)
        });
        for (found, expected) in [
            (&own.output, &burn.output),
            (&own.input_gradient, &burn.input_gradient),
            (&own.weight_gradient, &burn.weight_gradient),
            (&own.bias_gradient, &burn.bias_gradient),
        ] {
            assert!(difference(found, expected) < 1e-4, "{}", layer.name);
        }
    }
}

#[test]
fn gradients_are_the_slopes_of_the_output() {
    let case = Case {
        batch: 2,
        channels: 3,
        outputs: 6,
        groups: 3,
        size: [6, 5],
        geometry: Geometry::same(3).with_stride(2),
    };
    let (input, weight) = (fractions(180, 1), fractions(54, 2));
    let gradient = fractions(elements(case.output()), 3);
    let loss = |input: &[f64], weight: &[f64]| {
        let mut sum = 0.0;
        case.each_product(|output, pixel, tap| {
            sum += input[pixel] * weight[tap] * f64::from(gradient[output]);
        });
        sum
    };
    let device = Device::flex().autodiff();
    let tensors = [
        tensor(input.clone(), case.input(), &device),
        tensor(weight.clone(), case.weight(), &device),
        tensor(gradient.clone(), case.output(), &device),
    ];
    let found = by_tensors(tensors, Tensor::zeros([6], &device), |x, w, b| {
        conv2d(x, w, Some(b), &case.geometry, case.groups)
    });
    let double = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
    let (input, weight) = (double(&input), double(&weight));
    let step = 1e-3;
    let slope =
        |change: &dyn Fn(f64) -> f64| ((change(step) - change(-step)) / (2.0 * step)) as f32;
    for (index, found) in found.input_gradient.iter().enumerate() {
        let expected = slope(&|step| {
            let mut input = input.clone();
            input[index] += step;
            loss(&input, &weight)
        });
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
    for (index, found) in found.weight_gradient.iter().enumerate() {
        let expected = slope(&|step| {
            let mut weight = weight.clone();
            weight[index] += step;
            loss(&input, &weight)
        });
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
}

/// NaN, infinities and numbers as text, since NaN is not equal to itself.
fn text(values: &[f32]) -> Vec<String> {
    values.iter().map(f32::to_string).collect()
}

/// Depthwise, narrow groups, pointwise ones, and wide groups, which are products.
const GROUPED: [(usize, usize, usize, usize); 4] =
    [(2, 1, 1, 3), (2, 2, 3, 3), (3, 2, 2, 1), (2, 64, 65, 3)];

#[test]
fn infinity_and_nan_at_the_border_reach_what_the_definition_says() {
    for (groups, inputs, outputs, kernel) in GROUPED {
        for stride in [1, 2] {
            let case = Case {
                batch: 2,
                channels: groups * inputs,
                outputs: groups * outputs,
                groups,
                size: [5, 6],
                geometry: Geometry::same(kernel).with_stride(stride),
            };
            for special in [f32::NAN, f32::INFINITY] {
                for index in 0..3 {
                    check_special(&case, special, index);
                }
            }
        }
    }
}

/// Compares with the definition where the first value, a corner, of one of input, weight and gradient is special.
fn check_special(case: &Case, special: f32, index: usize) {
    let mut tensors = [
        integers(elements(case.input()), 1),
        integers(elements(case.weight()), 2),
        integers(elements(case.output()), 3),
    ];
    // No zeros, whose product with infinity is a NaN that adds nothing to this test.
    for value in tensors.iter_mut().flatten() {
        *value += 6.0;
    }
    tensors[index][0] = special;
    let [input, weight, gradient] = tensors;
    let bias = integers(case.outputs, 4);
    let expected = by_definition(case, &input, &weight, &bias, &gradient);
    let device = Device::flex().autodiff();
    let tensors = [
        tensor(input, case.input(), &device),
        tensor(weight, case.weight(), &device),
        tensor(gradient, case.output(), &device),
    ];
    let bias = tensor(bias, [case.outputs], &device);
    let found = by_tensors(tensors, bias, |x, w, b| {
        conv2d(x, w, Some(b), &case.geometry, case.groups)
    });
    let name = format!("{special} in tensor {index}, {case:?}");
    assert_eq!(text(&found.output), text(&expected.output), "{name}");
    let (found_input, expected_input) = (found.input_gradient, expected.input_gradient);
    assert_eq!(text(&found_input), text(&expected_input), "{name}");
    let (found, expected) = (found.weight_gradient, expected.weight_gradient);
    assert_eq!(text(&found), text(&expected), "{name}");
}

#[test]
fn results_are_the_same_on_any_number_of_threads() {
    let with_threads = |threads: usize, case: &Case| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let device = Device::flex().autodiff();
            let make = |shape, seed| tensor(fractions(elements(shape), seed), shape, &device);
            let tensors = [
                make(case.input(), 1),
                make(case.weight(), 2),
                make(case.output(), 3),
            ];
            by_tensors(
                tensors,
                Tensor::zeros([case.outputs], &device),
                |x, w, b| conv2d(x, w, Some(b), &case.geometry, case.groups),
            )
        })
    };
    for layer in LAYERS.iter().filter(|layer| layer.case.size[0] < 75) {
        for batch in [1, 3] {
            let case = Case {
                batch,
                ..layer.case
            };
            let expected = with_threads(1, &case);
            for threads in [2, 3, 8] {
                let found = with_threads(threads, &case);
                assert!(found == expected, "{} on {threads} threads", layer.name);
            }
        }
    }
}

#[test]
fn other_element_types_take_burns_operation() {
    let case = Case {
        batch: 1,
        channels: 4,
        outputs: 4,
        groups: 4,
        size: [5, 5],
        geometry: Geometry::same(3),
    };
    let device = Device::flex().autodiff();
    let make = |shape, seed| {
        let values = integers(elements(shape), seed);
        tensor(values, shape, &device).cast(DType::F64)
    };
    let tensors = [
        make(case.input(), 1),
        make(case.weight(), 2),
        make(case.output(), 3),
    ];
    let bias = Tensor::<1>::zeros([4], &device).cast(DType::F64);
    let mut dtype = None;
    let found = by_tensors(tensors, bias, |x, w, b| {
        let output = conv2d(x, w, Some(b), &case.geometry, case.groups);
        dtype = Some(output.dtype());
        output
    });
    assert_eq!(dtype, Some(DType::F64));
    let expected = by_definition(
        &case,
        &integers(elements(case.input()), 1),
        &integers(elements(case.weight()), 2),
        &[0.0; 4],
        &integers(elements(case.output()), 3),
    );
    assert_eq!(found, expected);
}

#[test]
fn a_view_of_a_tensor_is_read_in_its_own_order() {
    for device in devices() {
        let numbers = integers(2 * 3 * 5 * 4, 1);
        let input = tensor(numbers, [2, 5, 4, 3], &device).permute([0, 3, 1, 2]);
        let copy = tensor(values(input.clone()), [2, 3, 5, 4], &device);
        let weight = tensor(integers(27, 2), [3, 1, 3, 3], &device);
        let convolve = |input| values(conv2d(input, weight.clone(), None, &Geometry::same(3), 3));
        assert_eq!(convolve(input), convolve(copy));
    }
}
