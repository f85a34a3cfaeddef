//! Half precision on the processor: values are stored in 16 bits, and computed in 32.
//!
//! The kernels in memory are for `f32` alone. For `f16` and `bf16` the functions of this crate compute in `f32`, and round what
//! they return, as graphics cards do that multiply in half precision and sum in `f32`. Gradients are rounded where values are. This
//! is slower than `f32`: it is there so that a training in mixed precision can be tried, and tested, without a graphics card.

use burn::prelude::*;
use burn::tensor::{DType, FloatDType};

use crate::runs_natively;

/// Returns the element type of a tensor, if that is one of half precision and the tensor is in this program's memory.
pub(crate) fn half_in_memory<const D: usize>(tensor: &Tensor<D>) -> Option<FloatDType> {
    half(tensor).filter(|_| runs_natively(&tensor.device()))
}

/// Returns the element type of a tensor, if that is one of half precision.
pub(crate) fn half<const D: usize>(tensor: &Tensor<D>) -> Option<FloatDType> {
    match tensor.dtype() {
        DType::F16 => Some(FloatDType::F16),
        DType::BF16 => Some(FloatDType::BF16),
        _ => None,
    }
}

/// Converts a tensor to `f32`, without a copy if it is of `f32` already.
pub(crate) fn single<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    tensor.cast(FloatDType::F32)
}
