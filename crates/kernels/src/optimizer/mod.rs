//! Steps of optimizers, each as one pass over a parameter.
//!
//! On the devices for which [`runs_natively`](crate::runs_natively) holds, and for `f32`, a step is computed in place if there
//! are no other references to the tensors that it replaces. Elsewhere, and in autodiff mode, Burn's own operations compute it.
//! Both round after each operation, so that they give the same numbers.

mod adam_w;
mod moving_average;
mod rms_prop;
mod sgd;
mod square_sum;

pub use adam_w::{AdamWSettings, adam_w_step};
pub use moving_average::moving_average_step;
pub use rms_prop::{RmsPropSettings, rms_prop_step};
pub use sgd::{SgdSettings, sgd_step};
pub use square_sum::sum_of_squares;

use burn::prelude::*;

use crate::native::is_native;

/// Returns whether a step over these tensors is computed by this crate's kernels.
///
/// # Panics
///
/// If the tensors have different shapes.
fn steps_natively<const D: usize>(tensors: &[&Tensor<D>]) -> bool {
    for tensor in tensors {
        assert_eq!(
            tensors[0].dims(),
            tensor.dims(),
            "the tensors of an optimizer's step"
        );
    }
    tensors
        .iter()
        .all(|tensor| is_native(tensor) && !tensor.device().is_autodiff())
}

/// Adds a penalty of half the sum of squared parameters, times `decay`, to the gradients.
fn with_l2_penalty<const D: usize>(
    gradients: Tensor<D>,
    parameters: &Tensor<D>,
    decay: f64,
) -> Tensor<D> {
    match decay {
        0.0 => gradients,
        decay => gradients + parameters.clone().mul_scalar(decay),
    }
}

#[cfg(test)]
mod test_tensors {
    use burn::prelude::*;

    /// Returns a number from -0.5 to 0.5 for each element, different with each seed.
    pub(super) fn tensor(seed: usize) -> Tensor<2> {
        let values: Vec<f32> = (0..70_001)
            .map(|i| ((i * 7919 + seed * 31) % 1000) as f32 / 1000.0 - 0.5)
            .collect();
        Tensor::from_data(TensorData::new(values, [1, 70_001]), &Device::flex())
    }

    /// Asserts that two lists of tensors have the same bits.
    pub(super) fn assert_equal<const N: usize>(found: [&Tensor<2>; N], expected: [&Tensor<2>; N]) {
        for (found, expected) in found.into_iter().zip(expected) {
            found.to_data().assert_eq(&expected.to_data(), true);
        }
    }
}
