//! The threads that kernels run on.

/// Runs `work`, such as a training loop, on one of the threads of rayon's pool.
///
/// The kernels, and Burn's CPU backends, divide each operation among the pool. A thread of the pool takes part at once;
/// any other thread hands every single operation over and sleeps until it is done, which for small tensors takes
/// longer than the operation. With a pool of one thread `work` runs where it is called, so that operations from
/// other threads, which burn-train's metrics are, find a thread that is free.
///
/// ```
/// use burn::prelude::*;
///
/// let sum = xception_kernels::within_pool(|| Tensor::<1>::ones([3], &Device::flex()).sum().into_scalar::<f32>());
/// assert_eq!(sum, 3.0);
/// ```
pub fn within_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    match rayon::current_num_threads() {
        0 | 1 => work(),
        _ => rayon::scope(|_| work()),
    }
}
