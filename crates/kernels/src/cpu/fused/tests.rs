//! Each instruction set against the definition, on small integers, so that sums are exact.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::product::instruction_set::instruction_sets;
use super::pixels::Sizes;
use super::{Convolution, Depthwise, Input, Rectify, Weights};
use crate::{Activation, Geometry, Padding2d};

/// Returns small integers that repeat late.
fn integers(count: usize, seed: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7 + seed * 5 + i / 11) % 9) as f32 - 4.0;
    (0..count).map(value).collect()
}

/// Computes the output by plain loops, with trailing channels.
fn by_definition(
    [batch, channels, outputs, groups]: [usize; 4],
    size: [usize; 2],
    geometry: &Geometry,
    at: impl Fn(usize, usize, usize, usize) -> f32,
    (weight, bias): (&[f32], &[f32]),
    residual: &[f32],
) -> Vec<f32> {
    let [rows, columns] = geometry.output_size(size).unwrap();
    let Geometry {
        kernel,
        stride,
        dilation,
        padding,
    } = *geometry;
    let inputs = channels / groups;
    let mut result = Vec::new();
    for n in 0..batch {
        for pixel in 0..rows * columns {
            for o in 0..outputs {
                let mut sum = bias[o] + residual[result.len()];
                for tap in 0..kernel[0] * kernel[1] {
                    let y = (pixel / columns) * stride[0] + tap / kernel[1] * dilation[0];
                    let x = (pixel % columns) * stride[1] + tap % kernel[1] * dilation[1];
                    let (Some(y), Some(x)) =
                        (y.checked_sub(padding.top), x.checked_sub(padding.left))
                    else {
                        continue;
                    };
                    if y >= size[0] || x >= size[1] {
                        continue;
                    }
                    for c in 0..inputs {
                        let weight = weight[(o * inputs + c) * kernel[0] * kernel[1] + tap];
                        sum += weight * at(n, o / (outputs / groups) * inputs + c, y, x);
                    }
                }
                result.push(sum.max(0.0));
            }
        }
    }
    result
}

/// Returns windows of all kinds, one of which is different in both directions and on all sides.
fn geometries() -> [Geometry; 6] {
    let asymmetric = Padding2d {
        top: 0,
        bottom: 1,
        left: 1,
        right: 2,
    };
    [
        Geometry::valid(1),
        Geometry::valid(1).with_stride(2),
        Geometry::same(3),
        Geometry::same(3).with_stride(2),
        Geometry::same(3).with_dilation(2),
        Geometry {
            kernel: [3, 2],
            stride: [1, 2],
            dilation: [2, 1],
            padding: asymmetric,
        },
    ]
}

#[test]
fn equals_the_definition_with_every_instruction_set() {
    for [batch, channels, outputs] in [[1, 1, 1], [2, 3, 17], [1, 5, 33], [2, 19, 40], [3, 64, 7]] {
        for size in [[7, 9], [5, 5], [13, 6]] {
            for geometry in geometries() {
                let Some([rows, columns]) = geometry.output_size(size) else {
                    continue;
                };
                let pixels = size[0] * size[1];
                let values = integers(batch * pixels * channels, 1);
                let taps = geometry.kernel[0] * geometry.kernel[1];
                let weight = integers(outputs * channels * taps, 2);
                let bias = integers(outputs, 3);
                let residual = integers(batch * rows * columns * outputs, 4);
                for arch in instruction_sets() {
                    let weights = Weights {
                        weight: &weight,
                        bias: &bias,
                    };
                    let convolution = Convolution::new(arch, &weights, channels, 1, geometry);
                    let leading = convolution.takes_leading_channels();
                    let at = |n: usize, c: usize, y: usize, x: usize| {
                        let pixel = y * size[1] + x;
                        match leading {
                            true => values[(n * channels + c) * pixels + pixel],
                            false => values[(n * pixels + pixel) * channels + c],
                        }
                    };
                    let sizes = [batch, channels, outputs, 1];
                    let expected =
                        by_definition(sizes, size, &geometry, at, (&weight, &bias), &residual);
                    let input = Input {
                        values: &values,
                        batch,
                        size,
                    };
                    let found =
                        convolution.forward(input, [rows, columns], Some(&residual), Rectify::Relu);
                    assert_eq!(found, expected, "{sizes:?} {size:?} {geometry:?}");
                }
            }
        }
    }
}

/// Input channels, outputs and groups: groups of each width that a vector holds several of, with a last vector that is not
/// full; widths that are no divisor of a vector's; groups of one vector, two, and a panel and a part of one; groups that
/// are wider on one side; channel multipliers; and depthwise convolutions, also of fewer channels than a vector has lanes.
const GROUPS: [[usize; 3]; 18] = [
    [4, 4, 2],
    [12, 12, 6],
    [20, 20, 5],
    [24, 24, 3],
    [27, 27, 9],
    [48, 48, 3],
    [15, 35, 5],
    [6, 30, 2],
    [10, 34, 2],
    [36, 36, 2],
    [80, 80, 2],
    [12, 4, 2],
    [18, 2, 2],
    [4, 8, 4],
    [5, 15, 5],
    [7, 7, 7],
    [26, 26, 26],
    [33, 33, 33],
];

