//! Resampling that looks at the same few pixels at any scale: 1, 2 x 2 or 4 x 4 of them.

use image::RgbImage;

use super::filter::Kernel;
use super::geometry::ResizedCrop;

/// The pixels along one axis that an output pixel is made of, and their weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Taps {
    /// The first pixel's index.
    pub first: usize,
    /// The number of pixels, at most 4.
    pub count: usize,
    /// Their weights, which sum to 1.
    pub weights: [f32; 4],
}

/// Resizes the window `crop` of `image` with `kernel`, taking the image's pixels as points.
///
/// Without a kernel this is Pillow's nearest neighbour. With one it is `tf.image.resize`
/// with `antialias=False`, rounded to 8 bits, which that leaves to the caller.
pub(super) fn sample(image: &RgbImage, crop: ResizedCrop, kernel: Option<Kernel>) -> RgbImage {
    let from = [image.height() as usize, image.width() as usize];
    let [rows, columns] = [0, 1].map(|axis| match kernel {
        None => nearest(from[axis], crop, axis),
        Some(kernel) => interpolating(from[axis], crop, axis, kernel),
    });
    let source = image.as_raw();
    let mut pixels = Vec::with_capacity(rows.len() * columns.len() * 3);
    for row in &rows {
        for column in &columns {
            let mut sum = [0.0f32; 3];
            for (y, row_weight) in (row.first..).zip(&row.weights[..row.count]) {
                for (x, column_weight) in (column.first..).zip(&column.weights[..column.count]) {
                    let start = (y * from[1] + x) * 3;
                    for (sum, &value) in sum.iter_mut().zip(&source[start..start + 3]) {
                        *sum += row_weight * column_weight * f32::from(value);
                    }
                }
            }
            pixels.extend(sum.map(|value| value.round().clamp(0.0, 255.0) as u8));
        }
    }
    let [height, width] = crop.size.map(|side| side as u32);
    RgbImage::from_raw(width, height, pixels).unwrap_or_default()
}

/// Returns the taps of Pillow's `ImagingScaleAffine`: the position is summed up from pixel to pixel, whose rounding
/// errors decide which pixel is taken if the position is a whole number.
fn nearest(side: usize, crop: ResizedCrop, axis: usize) -> Vec<Taps> {
    let step = side as f64 / crop.resized[axis] as f64;
    let mut position = step * 0.5;
    for _ in 0..crop.offset[axis] {
        position += step;
    }
    let mut taps = Vec::with_capacity(crop.size[axis]);
    for _ in 0..crop.size[axis] {
        taps.push(Taps {
            first: (position as usize).min(side - 1),
            count: 1,
            weights: [1.0, 0.0, 0.0, 0.0],
        });
        position += step;
    }
    taps
}

/// Returns the taps of a filter, with half-pixel centers; beyond the border the weights are
/// zero and the others make up for them, as in TensorFlow.
fn interpolating(side: usize, crop: ResizedCrop, axis: usize, kernel: Kernel) -> Vec<Taps> {
    let resized = crop.resized[axis] as f64;
    let offset = crop.offset[axis];
    let radius = kernel.radius as i64;
    (offset..offset + crop.size[axis])
        .map(|index| {
            let center = (index as f64 + 0.5) * side as f64 / resized - 0.5;
            let lowest = center.floor() as i64 - radius + 1;
            let first = lowest.clamp(0, side as i64 - 1) as usize;
            let end = (lowest + 2 * radius).clamp(first as i64 + 1, side as i64) as usize;
            let mut taps = Taps {
                first,
                count: end - first,
                weights: [0.0; 4],
            };
            let weights: [f64; 4] = std::array::from_fn(|tap| {
                let position = first + tap;
                if position < end {
                    (kernel.weight)((position as f64 - center).abs())
                } else {
                    0.0
                }
            });
            let sum: f64 = weights.iter().sum();
            taps.weights = weights.map(|weight| (weight / sum) as f32);
            taps
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::filter::{BICUBIC, BILINEAR};
    use super::*;

    fn axis(from: usize, to: usize) -> (usize, ResizedCrop) {
        let crop = ResizedCrop {
            resized: [to, to],
            offset: [0, 0],
            size: [to, to],
        };
        (from, crop)
    }

    #[test]
    fn nearest_takes_the_center() {
        let (side, crop) = axis(10, 4); // centers at 1.25, 3.75, 6.25, 8.75
        let taken: Vec<_> = nearest(side, crop, 0)
            .iter()
            .map(|taps| taps.first)
            .collect();
        assert_eq!(taken, [1, 3, 6, 8]);
    }

    #[test]
    fn bilinear_halves_the_distance() {
        let (side, crop) = axis(2, 4); // centers at -0.25, 0.25, 0.75, 1.25
        let taps = interpolating(side, crop, 0, BILINEAR);
        let weights: Vec<_> = taps.iter().map(|taps| taps.weights[0]).collect();
        assert_eq!(weights, [1.0, 0.75, 0.25, 1.0]);
        assert_eq!([taps[0].count, taps[3].count, taps[3].first], [1, 1, 1]);
    }

    #[test]
    fn weights_sum_to_one() {
        for (from, to) in [(1, 7), (2, 5), (3, 100), (50, 3), (9, 9)] {
            let (side, crop) = axis(from, to);
            for taps in interpolating(side, crop, 1, BICUBIC) {
                assert!((taps.weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
                assert!(taps.first + taps.count <= side);
            }
        }
    }
}
