//! Resampling with filters that widen with the scale, bit for bit as Pillow does it.
//!
//! Reimplemented rather than taken from `fast_image_resize` 6.1, because that rounds the filter's
//! weights to 16 bits and goes over the rows first: its bicubic pixels are up to 2 of 255 from
//! Pillow's, and up to 14 where the filter overshoots.

use std::ops::Range;

use image::RgbImage;
use pulp::Arch;
use rayon::prelude::*;

use super::filter::Kernel;
use super::geometry::ResizedCrop;
use super::weighted_sums::{LANES, SumsOfColumns, SumsOfRows};
use super::weights::Weights;

/// Values of an interleaved pixel.
const CHANNELS: usize = 3;

/// Resizes the window `crop` of `image` with a filter that widens with the scale. The threads of the pool that the calling thread
/// belongs to share the work; a thread beside them, such as one that prepares images for a training in the pool, does it alone.
pub(super) fn antialiased(image: &RgbImage, crop: ResizedCrop, kernel: Kernel) -> RgbImage {
    let from = [image.height() as usize, image.width() as usize];
    let [rows, columns] = [0, 1].map(|axis| Weights::new(from[axis], crop, axis, kernel));
    let resampling = Resampling::<CHANNELS> {
        from,
        rows,
        columns,
        rows_first: rows_first(from, crop.resized),
        parallel: rayon::current_thread_index().is_some(),
        arch: Arch::new(),
    };
    let [height, width] = crop.size.map(|side| side as u32);
    let mut resized = RgbImage::new(width, height);
    resampling.run(image.as_raw(), &mut resized);
    resized
}

/// Resizes a part of planes of one color each with a filter that widens with the scale, in the calling thread. Per axis, the
/// part is where it starts and how long it is, in pixels.
///
/// # Shapes
///
/// - `planes`: `[planes, height, width]`, with `from` = `[height, width]`
/// - `resized`: `[planes, height, width]`, with `size` = `[height, width]`
pub(super) fn antialiased_planes(
    planes: &[u8],
    from: [usize; 2],
    part: [(f64, f64); 2],
    kernel: Kernel,
    size: [usize; 2],
    resized: &mut [u8],
) {
    let [rows, columns] = [0, 1].map(|axis| {
        let (start, length) = part[axis];
        Weights::of_part(from[axis], start, length, size[axis], kernel)
    });
    let resampling = Resampling::<1> {
        from,
        rows,
        columns,
        rows_first: rows_first(part.map(|(_, length)| length.round() as usize), size),
        parallel: false,
        arch: Arch::new(),
    };
    let targets = resized.chunks_exact_mut(size[0] * size[1]);
    for (plane, target) in planes.chunks_exact(from[0] * from[1]).zip(targets) {
        resampling.run(plane, target);
    }
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

/// A change of the number of rows and columns of an image with `C` values a pixel.
struct Resampling<const C: usize> {
    /// Height and width, in pixels.
    from: [usize; 2],
    rows: Weights,
    columns: Weights,
    rows_first: bool,
    /// Whether several threads share the work.
    parallel: bool,
    arch: Arch,
}

impl<const C: usize> Resampling<C> {
    fn run(&self, source: &[u8], resized: &mut [u8]) {
        let [_, width] = self.from;
        let (rows, columns) = (self.rows.touched(), self.columns.touched());
        if self.rows_first {
            let mut between = vec![0; self.rows.len() * columns.len() * C];
            self.resize_rows(source, 0, width, columns.clone(), &mut between);
            self.resize_columns(&between, columns, resized);
        } else {
            let mut between = vec![0; rows.len() * self.columns.len() * C];
            let touched = &source[rows.start * width * C..rows.end * width * C];
            self.resize_columns(touched, 0..width, &mut between);
            let width = self.columns.len();
            self.resize_rows(&between, rows.start, width, 0..width, resized);
        }
    }

    /// Changes the width of rows that have the pixels `held` of their axis.
    fn resize_columns(&self, source: &[u8], held: Range<usize>, resized: &mut [u8]) {
        let [from, to] = [held.len(), self.columns.len()].map(|width| width * C);
        let group = |(resized, rows): (&mut [u8], &[u8])| {
            let mut lanes = vec![[0; LANES]; from + to];
            let (lanes, sums) = lanes.split_at_mut(from);
            self.arch.dispatch(SumsOfColumns::<C> {
                rows,
                start: held.start,
                weights: &self.columns,
                lanes,
                sums,
                resized,
            });
        };
        match self.parallel {
            true => {
                let groups = resized.par_chunks_mut(LANES * to);
                groups.zip(source.par_chunks(LANES * from)).for_each(group);
            }
            false => {
                let groups = resized.chunks_mut(LANES * to);
                groups.zip(source.chunks(LANES * from)).for_each(group);
            }
        }
    }

    /// Changes the number of rows of `width` pixels, the first of which is the row `start` of its axis,
    /// and keeps the columns `kept`.
    fn resize_rows(
        &self,
        source: &[u8],
        start: usize,
        width: usize,
        kept: Range<usize>,
        resized: &mut [u8],
    ) {
        let row = |(resized, (first, weights)): (&mut [u8], (usize, &[i32]))| {
            self.arch.dispatch(SumsOfRows {
                rows: &source[((first - start) * width + kept.start) * C..],
                pitch: width * C,
                weights,
                resized,
            });
        };
        let rows = resized
            .chunks_exact_mut(kept.len() * C)
            .zip(self.rows.iter());
        match self.parallel {
            true => rows.collect::<Vec<_>>().into_par_iter().for_each(row),
            false => rows.for_each(row),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::filter::BILINEAR;
    use super::*;

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
