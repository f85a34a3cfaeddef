//! The passes by chunks against the kernels of each operation.

use super::*;

/// Numbers from -1 to 1 without a pattern.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(next).collect()
}

fn close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected
        .iter()
        .fold(1f32, |most, value| most.max(value.abs()));
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let equal = (found - expected).abs() <= 2e-5 * largest
            || found.is_nan() && expected.is_nan()
            || found == expected;
        assert!(equal, "{what} {index}: {found} {expected}");
    }
}

/// The values of a separable convolution's operands.
struct Values {
    input: Vec<f32>,
    norm: [Vec<f32>; 4],
    depthwise: Vec<f32>,
    pointwise: Vec<f32>,
}

impl Values {
    fn new(sizes: &Separable) -> Self {
        let input = numbers(sizes.batch * sizes.inputs * sizes.pixels(), 1);
        let moments = statistics::Moments::of_channels(
            pulp::Arch::new(),
            &input,
            sizes.inputs,
            sizes.pixels(),
        );
        let (mean, variance) = statistics::merged(&[moments], sizes.inputs);
        let gamma = numbers(sizes.inputs, 2).iter().map(|x| x + 0.5).collect();
        Self {
            input,
            norm: [gamma, numbers(sizes.inputs, 3), mean, variance],
            depthwise: numbers(sizes.inputs * sizes.taps(), 4),
            pointwise: numbers(sizes.inputs * sizes.outputs, 5),
        }
    }

    fn operands(&self, normalized: bool) -> Operands<'_> {
        let [gamma, beta, mean, variance] = &self.norm;
        Operands {
            input: &self.input,
            norm: normalized.then_some(InputNorm {
                gamma,
                beta,
                mean,
                variance,
                epsilon: 1e-3,
            }),
            depthwise: &self.depthwise,
            pointwise: &self.pointwise,
        }
    }
}

fn compare(sizes: &Separable, operands: &Operands) {
    let (found, expected) = (sizes.forward(operands), sizes.forward_composed(operands));
    close(&found.inner, &expected.inner, "inner");
    close(&found.output, &expected.output, "output");
    close(&found.mean, &expected.mean, "mean");
    close(&found.variance, &expected.variance, "variance");
    let gradient = numbers(expected.output.len(), 6);
    let found = sizes.backward(operands, &expected.inner, &gradient);
    let expected = sizes.backward_composed(operands, &expected.inner, &gradient);
    close(&found.input, &expected.input, "gradient of the input");
    close(
        &found.depthwise,
        &expected.depthwise,
        "gradient of the depthwise weight",
    );
    close(
        &found.pointwise,
        &expected.pointwise,
        "gradient of the pointwise weight",
    );
    assert_eq!(found.norm.is_some(), operands.norm.is_some());
    for (found, expected) in found
        .norm
        .iter()
        .flatten()
        .zip(expected.norm.iter().flatten())
    {
        close(found, expected, "gradient of the normalization");
    }
}

fn sizes() -> Vec<Separable> {
    let mut all = Vec::new();
    let plain = Geometry::same(3);
    let dilated = Geometry {
        dilation: [2, 1],
        padding: crate::Padding2d {
            top: 2,
            bottom: 2,
            left: 1,
            right: 1,
        },
        ..plain
    };
    let uneven = Geometry {
        kernel: [2, 4],
        padding: crate::Padding2d {
            top: 1,
            bottom: 0,
            left: 0,
            right: 3,
        },
        ..plain
    };
    for geometry in [plain, Geometry::same(5), Geometry::same(1), dilated, uneven] {
        for (batch, inputs, outputs, size) in [
            (1, 1, 1, [1, 1]),
            (3, 5, 7, [1, 2]),
            (37, 3, 4, [2, 2]),
            (35, 9, 17, [4, 4]),
            (5, 8, 6, [7, 5]),
            (18, 33, 18, [8, 8]),
            (2, 3, 4, [32, 32]),
            (3, 2, 33, [31, 33]),
        ] {
            all.push(Separable {
                batch,
                inputs,
                outputs,
                size,
                geometry,
                input_relu: false,
                activation: Activation::None,
            });
        }
    }
    all
}

#[test]
fn the_chunks_give_what_each_operation_gives() {
    let activations = [
        Activation::None,
        Activation::Relu,
        Activation::Elu,
        Activation::Relu6,
    ];
    for (index, sizes) in sizes().into_iter().enumerate() {
        assert!(Separable::serves(&sizes.geometry, sizes.size));
        for normalized in [false, true] {
            for input_relu in [false, true] {
                let sizes = Separable {
                    input_relu,
                    activation: activations[index % activations.len()],
                    ..sizes.clone()
                };
                compare(&sizes, &Values::new(&sizes).operands(normalized));
            }
        }
    }
}

#[test]
fn padding_adds_nothing_to_what_is_not_finite() {
    let sizes = Separable {
        batch: 3,
        inputs: 3,
        outputs: 2,
        size: [4, 4],
        geometry: Geometry::same(3),
        input_relu: false,
        activation: Activation::None,
    };
    for broken in [f32::INFINITY, f32::NAN] {
        let mut values = Values::new(&sizes);
        values.depthwise[9] = broken;
        let operands = values.operands(false);
        compare(&sizes, &operands);
        // The tap above the first row: there it meets the padding alone.
        let inner = sizes.forward(&operands).inner;
        assert!(inner[16..20].iter().all(|value| value.is_finite()));
        let mut values = Values::new(&sizes);
        values.input[5] = broken;
        compare(&sizes, &values.operands(false));
    }
}

#[test]
fn results_are_the_same_on_any_number_of_threads() {
    let sizes = Separable {
        batch: 40,
        inputs: 12,
        outputs: 20,
        size: [8, 8],
        geometry: Geometry::same(3),
        input_relu: true,
        activation: Activation::Elu,
    };
    let values = Values::new(&sizes);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let operands = values.operands(true);
            let result = sizes.forward(&operands);
            let gradients = sizes.backward(&operands, &result.inner, &result.output);
            let norm = gradients.norm.unwrap();
            (
                [result.output, result.mean, result.variance],
                [gradients.input, gradients.depthwise, gradients.pointwise],
                norm,
            )
        })
    };
    let expected = run(1);
    for threads in [2, 5] {
        assert!(run(threads) == expected, "{threads} threads");
    }
}

#[test]
fn what_the_kernel_does_not_serve_is_said() {
    let small = [4, 4];
    assert!(Separable::serves(&Geometry::same(3), small));
    assert!(!Separable::serves(&Geometry::same(3), [33, 32]));
    assert!(!Separable::serves(&Geometry::valid(3), small));
    assert!(!Separable::serves(&Geometry::same(3).with_stride(2), small));
}
