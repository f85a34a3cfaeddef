//! The layout of tensors in memory.

use burn::tensor::{DType, Shape};
use burn_cubecl::kernel::into_contiguous_aligned;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::ops::{permute_nchw_to_nhwc, permute_nhwc_to_nchw};
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

/// Returns a tensor as `[batch, height, width, channels]` with adjacent channels and without gaps; copies it only where it lies
/// in memory in another order.
pub(super) fn channels_last(tensor: CubeTensor) -> CubeTensor {
    let tensor = permute_nchw_to_nhwc(tensor);
    match tensor.is_contiguous() {
        true => tensor,
        false => gapless(tensor),
    }
}

/// Returns a tensor in row-major order, without gaps.
pub(super) fn gapless(tensor: CubeTensor) -> CubeTensor {
    let tensor = into_contiguous_aligned(tensor);
    match tensor.is_contiguous() {
        true => tensor,
        // Rows may have been padded.
        false => burn_cubecl::kernel::into_contiguous(tensor),
    }
}

/// Returns an uninitialized tensor beside another, in row-major order.
pub(super) fn empty_beside<const D: usize>(
    tensor: &CubeTensor,
    shape: [usize; D],
    dtype: DType,
) -> CubeTensor {
    let (client, device) = (tensor.client.clone(), tensor.device.clone());
    empty_device_contiguous_dtype(client, device, Shape::from(shape), dtype)
}

/// Returns `[batch, height, width, channels]` as `[batch, channels, height, width]`, without a copy.
pub(super) fn channels_second(tensor: CubeTensor) -> CubeTensor {
    permute_nhwc_to_nchw(tensor)
}

/// Returns the largest number of adjacent channels that a unit can read at once: a power of two of at most 4 that divides the
/// number of channels.
pub(super) fn vector_size(tensor: &CubeTensor, channels: usize) -> VectorSize {
    let sizes = tensor.client.io_optimized_vector_sizes(tensor.elem_size());
    let sizes = sizes.filter(|&size| size <= 4 && channels.is_multiple_of(size));
    sizes.max().unwrap_or(1)
}
