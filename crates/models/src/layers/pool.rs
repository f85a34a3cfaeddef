//! Max pools and average pools.

use burn::tensor::module::{adaptive_avg_pool2d, avg_pool2d};
use burn::tensor::ops::AvgPoolOptions;
use xception_kernels::{
    Geometry, Padding2d, max_pool_trailing_channels, mean_pool_trailing_channels,
};

use super::feature_map::Form;
use super::kernels::at_least_single;
use super::operation::OperationKind;
use super::{FeatureMap, Kernels};

/// Takes the maximum over a square window; padded pixels are never the maximum.
///
/// # Shapes
///
/// - `input`: `[batch, channels, height, width]`
/// - output: `[batch, channels, height_out, width_out]`
pub fn max_pool(
    input: FeatureMap,
    kernel: usize,
    stride: usize,
    padding: Padding2d,
    kernels: Kernels,
) -> FeatureMap {
    let geometry = Geometry::valid(kernel)
        .with_stride(stride)
        .with_padding(padding);
    MaxPool { geometry, kernels }.forward(input)
}

/// A max pool; padded pixels are never the maximum.
#[derive(Debug, Clone, Copy)]
pub(super) struct MaxPool {
    pub(super) geometry: Geometry,
    pub(super) kernels: Kernels,
}

impl MaxPool {
    /// Takes the maximum over each window.
    pub(super) fn forward(&self, input: FeatureMap) -> FeatureMap {
        let Self { geometry, kernels } = self;
        match input.form {
            Form::Composed(input) => FeatureMap::composed(kernels.max_pool2d(input, geometry)),
            Form::Traced(input) => {
                let kind = OperationKind::MaxPool {
                    kernel: geometry.kernel,
                    stride: geometry.stride,
                };
                input.then(kind, pooled(input.dims, geometry)).into()
            }
            form => {
                let input = FeatureMap::from(form).into_trailing();
                let native = *kernels == Kernels::Native;
                Form::Fused(max_pool_trailing_channels(input, geometry, native)).into()
            }
        }
    }
}

/// Takes the mean over a square window of odd size at stride 1, with padding that keeps the size.
///
/// `count_include_pad` says whether padded zeros count in the mean: they do in torchvision's Inception V3, and don't
/// in Keras.
///
/// # Shapes
///
/// - `input` and output: `[batch, channels, height, width]`
pub fn average_pool(
    input: FeatureMap,
    kernel: usize,
    count_include_pad: bool,
    kernels: Kernels,
) -> FeatureMap {
    match input.form {
        Form::Composed(input) => {
            let geometry = Geometry::same(kernel);
            FeatureMap::composed(kernels.average_pool2d(input, &geometry, count_include_pad))
        }
        Form::Traced(input) => {
            let kind = OperationKind::AveragePool {
                kernel: [kernel, kernel],
                stride: [1, 1],
            };
            input.then(kind, input.dims).into()
        }
        form => {
            let input = FeatureMap::from(form).into_trailing();
            let native = kernels == Kernels::Native;
            Form::Fused(mean_pool_trailing_channels(
                input,
                kernel,
                count_include_pad,
                native,
            ))
            .into()
        }
    }
}

/// Takes the mean over a square window at any stride, with padding of zeros on all four sides, which count in the mean.
///
/// # Shapes
///
/// - `input`: `[batch, channels, height, width]`
/// - output: `[batch, channels, height_out, width_out]`
pub fn strided_average_pool(
    input: FeatureMap,
    kernel: usize,
    stride: usize,
    padding: usize,
) -> FeatureMap {
    let geometry = Geometry::valid(kernel)
        .with_stride(stride)
        .with_padding(Padding2d::symmetric(padding));
    if let Form::Traced(input) = input.form {
        let kind = OperationKind::AveragePool {
            kernel: geometry.kernel,
            stride: geometry.stride,
        };
        return input.then(kind, pooled(input.dims, &geometry)).into();
    }
    let options = AvgPoolOptions::new(geometry.kernel)
        .with_stride(geometry.stride)
        .with_padding([padding, padding])
        .with_count_include_pad(true);
    input.map(|input| avg_pool2d(input, options))
}

/// Takes the mean over each cell of a grid of this height and width. Cells overlap where the map's size is no multiple of
/// the grid's, as in PyTorch's `AdaptiveAvgPool2d`.
///
/// # Shapes
///
/// - `input`: `[batch, channels, height, width]`
/// - output: `[batch, channels, grid height, grid width]`
pub fn adaptive_average_pool(input: FeatureMap, grid: [usize; 2]) -> FeatureMap {
    let [batch, channels, height, width] = input.dims();
    if [height, width] == grid {
        return input;
    }
    match input.form {
        Form::Traced(input) => {
            let output = [batch, channels, grid[0], grid[1]];
            input
                .then(OperationKind::AdaptiveAveragePool, output)
                .into()
        }
        form => FeatureMap::from(form).map(|input| adaptive_avg_pool2d(input, grid)),
    }
}

