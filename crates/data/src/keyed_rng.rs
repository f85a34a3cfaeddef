//! Random numbers that depend only on what they are for.
//!
//! A generator is made anew for each decision from (purpose, seed, epoch, index), which are the key of ChaCha8. No state
//! runs on from one decision to the next, so their order, the threads that make them and a restart don't matter.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What random numbers are for. Equal seeds give independent numbers for different purposes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// The order of the images of an epoch.
    Order = 1,
    /// The augmentation of an image.
    Augmentation = 2,
    /// The images that are held back for validation.
    Validation = 3,
    /// The parts of a mosaic.
    Mosaic = 4,
    /// The order of the samples of shards.
    Stream = 5,
    /// The place and size of a random resized crop.
    RandomResizedCrop = 16,
    /// The changes of an image's colors.
    ColorJitter = 17,
    /// The place that is cut out of an image.
    Cutout = 18,
    /// The share of an image in its mixture with another.
    Mixup = 19,
}

/// Returns the generator for one decision. The key is the little-endian numbers `purpose`, `seed`, `epoch` and
/// `index`.
pub(crate) fn keyed_rng(purpose: Purpose, seed: u64, epoch: u64, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, number) in key
        .chunks_exact_mut(8)
        .zip([purpose as u64, seed, epoch, index])
    {
        bytes.copy_from_slice(&number.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;

    #[test]
    fn every_part_of_the_key_counts() {
        let first = |purpose, seed, epoch, index| keyed_rng(purpose, seed, epoch, index).next_u64();
        let base = first(Purpose::Order, 1, 2, 3);
        assert_eq!(base, first(Purpose::Order, 1, 2, 3));
        for other in [
            first(Purpose::Augmentation, 1, 2, 3),
            first(Purpose::Order, 2, 2, 3),
            first(Purpose::Order, 1, 1, 3),
            first(Purpose::Order, 1, 2, 4),
        ] {
            assert_ne!(base, other);
        }
    }
}
