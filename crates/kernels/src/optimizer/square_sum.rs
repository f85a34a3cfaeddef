//! Sums of squares, of which norms are made.

use burn::backend::Dispatch;
use burn::prelude::*;

use super::steps_natively;
use crate::ops::OptimizerBackend;

/// Returns the sum of the squares of all elements, shape `[1]`.
///
/// On the devices for which [`runs_natively`](crate::runs_natively) holds, and for `f32`, the sum is taken in double precision
/// and in an order that depends on the number of elements alone, so that it is the same with any number of threads.
///
/// ```
/// use burn::prelude::*;
/// use xception_kernels::sum_of_squares;
///
/// let tensor = Tensor::<2>::from_floats([[3.0, 4.0]], &Device::flex());
/// assert_eq!(sum_of_squares(tensor).into_scalar::<f32>(), 25.0);
/// ```
pub fn sum_of_squares<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    if !steps_natively(&[&tensor]) {
        return (tensor.clone() * tensor).sum();
    }
    Tensor::from_dispatch(<Dispatch as OptimizerBackend>::sum_of_squares(
        tensor.into_dispatch(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_many_squares_is_exact_and_the_same_with_any_number_of_threads() {
        // As a plain sum in single precision, the ones would end at 2^24.
        let count = (1 << 24) + 70_001;
        let ones = Tensor::<1>::ones([count], &Device::flex());
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        for threads in [1, 3] {
            let sum = pool(threads)
                .unwrap()
                .install(|| sum_of_squares(ones.clone()));
            assert_eq!(sum.into_scalar::<f32>(), count as f32);
        }
        let values: Vec<f32> = (0..200_000).map(|i| (i % 1013) as f32 / 1013.0).collect();
        let expected: f64 = values.iter().map(|v| f64::from(*v).powi(2)).sum();
        let tensor = Tensor::<1>::from_floats(values.as_slice(), &Device::flex());
        let found = sum_of_squares(tensor).into_scalar::<f32>();
        assert!((f64::from(found) / expected - 1.0).abs() < 1e-7);
    }
}