/// Takes the mean over all pixels of a map. That of a map of half precision is of `f32`.
///
/// # Shapes
///
/// - `input`: `[batch, channels, height, width]`
/// - output: `[batch, channels, 1, 1]`
pub fn global_average_pool(input: FeatureMap) -> FeatureMap {
    let [batch, channels, ..] = input.dims();
    match input.form {
        Form::Fused(input) => {
            let pixels = input.flatten::<3>(1, 2); // [batch, height * width, channels]
            Form::Fused(pixels.mean_dim(1).reshape([batch, 1, 1, channels])).into()
        }
        Form::Traced(input) => {
            let output = [batch, channels, 1, 1];
            input
                .then(OperationKind::AdaptiveAveragePool, output)
                .into()
        }
        form => FeatureMap::from(form).map(|input| {
            let pixels = at_least_single(input).flatten::<3>(2, 3); // [batch, channels, height * width]
            pixels.mean_dim(2).reshape([batch, channels, 1, 1])
        }),
    }
}

/// Returns the dimensions of a pool's output; a window that is larger than the map leaves nothing.
fn pooled([batch, channels, height, width]: [usize; 4], geometry: &Geometry) -> [usize; 4] {
    let [height, width] = geometry.output_size([height, width]).unwrap_or_default();
    [batch, channels, height, width]
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;

    use super::*;
    use crate::layers::Padding;

    #[test]
    fn the_padding_side_decides_what_a_strided_pool_sees() {
        let device = Device::flex();
        let input = Tensor::<1>::from_floats([-1.0, -2.0, -3.0, -4.0], &device);
        let input = input.reshape([1, 1, 1, 4]).repeat_dim(2, 4);
        let row = |padding: Padding| {
            let around = padding.around([4, 4], 3, 2);
            let input = FeatureMap::composed(input.clone());
            let output = max_pool(input, 3, 2, around, Kernels::Native).into_tensor();
            let output = output.slice([0..1, 0..1, 0..1, 0..2]);
            output.to_data().try_to_vec::<f32>().unwrap()
        };
        assert_eq!(row(Padding::Same), [-1.0, -3.0]);
        assert_eq!(row(Padding::Symmetric), [-1.0, -2.0]);
    }

    #[test]
    fn cells_of_a_grid_overlap_or_repeat_pixels() {
        // Cell I of N takes the pixels from the one below I / N of the size up to the one above (I + 1) / N, as in
        // PyTorch.
        let device = Device::flex();
        let row = Tensor::<1>::from_floats([1.0, 2.0, 4.0, 8.0, 16.0], &device);
        for (pixels, cells, expected) in [
            (5, 2, vec![7.0 / 3.0, 28.0 / 3.0]),
            (2, 3, vec![1.0, 1.5, 2.0]),
            (4, 4, vec![1.0, 2.0, 4.0, 8.0]),
        ] {
            let map = row.clone().narrow(0, 0, pixels).reshape([1, 1, 1, pixels]);
            let map = map.repeat_dim(1, 3).repeat_dim(2, 2);
            let trailing = map.clone().permute([0, 2, 3, 1]);
            for map in [
                FeatureMap::composed(map.clone()),
                FeatureMap::fused(map),
                Form::Fused(trailing).into(),
            ] {
                let output = adaptive_average_pool(map, [1, cells]);
                assert_eq!(output.dims(), [1, 3, 1, cells]);
                let found = output
                    .into_tensor()
                    .into_data()
                    .try_to_vec::<f32>()
                    .unwrap();
                for (found, expected) in found.chunks(cells).flatten().zip(expected.iter().cycle())
                {
                    assert!((found - expected).abs() < 1e-5, "{pixels} {cells}: {found}");
                }
            }
        }
    }

    #[test]
    fn the_average_counts_padded_zeros_or_not() {
        let device = Device::flex();
        for (counts_padding, corner) in [(true, 4.0 / 9.0), (false, 1.0)] {
            let input = FeatureMap::composed(Tensor::ones([1, 1, 3, 3], &device));
            let output = average_pool(input, 3, counts_padding, Kernels::Native);
            let found = output.into_tensor().to_data().try_to_vec::<f32>().unwrap();
            assert!((found[0] - corner).abs() < 1e-6 && (found[4] - 1.0).abs() < 1e-6);
        }
    }
}
