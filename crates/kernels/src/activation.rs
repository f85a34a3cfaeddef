//! Activations.

use burn::backend::Dispatch;
use burn::prelude::*;
use burn::tensor::activation;

use crate::ops::{ReluBackend, runs_natively};

/// Rectified linear unit: `max(0, x)` of each element, and NaN for NaN.
///
/// # Shapes
///
/// - `input` and output: `[batch, channels, height, width]`
pub fn relu(input: Tensor<4>) -> Tensor<4> {
    if !runs_natively(&input) {
        return activation::relu(input);
    }
    Tensor::from_dispatch(<Dispatch as ReluBackend>::rectify(input.into_dispatch()))
}