/// Checks a convolution in groups with each instruction set, with and without what follows the sums.
fn check_groups([channels, outputs, groups]: [usize; 3], size: [usize; 2], geometry: &Geometry) {
    let Some([rows, columns]) = geometry.output_size(size) else {
        return;
    };
    let (batch, pixels) = (2, size[0] * size[1]);
    let taps = geometry.kernel[0] * geometry.kernel[1];
    let values = integers(batch * pixels * channels, 1);
    let weight = integers(outputs * channels / groups * taps, 2);
    let bias = integers(outputs, 3);
    let length = batch * rows * columns * outputs;
    let at = |n: usize, c: usize, y: usize, x: usize| {
        values[(n * pixels + y * size[1] + x) * channels + c]
    };
    let expected = |residual: &[f32]| {
        let sizes = [batch, channels, outputs, groups];
        by_definition(sizes, size, geometry, at, (&weight, &bias), residual)
    };
    let residual = integers(length, 4);
    let rectified = expected(&residual);
    // The definition rectifies: a residual keeps all sums positive.
    let plain: Vec<f32> = expected(&vec![65_536.0; length])
        .iter()
        .map(|sum| sum - 65_536.0)
        .collect();
    let limited: Vec<f32> = plain.iter().map(|sum| sum.clamp(0.0, 6.0)).collect();
    for arch in instruction_sets() {
        let weights = Weights {
            weight: &weight,
            bias: &bias,
        };
        let convolution = Convolution::new(arch, &weights, channels, groups, *geometry);
        assert!(!convolution.takes_leading_channels());
        let input = Input {
            values: &values,
            batch,
            size,
        };
        let run =
            |residual, rectify| convolution.forward(input, [rows, columns], residual, rectify);
        let name = format!("{channels} to {outputs} in {groups}, {size:?} {geometry:?} {arch:?}");
        assert!(run(Some(&residual), Rectify::Relu) == rectified, "{name}");
        assert!(run(None, Rectify::No) == plain, "{name}, no epilogue");
        assert!(run(None, Rectify::Relu6) == limited, "{name}, ReLU6");
    }
}

#[test]
fn groups_equal_the_definition_with_every_instruction_set() {
    for sizes in GROUPS {
        for size in [[1, 1], [5, 5], [4, 13], [2, 31]] {
            for geometry in geometries() {
                check_groups(sizes, size, &geometry);
            }
        }
    }
}

#[test]
fn groups_equal_the_definition_with_any_padding() {
    for sizes in [[12, 12, 6], [9, 9, 3], [18, 18, 2], [36, 36, 2], [9, 9, 9]] {
        for stride in [1, 3] {
            for padding in paddings() {
                let geometry = Geometry::valid(3).with_stride(stride).with_padding(padding);
                check_groups(sizes, [2, 5], &geometry);
            }
        }
    }
}

/// Strips of rows and parts of the groups: the tasks of large layers.
#[test]
fn large_layers_in_groups_equal_the_definition_with_every_instruction_set() {
    check_groups([128, 128, 32], [29, 40], &Geometry::same(3));
    check_groups([48, 48, 6], [61, 40], &Geometry::same(3).with_stride(2));
    check_groups([32, 32, 2], [60, 70], &Geometry::same(3));
    check_groups([64, 64, 64], [50, 50], &Geometry::same(5));
}

#[test]
fn results_are_the_same_on_any_number_of_threads() {
    let (batch, size) = (2, [19, 19]);
    // Not integers, so that another order of a sum would show.
    let fractions = |count, seed| -> Vec<f32> {
        integers(count, seed)
            .iter()
            .map(|value| value / 7.0)
            .collect()
    };
    for [channels, outputs, groups] in [[40, 50, 1], [40, 80, 2], [64, 64, 16], [80, 80, 80]] {
        let values = fractions(batch * size[0] * size[1] * channels, 1);
        let weight = fractions(outputs * channels / groups * 9, 2);
        let bias = fractions(outputs, 3);
        let weights = Weights {
            weight: &weight,
            bias: &bias,
        };
        let (arch, geometry) = (pulp::Arch::new(), Geometry::same(3));
        let convolution = Convolution::new(arch, &weights, channels, groups, geometry);
        let input = Input {
            values: &values,
            batch,
            size,
        };
        let [one, three] = [1, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build()
                .unwrap()
                .install(|| convolution.forward(input, size, None, Rectify::No))
        });
        assert_eq!(one, three, "{groups} groups");
    }
}

