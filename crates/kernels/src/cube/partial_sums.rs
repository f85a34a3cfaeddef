//! Sums of the values of many pixels, computed in segments.

use burn::backend::cubecl::dtype_to_storage_type;
use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;
use cubecl::calculate_cube_count_elemwise;
use cubecl::prelude::*;

use super::layout::empty_beside;

/// Returns the number of segments that rows are divided into, so that there are enough units for a large device, with at least
/// one row each.
pub(super) fn segments(rows: usize, units_of_a_segment: usize) -> usize {
    /// About as many as an H100 holds at a time, 132 processors of 2,048 threads, at a quarter of the occupancy.
    const UNITS: usize = 1 << 16;
    const MOST: usize = 256;
    let wanted = UNITS.div_ceil(units_of_a_segment.max(1));
    wanted.clamp(1, MOST).min(rows)
}

/// Adds up the sums of all segments, `[segments, taps, channels]`, and returns them as `[channels, taps]` in the given shape.
pub(super) fn add_up<const D: usize>(
    partial: CubeTensor,
    shape: [usize; D],
    dtype: DType,
) -> CubeTensor {
    let result = empty_beside(&partial, shape, dtype);
    let client = partial.client.clone();
    let units = shape.iter().product();
    let dim = CubeDim::new(&client, units);
    add_up_kernel::launch(
        &client,
        calculate_cube_count_elemwise(&client, units, dim),
        dim,
        partial.into_tensor_arg(),
        result.clone().into_tensor_arg(),
        dtype_to_storage_type(dtype),
    );
    result
}

/// Each unit adds up one sum.
#[cube(launch)]
fn add_up_kernel<E: Float>(
    partial: &Tensor<f32>,
    result: &mut Tensor<E>,
    #[define(E)] _dtype: ElemType,
) {
    let (segments, taps, channels) = (partial.shape(0), partial.shape(1), partial.shape(2));
    if ABSOLUTE_POS >= taps * channels {
        terminate!();
    }
    let mut sum = 0.0f32;
    for segment in 0..segments {
        sum += partial[segment * taps * channels + ABSOLUTE_POS];
    }
    let (tap, channel) = (ABSOLUTE_POS / channels, ABSOLUTE_POS % channels);
    result[channel * taps + tap] = E::cast_from(sum);
}
