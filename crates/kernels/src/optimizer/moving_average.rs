//! Exponential moving averages.

use burn::backend::Dispatch;
use burn::prelude::*;

use super::steps_natively;
use crate::ops::OptimizerBackend;

/// Moves averages towards new values by a share of the distance, and returns them: `average + (value - average) * share`.
///
/// # Shapes
///
/// Both tensors have one shape.
///
/// # Panics
///
/// If the shapes differ.
///
/// ```
/// use burn::prelude::*;
/// use xception_kernels::moving_average_step;
///
/// let tensor = |value: f32| Tensor::<1>::from_floats([value], &Device::flex());
/// let averages = moving_average_step(tensor(4.0), tensor(8.0), 0.25);
/// assert_eq!(averages.into_scalar::<f32>(), 5.0);
/// ```
pub fn moving_average_step<const D: usize>(
    averages: Tensor<D>,
    values: Tensor<D>,
    share: f64,
) -> Tensor<D> {
    if !steps_natively(&[&averages, &values]) {
        return by_operations(averages, values, share);
    }
    Tensor::from_dispatch(<Dispatch as OptimizerBackend>::moving_average_step(
        averages.into_dispatch(),
        values.into_dispatch(),
        share,
    ))
}

/// Takes the step by Burn's own operations, on every backend.
fn by_operations<const D: usize>(averages: Tensor<D>, values: Tensor<D>, share: f64) -> Tensor<D> {
    averages.clone() + (values - averages).mul_scalar(share)
}

#[cfg(test)]
mod tests {
    use super::super::test_tensors::{assert_equal, tensor};
    use super::*;

    #[test]
    fn one_pass_gives_what_the_operations_give_bit_for_bit() {
        let (mut found, mut expected) = (tensor(1), tensor(1));
        for seed in 2..5 {
            found = moving_average_step(found, tensor(seed), 0.1);
            expected = by_operations(expected, tensor(seed), 0.1);
        }
        assert_equal([&found], [&expected]);
    }
}
