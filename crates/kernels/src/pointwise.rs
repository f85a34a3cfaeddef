//! Pointwise convolution: a 1x1 convolution that mixes channels.

use burn::prelude::*;

use crate::{Geometry, conv2d};

/// Mixes the channels of each pixel: a convolution with a 1x1 kernel.
///
/// # Shapes
///
/// - `input`: `[batch, channels_in, height, width]`
/// - `weight`: `[channels_out, channels_in, 1, 1]`
/// - `bias`: `[channels_out]`
/// - output: `[batch, channels_out, ceil(height / stride), ceil(width / stride)]`
///
/// # Panics
///
/// If the shapes don't fit, as Burn's own convolution does.
pub fn pointwise_conv2d(
    input: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: [usize; 2],
) -> Tensor<4> {
    let geometry = Geometry {
        stride,
        ..Geometry::valid(1)
    };
    conv2d(input, weight, bias, &geometry, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixes_the_channels_of_each_pixel() {
        let device = Device::flex();
        let input = Tensor::<1>::from_floats([1.0, 2.0, 3.0, 10.0, 20.0, 30.0], &device);
        let input = input.reshape([1, 2, 1, 3]);
        let weight = Tensor::<1>::from_floats([1.0, 1.0, 2.0, -1.0], &device).reshape([2, 2, 1, 1]);
        let output = pointwise_conv2d(input.clone(), weight.clone(), None, [1, 1]);
        let found = output.to_data().try_to_vec::<f32>().unwrap();
        assert_eq!(found, [11.0, 22.0, 33.0, -8.0, -16.0, -24.0]);

        let output = pointwise_conv2d(input, weight, None, [2, 2]);
        let found = output.to_data().try_to_vec::<f32>().unwrap();
        assert_eq!(found, [11.0, 33.0, -8.0, -24.0]);
    }
}
