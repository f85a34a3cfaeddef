//! Depthwise separable convolution.

use burn::prelude::*;

use crate::{Geometry, depthwise_conv2d, pointwise_conv2d};

/// Convolves each channel by itself and then mixes the channels: a depthwise convolution followed by a
/// pointwise one, with nothing between them.
///
/// It is equal to the dense convolution whose kernel is `W[o, c, h, w] = pointwise[o, c] *
/// depthwise[c, h, w]`: for each input channel a matrix of rank one.
///
/// # Shapes
///
/// - `input`: `[batch, channels_in, height, width]`
/// - `depthwise`, with the channel multiplier `m`: `[channels_in * m, 1, kernel_height, kernel_width]`
/// - `pointwise`: `[channels_out, channels_in * m, 1, 1]`
/// - output: `[batch, channels_out, height_out, width_out]`, see [`Geometry::output_size`]
///
/// # Panics
///
/// If the shapes don't fit, as Burn's own convolution does.
pub fn separable_conv2d(
    input: Tensor<4>,
    depthwise: Tensor<4>,
    pointwise: Tensor<4>,
    geometry: &Geometry,
) -> Tensor<4> {
    let spatial = depthwise_conv2d(input, depthwise, None, geometry);
    pointwise_conv2d(spatial, pointwise, None, [1, 1])
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tolerance;
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Distribution, Tensor};

    use super::*;

    #[test]
    fn equals_the_dense_convolution_of_rank_one() {
        let device = Device::flex();
        device.seed(1);
        let random = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Default, &device);
        let (input, depthwise, pointwise) = (
            random([2, 3, 6, 5]),
            random([3, 1, 3, 3]),
            random([4, 3, 1, 1]),
        );
        // [3, 1, 3, 3] -> [1, 3, 3, 3], times [4, 3, 1, 1]
        let dense = pointwise.clone() * depthwise.clone().swap_dims(0, 1);
        let expected = conv2d(
            input.clone(),
            dense,
            None,
            ConvOptions::new([1, 1], [1, 1], [1, 1], 1),
        );
        let found = separable_conv2d(input, depthwise, pointwise, &Geometry::same(3));
        found
            .into_data()
            .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::default());
    }
}
