//! Heat maps over images, for Grad-CAM and its like.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

use super::point_sampling::linear;
use super::{PreprocessingError, inferno};

/// A map of how much each part of an image counts, coarser than the image.
///
/// ```
/// use image::RgbImage;
/// use xception_models::preprocessing::Heatmap;
///
/// let map = Heatmap::new(vec![0.0, 0.5, 1.0, 2.0], [2, 2])?;
/// let picture = map.overlay(&RgbImage::new(299, 299), 0.5)?;
/// assert_eq!(picture.dimensions(), (299, 299));
/// # Ok::<(), xception_models::preprocessing::PreprocessingError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Heatmap {
    values: Vec<f32>,
    size: [usize; 2],
}

impl Heatmap {
    /// A map of `size` (height, width).
    ///
    /// Only what speaks for a class is shown, as in Grad-CAM (Selvaraju et al., 2017, equation 2):
    /// negative values count as zero. The largest value is the hottest, whatever its size.
    ///
    /// # Errors
    ///
    /// For another number of values than the size asks for, no values, and values that aren't finite.
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
        Ok(Self { values, size })
    }

    /// The map from 0 (cold) to 1 (its hottest place), stretched to `size` (height, width) by linear
    /// interpolation.
    ///
    /// # Shapes
    ///
    /// `[height, width]`, the last axis the fastest.
    #[must_use]
    pub fn stretched(&self, size: [usize; 2]) -> Vec<f32> {
        let largest = self.values.iter().copied().fold(0.0, f32::max);
        let scale = if largest > 0.0 { largest } else { 1.0 };
        let [rows, columns] = [0, 1].map(|axis| linear(self.size[axis], size[axis]));
        let mut stretched = Vec::with_capacity(rows.len() * columns.len());
        for row in &rows {
            for column in &columns {
                let mut sum = 0.0;
                for (y, row_weight) in (row.first..).zip(&row.weights[..row.count]) {
                    for (x, weight) in (column.first..).zip(&column.weights[..column.count]) {
                        let value = self.values[y * self.size[1] + x].max(0.0) / scale;
                        sum += row_weight * weight * value;
                    }
                }
                stretched.push(sum);
            }
        }
        stretched
    }

    /// The image with the map's colors ([`inferno`]) over it, where `opacity` is 0 for the image
    /// alone and 1 for the colors alone; 0.5 shows both.
    ///
    /// The image is the part that the network saw:
    /// [`Preprocessing::transform`](super::Preprocessing::transform) gives it.
    ///
    /// # Errors
    ///
    /// [`PreprocessingError::OutOfRange`] for an opacity outside of [0, 1].
    pub fn overlay(&self, image: &RgbImage, opacity: f32) -> Result<RgbImage, PreprocessingError> {
        if !(0.0..=1.0).contains(&opacity) {
            return Err(PreprocessingError::OutOfRange {
                option: "opacity",
                found: opacity.to_string(),
                expected: "from 0 to 1".to_owned(),
            });
        }
        let mut picture = image.clone();
        let heat = self.stretched([image.height() as usize, image.width() as usize]);
        for (pixel, heat) in picture.pixels_mut().zip(heat) {
            let color = inferno(heat);
            *pixel = Rgb(std::array::from_fn(|channel| {
                let [below, above] = [pixel.0[channel], color[channel]].map(f32::from);
                (below + opacity * (above - below)).round() as u8
            }));
        }
        Ok(picture)
    }

    /// A picture as the bytes of a PNG file.
    ///
    /// # Errors
    ///
    /// [`PreprocessingError::Encode`], for a picture without pixels for example.
    pub fn to_png(picture: &RgbImage) -> Result<Vec<u8>, PreprocessingError> {
        let mut bytes = Cursor::new(Vec::new());
        picture
            .write_to(&mut bytes, ImageFormat::Png)
            .map_err(PreprocessingError::Encode)?;
        Ok(bytes.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hottest_place_is_one() {
        let map = Heatmap::new(vec![-4.0, 1.0, 2.0, 8.0], [2, 2]).unwrap();
        assert_eq!(map.stretched([2, 2]), [0.0, 0.125, 0.25, 1.0]);
        assert_eq!(map.stretched([1, 1]), [(0.125 + 0.25 + 1.0) / 4.0]);
        let row = Heatmap::new(vec![0.0, 1.0], [1, 2]).unwrap();
        assert_eq!(row.stretched([1, 4]), [0.0, 0.25, 0.75, 1.0]);
    }

    #[test]
    fn cold_maps_stay_cold() {
        let map = Heatmap::new(vec![-1.0, 0.0], [1, 2]).unwrap();
        assert_eq!(map.stretched([2, 2]), [0.0; 4]);
        let tiny = Heatmap::new(vec![f32::MIN_POSITIVE / 4.0], [1, 1]).unwrap();
        assert_eq!(tiny.stretched([1, 1]), [1.0]);
        let large = Heatmap::new(vec![f32::MAX, f32::MAX], [1, 2]).unwrap();
        assert_eq!(large.stretched([1, 1]), [1.0]);
    }

    #[test]
    fn opacity_goes_from_image_to_colors() {
        let image = RgbImage::from_pixel(3, 2, Rgb([10, 100, 200]));
        let map = Heatmap::new(vec![1.0], [1, 1]).unwrap();
        assert_eq!(map.overlay(&image, 0.0).unwrap(), image);
        let hot = map.overlay(&image, 1.0).unwrap();
        assert_eq!(hot.get_pixel(2, 1).0, inferno(1.0));
        for opacity in [-0.1, 1.1, f32::NAN] {
            assert!(map.overlay(&image, opacity).is_err());
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
        assert!(Heatmap::to_png(&RgbImage::new(0, 0)).is_err());
    }

    #[test]
    fn maps_have_to_be_whole_and_finite() {
        assert!(Heatmap::new(vec![1.0; 5], [2, 3]).is_err());
        assert!(Heatmap::new(Vec::new(), [0, 3]).is_err());
        assert!(Heatmap::new(Vec::new(), [usize::MAX, 3]).is_err());
        assert_eq!(
            Heatmap::new(vec![1.0, f32::NAN], [1, 2])
                .unwrap_err()
                .to_string(),
            "the heat map holds NaN at position 1; only finite numbers can be shown"
        );
    }
}