/// Returns padding of 0 to 3 rows and columns on each side.
fn paddings() -> impl Iterator<Item = Padding2d> {
    (0..256).map(|index| Padding2d {
        top: index & 3,
        bottom: (index >> 2) & 3,
        left: (index >> 4) & 3,
        right: index >> 6,
    })
}

/// Some pixels of a depthwise convolution's output.
struct Strip<'a> {
    depthwise: &'a Depthwise,
    sizes: Sizes,
    input: &'a [f32],
    pixels: Range<usize>,
    to: &'a mut [f32],
}

impl WithSimd for Strip<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            sizes,
            input,
            pixels,
            to,
            ..
        } = self;
        self.depthwise.strip(simd, sizes, input, &pixels, to);
    }
}

/// Strips may start anywhere in a row, also where its windows read padding alone.
#[test]
fn depthwise_strips_equal_the_definition_with_any_padding() {
    let (channels, height) = (17, 2);
    let archs = instruction_sets();
    for width in 1..=9 {
        let size = [height, width];
        let values = integers(height * width * channels, 1);
        for kernel in [3, 5] {
            let filters = integers(channels * kernel * kernel, 2);
            // The definition is of a dense convolution: one for each channel.
            for stride in [1, 2] {
                for padding in paddings() {
                    let geometry = Geometry::valid(kernel)
                        .with_stride(stride)
                        .with_padding(padding);
                    let Some([rows, columns]) = geometry.output_size(size) else {
                        continue;
                    };
                    let mut expected = vec![0.0; rows * columns * channels];
                    for channel in 0..channels {
                        let at =
                            |_, _, y: usize, x: usize| values[(y * width + x) * channels + channel];
                        let filter = &filters[channel * kernel * kernel..][..kernel * kernel];
                        // A residual that keeps all sums positive, so that none is rectified.
                        let residual = vec![1000.0; rows * columns];
                        let sums =
                            by_definition([1; 4], size, &geometry, at, (filter, &[0.0]), &residual);
                        for (pixel, sum) in sums.iter().enumerate() {
                            expected[pixel * channels + channel] = sum - 1000.0;
                        }
                    }
                    let depthwise =
                        Depthwise::new(&filters, geometry, channels, false, None, Activation::None);
                    let sizes = Sizes {
                        batch: 1,
                        input: size,
                        output: [rows, columns],
                    };
                    let all = std::iter::once(0..rows * columns);
                    let parts = (0..rows * columns).map(|at| at..(at + 2).min(rows * columns));
                    for pixels in all.chain(parts) {
                        let expected = &expected[pixels.start * channels..pixels.end * channels];
                        for arch in &archs {
                            let mut found = vec![f32::NAN; expected.len()];
                            arch.dispatch(Strip {
                                depthwise: &depthwise,
                                sizes,
                                input: &values,
                                pixels: pixels.clone(),
                                to: &mut found,
                            });
                            assert_eq!(found, expected, "{size:?} {geometry:?} {pixels:?}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn dense_convolutions_equal_the_definition_with_any_padding() {
    let outputs = 2;
    let archs = instruction_sets();
    // Few channels are read a row of the window at a time, many a tap at a time.
    for (channels, kernels) in [(2, &[[3, 3], [2, 1], [5, 5]][..]), (17, &[[3, 3]])] {
        for size in [[1, 1], [2, 3], [3, 9]] {
            let values = integers(size[0] * size[1] * channels, 1);
            for &kernel in kernels {
                let taps = kernel[0] * kernel[1];
                let weight = integers(outputs * channels * taps, 2);
                let bias = integers(outputs, 3);
                for stride in 1..=4 {
                    for padding in paddings() {
                        let geometry = Geometry {
                            kernel,
                            ..Geometry::valid(1).with_stride(stride).with_padding(padding)
                        };
                        let Some([rows, columns]) = geometry.output_size(size) else {
                            continue;
                        };
                        let residual = integers(rows * columns * outputs, 4);
                        for &arch in &archs {
                            let weights = Weights {
                                weight: &weight,
                                bias: &bias,
                            };
                            let convolution =
                                Convolution::new(arch, &weights, channels, 1, geometry);
                            let pixels = size[0] * size[1];
                            let leading = convolution.takes_leading_channels();
                            let at = |_, c: usize, y: usize, x: usize| match leading {
                                true => values[c * pixels + y * size[1] + x],
                                false => values[(y * size[1] + x) * channels + c],
                            };
                            let expected = by_definition(
                                [1, channels, outputs, 1],
                                size,
                                &geometry,
                                at,
                                (&weight, &bias),
                                &residual,
                            );
                            let input = Input {
                                values: &values,
                                batch: 1,
                                size,
                            };
                            let found = convolution.forward(
                                input,
                                [rows, columns],
                                Some(&residual),
                                Rectify::Relu,
                            );
                            assert_eq!(found, expected, "{channels} {size:?} {geometry:?}");
                        }
                    }
                }
            }
        }
    }
}
