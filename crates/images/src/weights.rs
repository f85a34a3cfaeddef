//! The weights of pixels along one axis, for filters that widen with the scale.

use std::ops::Range;

use super::filter::Kernel;
use super::geometry::ResizedCrop;

/// Bits after the binary point of a weight, as in Pillow: 8 bits for the pixel and 2 for what a
/// filter overshoots stay free in 32.
const FRACTION_BITS: u32 = 32 - 8 - 2;
/// One half, added before the fraction is cut off.
pub(super) const HALF: i32 = 1 << (FRACTION_BITS - 1);

/// The weights of one axis: which pixels each output pixel is the weighted sum of.
#[derive(Debug)]
pub(super) struct Weights {
    /// The first pixel and the number of pixels, for each output pixel.
    bounds: Vec<(usize, usize)>,
    /// The weights of all output pixels, one after another.
    values: Vec<i32>,
}

impl Weights {
    /// Computes the weights for the window `crop` of an axis of `side` pixels.
    pub(super) fn new(side: usize, crop: ResizedCrop, axis: usize, kernel: Kernel) -> Self {
        let scale = side as f64 / crop.resized[axis] as f64;
        let first = crop.offset[axis];
        Self::along(side, 0.0, scale, first..first + crop.size[axis], kernel)
    }

    /// Computes the weights for a part of an axis of `side` pixels, from `start` on and `length` pixels long, that becomes
    /// `size` pixels. Pixels beside the part count where the filter reaches them.
    pub(super) fn of_part(
        side: usize,
        start: f64,
        length: f64,
        size: usize,
        kernel: Kernel,
    ) -> Self {
        Self::along(side, start, length / size as f64, 0..size, kernel)
    }

    fn along(side: usize, start: f64, scale: f64, indices: Range<usize>, kernel: Kernel) -> Self {
        let stretch = scale.max(1.0);
        let support = kernel.radius * stretch;
        let mut weights = Self {
            bounds: Vec::with_capacity(indices.len()),
            values: Vec::new(),
        };
        let mut terms = Vec::new();
        for index in indices {
            let center = start + (index as f64 + 0.5) * scale;
            let first = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5) as usize).min(side);
            terms.clear();
            terms.extend((first..end).map(|position| {
                (kernel.weight)((position as f64 - center + 0.5).abs() * (1.0 / stretch))
            }));
            let sum: f64 = terms.iter().sum();
            weights.bounds.push((first, terms.len()));
            weights.values.extend(terms.iter().map(|term| {
                let weight = if sum == 0.0 { *term } else { term / sum };
                (weight * f64::from(1 << FRACTION_BITS)).round() as i32
            }));
        }
        weights
    }

    /// Returns the number of output pixels.
    pub(super) fn len(&self) -> usize {
        self.bounds.len()
    }

    /// Returns the first pixel and the weights of each output pixel.
    #[inline(always)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let mut start = 0;
        self.bounds.iter().map(move |&(first, count)| {
            let weights = &self.values[start..start + count];
            start += count;
            (first, weights)
        })
    }

    /// Returns the pixels that have a weight.
    pub(super) fn touched(&self) -> Range<usize> {
        let first = self.bounds.first().map_or(0, |bound| bound.0);
        let end = self.bounds.last().map_or(0, |bound| bound.0 + bound.1);
        first..end
    }
}

/// Converts a sum of weighted pixels, with [`HALF`], to a pixel.
#[inline(always)]
pub(super) fn to_pixel(sum: i32) -> u8 {
    (sum >> FRACTION_BITS).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::super::filter::{BICUBIC, BILINEAR};
    use super::*;

    #[test]
    fn weights_sum_to_one() {
        for kernel in [BILINEAR, BICUBIC] {
            for (from, to) in [(1, 7), (2, 5), (100, 3), (4000, 299), (299, 4000), (9, 9)] {
                let crop = ResizedCrop {
                    resized: [to, to],
                    offset: [0, 0],
                    size: [to, to],
                };
                let weights = Weights::new(from, crop, 0, kernel);
                assert_eq!(weights.touched(), 0..from);
                for (first, weights) in weights.iter() {
                    let sum: i32 = weights.iter().sum();
                    assert!((sum - (1 << FRACTION_BITS)).unsigned_abs() <= weights.len() as u32);
                    assert!(first + weights.len() <= from);
                    let weight = |w: &i32| i64::from(*w).abs() * 255;
                    assert!(weights.iter().map(weight).sum::<i64>() < i64::from(i32::MAX - HALF));
                }
            }
        }
    }

    #[test]
    fn a_part_that_is_a_window_has_its_weights() {
        // Twelve of 30 pixels become eight, as 30 become 20.
        let window = ResizedCrop {
            resized: [20, 20],
            offset: [4, 4],
            size: [8, 8],
        };
        let expected = Weights::new(30, window, 1, BILINEAR);
        let found = Weights::of_part(30, 6.0, 12.0, 8, BILINEAR);
        assert_eq!(found.bounds, expected.bounds);
        assert_eq!(found.values, expected.values);
    }
}
