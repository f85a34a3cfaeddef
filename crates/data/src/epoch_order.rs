//! The order in which an epoch goes through the images.

use rand::Rng;

use crate::keyed_rng::{Purpose, keyed_rng};

/// The order in which an epoch goes through the images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// A random order, another one each epoch: see [`epoch_order()`].
    Shuffled,
    /// The order of the data set.
    Sequential,
}

/// Returns the order of `len` images in an epoch: a permutation of `0..len` that depends on the seed and the epoch
/// alone, by the method of Fisher and Yates.
#[must_use]
pub fn epoch_order(seed: u64, epoch: u64, len: u32) -> Vec<u32> {
    let mut rng = keyed_rng(Purpose::Order, seed, epoch, 0);
    let mut order: Vec<u32> = (0..len).collect();
    for last in (1..len).rev() {
        order.swap(last as usize, rng.random_range(0..=last) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_fixed() {
        // A change of this breaks the reproducibility of recorded runs.
        assert_eq!(epoch_order(1, 0, 8), [5, 7, 6, 0, 4, 3, 1, 2]);
        assert_eq!(epoch_order(1, 0, 0), [0; 0]);
        assert_eq!(epoch_order(1, 0, 1), [0]);
    }

    #[test]
    fn orders_are_permutations_that_differ() {
        let orders = [(1, 0), (1, 1), (2, 0)].map(|(seed, epoch)| epoch_order(seed, epoch, 1_000));
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..1_000));
        }
        assert!(orders[0] != orders[1] && orders[0] != orders[2]);
    }

    #[test]
    fn every_image_is_equally_likely_to_come_first() {
        let mut firsts = [0; 5];
        for epoch in 0..5_000 {
            firsts[epoch_order(3, epoch, 5)[0] as usize] += 1;
        }
        assert!(
            firsts.iter().all(|count| (880..1_120).contains(count)),
            "{firsts:?}"
        );
    }
}
