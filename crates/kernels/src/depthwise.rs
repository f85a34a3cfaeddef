//! Depthwise convolution: every channel with its own spatial filter.

use burn::prelude::*;

use crate::{Geometry, conv2d};

/// Convolves each input channel with its own filters.
///
/// The number of output channels is a multiple `m` of the number of input channels, the *channel
/// multiplier*; output channels `c * m` to `c * m + m - 1` come from input channel `c`.
///
/// # Shapes
///
/// - `input`: `[batch, channels, height, width]`
/// - `weight`: `[channels * m, 1, kernel_height, kernel_width]`
/// - `bias`: `[channels * m]`
/// - output: `[batch, channels * m, height_out, width_out]`, see [`Geometry::output_size`]
///
/// # Panics
///
/// If the shapes don't fit, as Burn's own convolution does.
pub fn depthwise_conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    geometry: &Geometry,
) -> Tensor<4> {
    let [_, channels, _, _] = input.dims();
    conv2d(input, weight, bias, geometry, channels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Padding2d;

    /// Convolves by the definition, in loops over plain numbers.
    fn reference(input: &Tensor<4>, weight: &Tensor<4>, geometry: &Geometry) -> Vec<f32> {
        let [batch, channels, height, width] = input.dims();
        let [outputs, _, kernel_height, kernel_width] = weight.dims();
        let multiplier = outputs / channels;
        let x = input.to_data().try_to_vec::<f32>().unwrap();
        let w = weight.to_data().try_to_vec::<f32>().unwrap();
        let [rows, columns] = geometry.output_size([height, width]).unwrap();
        let mut y = Vec::new();
        for n in 0..batch {
            for o in 0..outputs {
                for row in 0..rows {
                    for column in 0..columns {
                        let mut sum = 0.0;
                        for i in 0..kernel_height {
                            for j in 0..kernel_width {
                                let r = (row * geometry.stride[0] + i * geometry.dilation[0])
                                    .checked_sub(geometry.padding.top);
                                let c = (column * geometry.stride[1] + j * geometry.dilation[1])
                                    .checked_sub(geometry.padding.left);
                                if let (Some(r), Some(c)) = (r, c)
                                    && r < height
                                    && c < width
                                {
                                    let channel = n * channels + o / multiplier;
                                    sum += x[(channel * height + r) * width + c]
                                        * w[(o * kernel_height + i) * kernel_width + j];
                                }
                            }
                        }
                        y.push(sum);
                    }
                }
            }
        }
        y
    }

    /// Returns small integers, so that any order of summation gives the same float.
    fn integers(shape: [usize; 4], device: &Device) -> Tensor<4> {
        let length = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..length).map(|i| ((i * 37) % 11) as f32 - 5.0).collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    #[test]
    #[allow(deprecated)] // Burn deprecates NdArray; this project still supports it
    fn equals_the_definition_exactly_on_small_integers() {
        let asymmetric = Padding2d {
            top: 0,
            bottom: 2,
            left: 1,
            right: 0,
        };
        let geometries = [
            Geometry::valid(1),
            Geometry::valid(3),
            Geometry::same(3),
            Geometry::same(5).with_stride(2),
            Geometry::same(3).with_dilation(2),
            Geometry::valid(3).with_stride(3).with_padding(asymmetric),
        ];
        for device in [Device::flex(), Device::ndarray()] {
            for geometry in &geometries {
                for (channels, multiplier, size) in [(1, 1, 7), (5, 1, 9), (3, 2, 8)] {
                    let input = integers([2, channels, size, size + 1], &device);
                    let [kernel_height, kernel_width] = geometry.kernel;
                    let shape = [channels * multiplier, 1, kernel_height, kernel_width];
                    let weight = integers(shape, &device);
                    let expected = reference(&input, &weight, geometry);
                    let output = depthwise_conv2d(input, weight, None, geometry);
                    let found = output.to_data().try_to_vec::<f32>().unwrap();
                    assert_eq!(found, expected, "{geometry:?}, {channels} channels");
                }
            }
        }
    }

    #[test]
    fn adds_the_bias_to_its_channel() {
        let device = Device::flex();
        let bias = Tensor::from_floats([1.0, -2.0], &device);
        let weight = Tensor::zeros([2, 1, 3, 3], &device);
        let input = Tensor::ones([1, 2, 2, 2], &device);
        let output = depthwise_conv2d(input, weight, Some(bias), &Geometry::same(3));
        let found = output.to_data().try_to_vec::<f32>().unwrap();
        assert_eq!(found, [1.0, 1.0, 1.0, 1.0, -2.0, -2.0, -2.0, -2.0]);
    }
}
