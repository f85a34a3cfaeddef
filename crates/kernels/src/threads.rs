//! The threads that the kernels run on.

/// Runs `work`, such as a training loop, on a thread of rayon's pool, and returns its result.
///
/// The kernels, and Burn's backends for the processor, divide each operation among the threads of that pool.
/// A thread of the pool takes part at once. Any other thread hands each operation over to the pool and
/// sleeps until it is done, which takes longer than the operation itself if the tensors are small. So a
/// program calls this function once, around all that it computes. A call inside of `work` changes nothing.
///
/// With a pool of one thread `work` runs on the calling thread, so that the pool's thread is free for
/// operations from others. `RAYON_NUM_THREADS` sets the number of threads.
///
/// # Panics
///
/// If `work` does.
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
