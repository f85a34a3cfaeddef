//! The division of tasks among threads.

use rayon::iter::MinLen;
use rayon::prelude::*;

/// Tasks that are divided among the threads of rayon's pool.
pub(super) trait Divided: IndexedParallelIterator {
    /// Runs all tasks in turn on the calling thread where the pool has a single one: to hand them over would take two
    /// changes of threads for each operation, and bring nothing.
    fn divided(self) -> MinLen<Self> {
        let at_least = match rayon::current_num_threads() {
            1 => usize::MAX,
            _ => 1,
        };
        self.with_min_len(at_least)
    }
}

impl<I: IndexedParallelIterator> Divided for I {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_thread_of_the_pool_gets_nothing_handed_over() {
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        for threads in [1, 3] {
            let tasks: Vec<usize> = pool(threads).unwrap().install(|| {
                (0..100)
                    .into_par_iter()
                    .with_max_len(1)
                    .divided()
                    .map(|task| 2 * task)
                    .collect()
            });
            assert!(tasks.into_iter().eq((0..200).step_by(2)));
        }
    }
}
