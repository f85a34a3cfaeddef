//! Pools.

use burn::prelude::*;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use xception_kernels::{Geometry, Padding2d};

use super::Kernels;
use crate::trace;

/// Maximum over a square window; what is padded never wins.
///
/// # Shapes
///
/// - `input`: `[batch, channels, height, width]`
/// - output: `[batch, channels, height_out, width_out]`
pub fn max_pool(
    input: Tensor<4>,
    kernel: usize,
    stride: usize,
    padding: Padding2d,
    kernels: Kernels,
) -> Tensor<4> {
    let geometry = Geometry::valid(kernel)
        .with_stride(stride)
        .with_padding(padding);
    trace::elementwise(window_output(&input, &geometry), || {
        kernels.max_pool2d(input, &geometry)
    })
}

/// Mean over a square window at stride 1 of an input padded with half the kernel. Zeros from the
/// padding count or not: they do in torchvision's Inception V3, and don't in Keras.
///
/// # Shapes
///
/// - `input` and output: `[batch, channels, height, width]`
pub fn average_pool(input: Tensor<4>, kernel: usize, counts_padding: bool) -> Tensor<4> {
    let padding = kernel / 2;
    let geometry = Geometry::same(kernel);
    let options = AvgPoolOptions::new([kernel, kernel])
        .with_stride([1, 1])
        .with_padding([padding, padding])
        .with_count_include_pad(counts_padding);
    trace::elementwise(window_output(&input, &geometry), || {
        avg_pool2d(input, options)
    })
}

/// Shape of the output of a window without channels of its own.
pub(crate) fn window_output(input: &Tensor<4>, geometry: &Geometry) -> [usize; 4] {
    let [batch, channels, height, width] = input.dims();
    // An image too small for the window is refused before.
    let [height, width] = geometry.output_size([height, width]).unwrap_or_default();
    [batch, channels, height, width]
}

/// Mean over all pixels.
///
/// # Shapes
///
/// - `input`: `[batch, channels, height, width]`
/// - output: `[batch, channels]`
pub fn global_average_pool(input: Tensor<4>) -> Tensor<2> {
    let [batch, channels, _, _] = input.dims();
    trace::elementwise([batch, channels], || {
        let pixels = input.flatten::<3>(2, 3); // [batch, channels, height * width]
        pixels.mean_dim(2).squeeze_dim::<2>(2) // [batch, channels]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Padding;

    #[test]
    fn the_padding_side_decides_what_a_strided_pool_sees() {
        let device = Device::flex();
        let input = Tensor::<1>::from_floats([-1.0, -2.0, -3.0, -4.0], &device);
        let input = input.reshape([1, 1, 1, 4]).repeat_dim(2, 4);
        let row = |padding: Padding| {
            let around = padding.around([4, 4], 3, 2);
            let output = max_pool(input.clone(), 3, 2, around, Kernels::Native).slice([
                0..1,
                0..1,
                0..1,
                0..2,
            ]);
            output.to_data().try_to_vec::<f32>().unwrap()
        };
        assert_eq!(row(Padding::Same), [-1.0, -3.0]);
        assert_eq!(row(Padding::Symmetric), [-1.0, -2.0]);
    }

    #[test]
    fn the_average_counts_padded_zeros_or_not() {
        let device = Device::flex();
        for (counts_padding, corner) in [(true, 4.0 / 9.0), (false, 1.0)] {
            let output = average_pool(Tensor::ones([1, 1, 3, 3], &device), 3, counts_padding);
            let found = output.to_data().try_to_vec::<f32>().unwrap();
            assert!((found[0] - corner).abs() < 1e-6 && (found[4] - 1.0).abs() < 1e-6);
        }
    }
}
