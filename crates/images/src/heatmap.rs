//! Heat maps over images, for Grad-CAM and its like.

use std::io::Cursor;

use image::{ImageFormat, RgbImage};

use super::PreprocessingError;

/// A map of how much each part of an image counts, coarser than the image.
///
/// ```
/// use image::RgbImage;
/// use xception_images::{Heatmap, Preset};
///
/// let photo = RgbImage::new(640, 480);
/// let seen = Preset::TimmXception.preprocessing().seen_part([480, 640])?;
/// let map = Heatmap::new(vec![0.0, 0.5, 1.0, 2.0], [2, 2])?;
/// let picture = map.over(&photo, &seen);
/// assert_eq!(picture.width(), 640);
/// # Ok::<(), xception_images::PreprocessingError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    /// From 0 to 1.
    values: Vec<f32>,
    size: [usize; 2],
}

impl Heatmap {
    /// Creates a map of `size` (height, width) from its values, row by row.
    ///
    /// Only what speaks for a class is shown, as in Grad-CAM (Selvaraju et al., 2017, equation 2):
    /// negative values count as zero. The largest value is the hottest, whatever its size.
    ///
    /// # Errors
    ///
    /// If there is another number of values than the size asks for, or none, or one that isn't finite.
    ///
    /// # Shapes
    ///
    /// `[height, width]`, the last axis the fastest.
    pub fn new(values: Vec<f32>, size: [usize; 2]) -> Result<Self, PreprocessingError> {
        let expected = size[0].saturating_mul(size[1]);
        if values.len() != expected || values.is_empty() {
            return Err(PreprocessingError::Length {
                what: "the heat map",
                found: values.len(),
                expected: expected.max(1),
            });
        }
        if let Some((position, &value)) = values
            .iter()
            .enumerate()
            .find(|(_, value)| !value.is_finite())
        {
            return Err(PreprocessingError::NotFinite {
                what: "the heat map",
                value,
                position,
            });
        }
        let largest = values.iter().copied().fold(0.0, f32::max);
        let scale = if largest > 0.0 { largest } else { 1.0 };
        let values = values.iter().map(|value| value.max(0.0) / scale);
        Ok(Self {
            values: values.collect(),
            size,
        })
    }

    /// Returns the heat, from 0 (cold) to 1 (the hottest place), at a point of the map: `[0.0, 0.0]` is its top left corner,
    /// `[1.0, 1.0]` its bottom right one. Between the centers of the map's pixels it is interpolated linearly; beyond
    /// the outermost centers it stays as it is there.
    #[must_use]
    pub fn at(&self, point: [f64; 2]) -> f32 {
        let [rows, columns] = [0, 1].map(|axis| neighbors(point[axis], self.size[axis]));
        let value = |row: usize, column: usize| self.values[row * self.size[1] + column];
        let along = |row: usize| {
            let (left, right) = (value(row, columns.first), value(row, columns.second));
            left + (right - left) * columns.share
        };
        let (above, below) = (along(rows.first), along(rows.second));
        above + (below - above) * rows.share
    }

    /// Encodes a picture as the bytes of a PNG file.
    ///
    /// # Errors
    ///
    /// If the encoder fails, as for a picture without pixels: [`PreprocessingError::Encode`].
    pub fn to_png(picture: &RgbImage) -> Result<Vec<u8>, PreprocessingError> {
        let mut bytes = Cursor::new(Vec::new());
        picture
            .write_to(&mut bytes, ImageFormat::Png)
            .map_err(PreprocessingError::Encode)?;
        Ok(bytes.into_inner())
    }
}

/// The two pixels of an axis that a point lies between, and the second one's share.
struct Neighbors {
    first: usize,
    second: usize,
    share: f32,
}

/// Returns the pixels next to a point from 0 to 1 along an axis of so many pixels.
fn neighbors(point: f64, pixels: usize) -> Neighbors {
    let last = pixels - 1;
    let place = (point * pixels as f64 - 0.5).clamp(0.0, last as f64);
    let first = place.floor() as usize;
    Neighbors {
        first,
        second: (first + 1).min(last),
        share: (place - first as f64) as f32,
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn heat_is_interpolated_between_the_centers_of_pixels() {
        let map = Heatmap::new(vec![-3.0, 1.0, 2.0, 4.0], [2, 2]).unwrap();
        let centers = [[0.25, 0.25], [0.25, 0.75], [0.75, 0.25], [0.75, 0.75]];
        assert_eq!(centers.map(|point| map.at(point)), [0.0, 0.25, 0.5, 1.0]);
        assert_eq!(map.at([0.5, 0.5]), (0.25 + 0.5 + 1.0) / 4.0);
        assert_eq!(map.at([0.0, 0.0]), 0.0);
        assert_eq!(map.at([1.0, 1.0]), 1.0);
        let row = Heatmap::new(vec![0.0, 1.0], [1, 2]).unwrap();
        let along = [0.125, 0.375, 0.625, 0.875].map(|x| row.at([0.3, x]));
        assert_eq!(along, [0.0, 0.25, 0.75, 1.0]);
    }

    #[test]
    fn cold_maps_stay_cold() {
        let map = Heatmap::new(vec![-1.0, 0.0], [1, 2]).unwrap();
        assert_eq!([0.0, 0.5, 1.0].map(|x| map.at([0.5, x])), [0.0; 3]);
        for value in [f32::MIN_POSITIVE / 4.0, f32::MAX] {
            let map = Heatmap::new(vec![value; 2], [1, 2]).unwrap();
            assert_eq!(map.at([0.5, 0.5]), 1.0);
        }
    }

    #[test]
    fn pictures_become_png() {
        let picture = RgbImage::from_pixel(3, 2, Rgb([10, 100, 200]));
        let bytes = Heatmap::to_png(&picture).unwrap();
        assert_eq!(
            image::load_from_memory(&bytes).unwrap().into_rgb8(),
            picture
        );
        let error = Heatmap::to_png(&RgbImage::new(0, 0)).unwrap_err();
        assert!(matches!(error, PreprocessingError::Encode(_)), "{error}");
    }

    #[test]
    fn maps_have_to_be_whole_and_finite() {
        for (values, size, expected) in [
            (
                vec![1.0; 5],
                [2, 3],
                "has 5 values, but its shape asks for 6",
            ),
            (Vec::new(), [0, 3], "has 0 values, but its shape asks for 1"),
            (Vec::new(), [usize::MAX, 3], "has 0 values"),
        ] {
            let error = Heatmap::new(values, size).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        assert_eq!(
            Heatmap::new(vec![1.0, f32::NAN], [1, 2])
                .unwrap_err()
                .to_string(),
            "the heat map holds NaN at position 1; only finite numbers can be shown"
        );
    }
}
