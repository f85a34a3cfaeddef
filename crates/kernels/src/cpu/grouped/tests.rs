//! Each instruction set against the definition, on small integers, so that sums are exact.

use super::super::product::instruction_set::instruction_sets;
use super::*;
use crate::Padding2d;

/// Returns small integers that repeat late.
fn integers(count: usize, seed: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7 + seed * 5 + i / 11) % 9) as f32 - 4.0;
    (0..count).map(value).collect()
}

/// The output and the gradients of input and weight.
type Results = [Vec<f32>; 3];

/// Computes the results by plain loops.
fn by_definition(sizes: &Grouped, [input, weight, gradient]: &Results, bias: &[f32]) -> Results {
    let [input_plane, output_plane] = [sizes.input_plane(), sizes.output_plane()];
    let mut output = Vec::new();
    for channel in 0..sizes.batch * sizes.groups * sizes.outputs {
        let bias = bias[channel % bias.len()];
        output.extend(std::iter::repeat_n(bias, output_plane));
    }
    let mut results = [output, vec![0.0; input.len()], vec![0.0; weight.len()]];
    for group in 0..sizes.batch * sizes.groups {
        for o in 0..sizes.outputs {
            for c in 0..sizes.inputs {
                let x = (group * sizes.inputs + c) * input_plane;
                let y = (group * sizes.outputs + o) * output_plane;
                let filter = group % sizes.groups * sizes.outputs + o;
                let filter = (filter * sizes.inputs + c) * sizes.taps();
                sizes.plain().each_product(|tap, output, pixel| {
                    results[0][y + output] += weight[filter + tap] * input[x + pixel];
                    results[1][x + pixel] += weight[filter + tap] * gradient[y + output];
                    results[2][filter + tap] += input[x + pixel] * gradient[y + output];
                });
            }
        }
    }
    results
}

fn check(sizes: &Grouped) {
    let channels = sizes.groups * sizes.outputs;
    let tensors = [
        integers(
            sizes.batch * sizes.groups * sizes.inputs * sizes.input_plane(),
            1,
        ),
        integers(channels * sizes.inputs * sizes.taps(), 2),
        integers(sizes.batch * channels * sizes.output_plane(), 3),
    ];
    let bias = integers(channels, 4);
    let expected = by_definition(sizes, &tensors, &bias);
    let [input, weight, gradient] = &tensors;
    for arch in instruction_sets() {
        let kernel = WeightGradient {
            sizes,
            input,
            gradient,
        };
        let found = [
            sizes.output(input, weight, Some(&bias)).run_with(arch),
            sizes.gradient(weight, gradient).run_with(arch),
            kernel.run_with(arch),
        ];
        assert!(found == expected, "{sizes:?} {arch:?}");
    }
}

#[test]
fn equals_the_definition_with_every_instruction_set() {
    let asymmetric = Geometry {
        kernel: [3, 2],
        stride: [1, 2],
        dilation: [2, 1],
        padding: Padding2d {
            top: 0,
            bottom: 1,
            left: 1,
            right: 2,
        },
    };
    let geometries = [
        Geometry::valid(1),
        Geometry::same(3),
        Geometry::same(5),
        Geometry::same(3).with_dilation(2),
        Geometry::same(3).with_stride(2),
        Geometry::valid(2).with_stride(3),
        asymmetric,
    ];
    // Blocks of each number of results, and one more source than pairs are taken at a time.
    let channels = (1..=7).map(|outputs| (2, 3, outputs));
    for (groups, inputs, outputs) in channels.chain([(1, 1, 13), (3, 9, 2), (2, 8, 8)]) {
        for geometry in geometries {
            for (batch, input) in [
                (1, [1, 1]),
                (2, [3, 2]),
                (1, [4, 5]),
                (3, [7, 6]),
                (2, [13, 9]),
            ] {
                let Some(output) = geometry.output_size(input) else {
                    continue;
                };
                check(&Grouped {
                    batch,
                    groups,
                    inputs,
                    outputs,
                    input,
                    output,
                    geometry,
                });
            }
        }
    }
}

/// The sizes of layers whose tasks share a group, and whose weight's gradient is summed in parts.
#[test]
fn few_large_groups_equal_the_definition_with_every_instruction_set() {
    for (batch, groups, inputs, outputs, size) in [(1, 2, 20, 33, 24), (9, 1, 5, 4, 40)] {
        for geometry in [Geometry::same(3), Geometry::same(3).with_stride(2)] {
            let input = [size, size];
            check(&Grouped {
                batch,
                groups,
                inputs,
                outputs,
                input,
                output: geometry.output_size(input).unwrap(),
                geometry,
            });
        }
    }
}
