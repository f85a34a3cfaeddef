//! Resampling with filters that widen with the scale, bit for bit as Pillow does it.
//!
//! Reimplemented rather than taken from `fast_image_resize` 6.1, because that rounds the filter's
//! weights to 16 bits and goes over the rows first: its bicubic pixels are up to 2 of 255 from
//! Pillow's, and up to 14 where the filter overshoots.

use image::RgbImage;
use rayon::prelude::*;

use super::filter::Kernel;
use super::geometry::ResizedCrop;

/// Values of a pixel.
const CHANNELS: usize = 3;
/// Bits after the binary point of a weight, as in Pillow: 8 bits for the pixel and 2 for what a
/// filter overshoots stay free in 32.
const FRACTION_BITS: u32 = 32 - 8 - 2;
/// One half, added before the fraction is cut off.
const HALF: i32 = 1 << (FRACTION_BITS - 1);

/// The weights of one axis: which pixels each output pixel is the weighted sum of.
struct Weights {
    /// The first pixel and the number of pixels, for each output pixel.
    bounds: Vec<(usize, usize)>,
    /// The weights of all output pixels, one after another.
    values: Vec<i32>,
}

impl Weights {
    /// Computes the weights for the window `crop` of an axis of `side` pixels.
    fn new(side: usize, crop: ResizedCrop, axis: usize, kernel: Kernel) -> Self {
        let scale = side as f64 / crop.resized[axis] as f64;
        let stretch = scale.max(1.0);
        let support = kernel.radius * stretch;
        let mut weights = Self {
            bounds: Vec::with_capacity(crop.size[axis]),
            values: Vec::new(),
        };
        let mut terms = Vec::new();
        for index in crop.offset[axis]..crop.offset[axis] + crop.size[axis] {
            let center = (index as f64 + 0.5) * scale;
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

    /// Returns the first pixel and the weights of each output pixel.
    fn iter(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let mut start = 0;
        self.bounds.iter().map(move |&(first, count)| {
            let weights = &self.values[start..start + count];
            start += count;
            (first, weights)
        })
    }

    /// Returns the pixels that have a weight.
    fn touched(&self) -> std::ops::Range<usize> {
        let first = self.bounds.first().map_or(0, |bound| bound.0);
        let end = self.bounds.last().map_or(0, |bound| bound.0 + bound.1);
        first..end
    }
}

/// Rows of RGB pixels.
struct Rows {
    /// Pixels of a row.
    width: usize,
    pixels: Vec<u8>,
}

/// Resizes the window `crop` of `image` with a filter that widens with the scale.
pub(super) fn antialiased(image: &RgbImage, crop: ResizedCrop, kernel: Kernel) -> RgbImage {
    let from = [image.height() as usize, image.width() as usize];
    let [vertical, horizontal] = [0, 1].map(|axis| Weights::new(from[axis], crop, axis, kernel));
    let (rows, columns) = (vertical.touched(), horizontal.touched());
    let source = image.as_raw();
    let resized = if rows_first(from, crop.resized) {
        let between = resize_rows(source, from[1], columns.clone(), &vertical, 0);
        resize_columns(&between.pixels, between.width, &horizontal, columns.start)
    } else {
        let touched = &source[rows.start * from[1] * CHANNELS..rows.end * from[1] * CHANNELS];
        let between = resize_columns(touched, from[1], &horizontal, 0);
        let all = 0..between.width;
        resize_rows(&between.pixels, between.width, all, &vertical, rows.start)
    };
    let [height, width] = crop.size.map(|side| side as u32);
    RgbImage::from_raw(width, height, resized.pixels).unwrap_or_default()
}

/// Returns whether the number of rows is changed before the number of columns.
///
/// The order shows, because pixels are rounded to 8 bits in between: where a bicubic filter
/// overshoots, it decides what is cut off at 0 and 255. This is the rule of Pillow 13.0; in older
/// versions columns always come first.
fn rows_first(from: [usize; 2], to: [usize; 2]) -> bool {
    let [fewer_rows, fewer_columns] = [0, 1].map(|axis| from[axis] as i128 - to[axis] as i128);
    fewer_rows > 0 && fewer_rows > 2 * fewer_columns
}

/// Changes the width of rows of `width` pixels, the first of which is the pixel `start` of its axis.
fn resize_columns(source: &[u8], width: usize, weights: &Weights, start: usize) -> Rows {
    let size = weights.bounds.len();
    let height = source.len() / (width * CHANNELS);
    let mut pixels = vec![0; height * size * CHANNELS];
    pixels
        .par_chunks_exact_mut(size * CHANNELS)
        .zip(source.par_chunks_exact(width * CHANNELS))
        .for_each(|(resized, row)| {
            let resized = resized.chunks_exact_mut(CHANNELS);
            for (resized, (first, weights)) in resized.zip(weights.iter()) {
                let row = row[(first - start) * CHANNELS..].chunks_exact(CHANNELS);
                let [mut red, mut green, mut blue] = [HALF; CHANNELS];
                for (pixel, weight) in row.zip(weights) {
                    red += i32::from(pixel[0]) * weight;
                    green += i32::from(pixel[1]) * weight;
                    blue += i32::from(pixel[2]) * weight;
                }
                resized.copy_from_slice(&[red, green, blue].map(to_pixel));
            }
        });
    Rows {
        width: size,
        pixels,
    }
}

/// Changes the number of rows of `width` pixels, the first of which is the row `start` of its axis,
/// and keeps the columns `kept`.
fn resize_rows(
    source: &[u8],
    width: usize,
    kept: std::ops::Range<usize>,
    weights: &Weights,
    start: usize,
) -> Rows {
    let row_len = kept.len() * CHANNELS;
    let mut pixels = vec![0; weights.bounds.len() * row_len];
    let targets: Vec<_> = pixels
        .chunks_exact_mut(row_len)
        .zip(weights.iter())
        .collect();
    targets
        .into_par_iter()
        .for_each(|(resized, (first, weights))| {
            let rows = source[(first - start) * width * CHANNELS..].chunks_exact(width * CHANNELS);
            let mut sums = vec![HALF; row_len];
            for (row, weight) in rows.zip(weights) {
                let row = &row[kept.start * CHANNELS..kept.end * CHANNELS];
                for (sum, &value) in sums.iter_mut().zip(row) {
                    *sum += i32::from(value) * weight;
                }
            }
            for (resized, sum) in resized.iter_mut().zip(sums) {
                *resized = to_pixel(sum);
            }
        });
    Rows {
        width: kept.len(),
        pixels,
    }
}

/// Converts a sum of weighted pixels to a pixel.
fn to_pixel(sum: i32) -> u8 {
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
    fn tall_images_lose_rows_first() {
        assert!(rows_first([48, 31], [20, 23])); // 28 > 2 * 8
        assert!(!rows_first([31, 48], [20, 23]));
        assert!(!rows_first([64, 64], [20, 23]));
        assert!(!rows_first([10, 10], [20, 40])); // more rows
        assert!(rows_first([30, 10], [20, 40]));
    }

    #[test]
    fn halving_averages() {
        // Bilinear weights at half the size: 1, 3, 3, 1 of 8, cut off at the border.
        let image = RgbImage::from_fn(4, 1, |x, _| image::Rgb([[0, 80, 160, 240][x as usize]; 3]));
        let crop = ResizedCrop {
            resized: [1, 2],
            offset: [0, 0],
            size: [1, 2],
        };
        let resized = antialiased(&image, crop, BILINEAR);
        // (3 * 0 + 3 * 80 + 160) / 7 = 57.1, and its mirror image.
        assert_eq!(resized.as_raw(), &[57, 57, 57, 183, 183, 183]);
    }
}
