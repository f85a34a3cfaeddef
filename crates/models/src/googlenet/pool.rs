//! The max pools that halve the resolution.

use xception_kernels::Padding2d;

use crate::layers::{FeatureMap, Kernels, max_pool};

/// Takes the maximum over a square window at stride 2. The output's size is rounded up: the last window may reach
/// beyond the map.
///
/// # Shapes
///
/// - `input`: `[batch, channels, height, width]`
/// - output: `[batch, channels, height_out, width_out]`
pub(super) fn halve(input: FeatureMap, kernel: usize, kernels: Kernels) -> FeatureMap {
    const STRIDE: usize = 2;
    let [_, _, height, width] = input.dims();
    let unpadded = Padding2d::symmetric(0);
    let padding = unpadded.rounded_up([height, width], [kernel; 2], [STRIDE; 2]);
    max_pool(input, kernel, STRIDE, padding, kernels)
}
