//! Squares of an image that a network doesn't see.

use rand::Rng;

use super::ImageKey;
use crate::dataset::CHANNELS;
use crate::keyed_rng::{Purpose, keyed_rng};

/// Sets a square of `side` pixels around a random pixel to 0, the mean, in a normalized image `[3, height, width]`; what sticks
/// out of the image is cut off (DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017,
/// section 3, and the authors' program).
pub(super) fn cut_out(side: usize, [height, width]: [usize; 2], key: ImageKey, image: &mut [f32]) {
    let mut rng = keyed_rng(Purpose::Cutout, key.seed, key.epoch, key.index.into());
    let [rows, columns] = [height, width].map(|length| {
        let center = rng.random_range(0..length as u64) as usize;
        let start = center.saturating_sub(side / 2);
        start..(center + side.div_ceil(2)).min(length)
    });
    for plane in image.chunks_exact_mut(height * width).take(CHANNELS) {
        for row in plane
            .chunks_exact_mut(width)
            .skip(rows.start)
            .take(rows.len())
        {
            row[columns.clone()].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_is_cut_out_around_any_pixel_alike() {
        let (size, side) = ([9, 12], 4);
        let mut covered = vec![0; 9 * 12];
        for index in 0..6_000 {
            let key = ImageKey {
                seed: 5,
                epoch: 0,
                index,
            };
            let mut image = vec![1.0; 3 * 9 * 12];
            cut_out(side, size, key, &mut image);
            let (red, rest) = image.split_at(9 * 12);
            assert!(red == &rest[..9 * 12] && red == &rest[9 * 12..]);
            let zeros = red.iter().filter(|value| **value == 0.0).count();
            assert!((4..=16).contains(&zeros), "{zeros}");
            for (covered, value) in covered.iter_mut().zip(red) {
                *covered += usize::from(*value == 0.0);
            }
        }
        // A pixel amid the image is within 16 of 108 squares, the first within 2 x 2: those around it, and before it.
        let share = |row: usize, column: usize| covered[row * 12 + column] as f64 / 6_000.0;
        assert!((share(4, 6) - 16.0 / 108.0).abs() < 0.02, "{}", share(4, 6));
        assert!((share(0, 0) - 9.0 / 108.0).abs() < 0.02, "{}", share(0, 0));
    }
}
