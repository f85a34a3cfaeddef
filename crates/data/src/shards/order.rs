//! The order in which an epoch goes through the samples of shards.

use rand::Rng;

use crate::keyed_rng::{Purpose, keyed_rng};

/// Returns the order of the samples of shards with so many samples each, a permutation of all: the shards in a random order, one
/// after the other, and from this stream a buffer of `buffer` samples, of which always a random one comes next and is replaced by
/// the stream's next.
///
/// So a sample never comes more than `buffer` places before its place in the stream, and few shards are read at a time. The
/// order is a function of the arguments alone: it is the same whoever reads which part of it.
pub(crate) fn streamed_order(seed: u64, epoch: u64, shards: &[u32], buffer: usize) -> Vec<u32> {
    let mut rng = keyed_rng(Purpose::Stream, seed, epoch, 0);
    let mut start = 0;
    let mut ranges: Vec<_> = shards
        .iter()
        .map(|len| {
            start += len;
            start - len..start
        })
        .collect();
    for last in (1..ranges.len()).rev() {
        ranges.swap(last, rng.random_range(0..=last as u64) as usize);
    }
    let mut stream = ranges.into_iter().flatten();
    let mut held: Vec<u32> = stream.by_ref().take(buffer.max(1)).collect();
    let mut order = Vec::with_capacity(start as usize);
    for next in stream {
        let place = rng.random_range(0..held.len() as u64) as usize;
        order.push(std::mem::replace(&mut held[place], next));
    }
    for last in (1..held.len()).rev() {
        held.swap(last, rng.random_range(0..=last as u64) as usize);
    }
    order.extend(held);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARDS: [u32; 6] = [100, 50, 100, 0, 100, 150];

    #[test]
    fn order_is_fixed() {
        // A change of this breaks the reproducibility of recorded runs.
        assert_eq!(
            streamed_order(1, 0, &[4, 4, 2], 3),
            [2, 0, 1, 4, 3, 7, 5, 9, 6, 8]
        );
        assert_eq!(streamed_order(1, 0, &[], 3), [0; 0]);
    }

    #[test]
    fn orders_are_permutations_that_differ() {
        let orders = [(1, 0, 64), (1, 1, 64), (2, 0, 64), (1, 0, 1), (1, 0, 9_999)]
            .map(|(seed, epoch, buffer)| streamed_order(seed, epoch, &SHARDS, buffer));
        for (index, order) in orders.iter().enumerate() {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..500));
            assert!(orders[..index].iter().all(|other| other != order));
        }
    }

    #[test]
    fn without_a_buffer_shards_stay_whole_and_with_one_few_are_read_at_a_time() {
        let shard = |sample: &u32| match sample {
            ..100 => 0,
            100..150 => 1,
            150..250 => 2,
            250..350 => 4,
            _ => 5,
        };
        let whole = streamed_order(3, 1, &SHARDS, 1);
        assert_eq!(whole.chunk_by(|a, b| shard(a) == shard(b)).count(), 5);

        let buffer = 40;
        let mixed = streamed_order(3, 1, &SHARDS, buffer);
        let place = |sample: u32| whole.iter().position(|other| *other == sample).unwrap();
        for (at, &sample) in mixed.iter().enumerate() {
            assert!(place(sample) <= at + buffer);
        }
        assert_ne!(mixed, whole);
    }
}
