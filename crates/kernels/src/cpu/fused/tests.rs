//! Each instruction set against the definition, on small integers, so that sums are exact.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::product::level::levels;
use super::pixels::Sizes;
use super::{Convolution, Depthwise, Input, Rectify, Weights};
use crate::{Activation, Geometry, Padding2d};

/// Small integers that repeat late.
fn integers(count: usize, seed: usize) -> Vec<f32> {
    let value = |i: usize| ((i * 7 + seed * 5 + i / 11) % 9) as f32 - 4.0;
    (0..count).map(value).collect()
}

/// The output by plain loops, with the channels last.
fn by_definition(
    [batch, channels, outputs]: [usize; 3],
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
                    for c in 0..channels {
                        let weight = weight[(o * channels + c) * kernel[0] * kernel[1] + tap];
                        sum += weight * at(n, c, y, x);
                    }
                }
                result.push(sum.max(0.0));
            }
        }
    }
    result
}

#[test]
fn equals_the_definition_with_every_instruction_set() {
    let asymmetric = Padding2d {
        top: 0,
        bottom: 1,
        left: 1,
        right: 2,
    };
    let geometries = [
        Geometry::valid(1),
        Geometry::valid(1).with_stride(2),
        Geometry::same(3),
        Geometry::same(3).with_stride(2),
        Geometry {
            kernel: [3, 2],
            stride: [1, 2],
            dilation: [2, 1],
            padding: asymmetric,
        },
    ];
    for [batch, channels, outputs] in [[1, 1, 1], [2, 3, 17], [1, 5, 33], [2, 19, 40], [3, 64, 7]] {
        for size in [[7, 9], [5, 5], [13, 6]] {
            for geometry in geometries {
                let Some([rows, columns]) = geometry.output_size(size) else {
                    continue;
                };
                let pixels = size[0] * size[1];
                let values = integers(batch * pixels * channels, 1);
                let taps = geometry.kernel[0] * geometry.kernel[1];
                let weight = integers(outputs * channels * taps, 2);
                let bias = integers(outputs, 3);
                let residual = integers(batch * rows * columns * outputs, 4);
                for arch in levels() {
                    let weights = Weights {
                        weight: &weight,
                        bias: &bias,
                    };
                    let convolution = Convolution::dense(arch, &weights, channels, geometry);
                    let first = convolution.channels_first();
                    let at = |n: usize, c: usize, y: usize, x: usize| {
                        let pixel = y * size[1] + x;
                        match first {
                            true => values[(n * channels + c) * pixels + pixel],
                            false => values[(n * pixels + pixel) * channels + c],
                        }
                    };
                    let sizes = [batch, channels, outputs];
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

#[test]
fn results_are_the_same_on_any_number_of_threads() {
    let (batch, channels, outputs, size) = (2, 40, 50, [19, 19]);
    // Not integers, so that another order of a sum would show.
    let fractions = |count, seed| -> Vec<f32> {
        integers(count, seed)
            .iter()
            .map(|value| value / 7.0)
            .collect()
    };
    let values = fractions(batch * size[0] * size[1] * channels, 1);
    let weight = fractions(outputs * channels * 9, 2);
    let bias = fractions(outputs, 3);
    let weights = Weights {
        weight: &weight,
        bias: &bias,
    };
    let arch = pulp::Arch::new();
    let convolution = Convolution::dense(arch, &weights, channels, Geometry::same(3));
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
    assert_eq!(one, three);
}

/// Padding of 0 to 3 rows and columns on each side.
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

/// Strips may start anywhere in a row, also where its windows see padding alone.
#[test]
fn depthwise_strips_equal_the_definition_with_any_padding() {
    let (channels, height) = (17, 2);
    let archs = levels();
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
                        // What stays far from being rectified.
                        let residual = vec![1000.0; rows * columns];
                        let sums =
                            by_definition([1; 3], size, &geometry, at, (filter, &[0.0]), &residual);
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
    let archs = levels();
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
                                Convolution::dense(arch, &weights, channels, geometry);
                            let pixels = size[0] * size[1];
                            let first = convolution.channels_first();
                            let at = |_, c: usize, y: usize, x: usize| match first {
                                true => values[c * pixels + y * size[1] + x],
                                false => values[(y * size[1] + x) * channels + c],
                            };
                            let expected = by_definition(
                                [1, channels, outputs],
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
