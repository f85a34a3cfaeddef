//! From an image file to a network's input, and from a network's output back to people.
//!
//! Weights only give their reported accuracy on images that are prepared as the images of their
//! training were. [`Preprocessing`] says how, and [`Preset`] knows it for the published weights:
//!
//! ```
//! use image::RgbImage;
//! use xception_images::{Filter, Preset};
//!
//! let image = RgbImage::new(640, 480); // or read_image("cat.jpg".as_ref(), &DecodeOptions::default())?
//! let preprocessing = Preset::TimmXception.preprocessing().with_size([150, 150]).with_filter(Filter::Bilinear);
//! let input = preprocessing.apply(&image)?; // [3, 150, 150]
//! assert_eq!(input.len(), 3 * 150 * 150);
//! # Ok::<(), xception_images::PreprocessingError>(())
//! ```
//!
//! Nothing here knows about tensors: images go in, plain vectors come out.

mod antialiasing;
mod decode;
mod encoded;
mod error;
mod filter;
mod geometry;
mod heat_picture;
mod heat_scale;
mod heatmap;
mod inferno;
mod jpeg;
mod labels;
mod npy;
mod orientation;
mod point_sampling;
mod preset;
mod resize;
mod scaling;
mod webp_exif;
mod weighted_sums;
mod weights;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use xception_messages::Bounds;

/// The examples of the README, which are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use decode::{DecodeLimits, DecodeOptions, IMAGE_ENDINGS, decode_image, is_image, read_image};
pub use encoded::{EncodedImage, Window, WindowResize, resize_planes};
pub use error::PreprocessingError;
pub use filter::Filter;
use geometry::ResizedCrop;
pub use geometry::{ResizeMode, SeenPart};
pub use heatmap::Heatmap;
pub use image::RgbImage;
pub use inferno::inferno;
pub use jpeg::JpegError;
pub use labels::Labels;
pub use npy::NpyWriter;
pub use preset::Preset;
pub use resize::Resize;
pub use scaling::{CAFFE_MEAN_BGR, IMAGENET_MEAN, IMAGENET_STD, Scaling};

/// The height or width of a network's input, in pixels.
pub const SIDE: Bounds = Bounds::at_least(1.0).at_most(8192.0);
/// The schema's example of a size; see the examples of [`Scaling`] for its being a constant.
const SIZE_EXAMPLE: [usize; 2] = [299, 299];
/// The part of a resized image's sides that the central crop keeps.
const CROP_FRACTION: Bounds = Bounds::at_least(0.01).at_most(1.0);

/// The steps from an image to a network's input: resizing, a central crop, and scaling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Height and width of the network's input, in pixels.
    #[schemars(example = SIZE_EXAMPLE, transform = SIDE.of_items())]
    pub size: [usize; 2],
    /// The resizing of the image.
    pub resize: Resize,
    /// The part of the resized image's sides that the central crop keeps (timm's `crop_pct`): images are
    /// resized to `size / crop_fraction`, rounded down. 1 crops nothing but what sticks out where the
    /// shortest side is set.
    #[schemars(example = 0.875, transform = CROP_FRACTION.of_number())]
    pub crop_fraction: f64,
    /// The scaling of pixels to numbers.
    pub scaling: Scaling,
}

impl Preprocessing {
    /// Sets the size (height, width), in pixels.
    #[must_use]
    pub fn with_size(mut self, size: [usize; 2]) -> Self {
        self.size = size;
        self
    }

    /// Sets the resampling filter.
    #[must_use]
    pub fn with_filter(mut self, filter: Filter) -> Self {
        self.resize.filter = filter;
        self
    }

    /// Sets the crop fraction.
    #[must_use]
    pub fn with_crop_fraction(mut self, crop_fraction: f64) -> Self {
        self.crop_fraction = crop_fraction;
        self
    }

    /// Checks that every value is in its range.
    ///
    /// # Errors
    ///
    /// If one isn't: [`PreprocessingError::OutOfRange`], which names the field.
    pub fn check(&self) -> Result<(), PreprocessingError> {
        if !self.size.iter().all(|&side| SIDE.contains(side as f64)) {
            return Err(PreprocessingError::OutOfRange {
                option: "size",
                found: format!("{} x {}", self.size[0], self.size[1]),
                expected: format!("{SIDE} pixels a side"),
            });
        }
        if !CROP_FRACTION.contains(self.crop_fraction) {
            return Err(PreprocessingError::OutOfRange {
                option: "crop_fraction",
                found: self.crop_fraction.to_string(),
                expected: CROP_FRACTION.to_string(),
            });
        }
        self.scaling.check()
    }

    /// Returns the number of values of one input.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.size
            .iter()
            .fold(3_usize, |product, &side| product.saturating_mul(side))
    }

    /// Returns the window of an image of `size` (height, width) that the network sees, in pixels.
    ///
    /// # Errors
    ///
    /// If [`check`](Self::check) refuses a setting, or the image has no pixels.
    pub fn seen_part(&self, size: [usize; 2]) -> Result<SeenPart, PreprocessingError> {
        self.check()?;
        let [height, width] = size;
        if width == 0 || height == 0 {
            return Err(PreprocessingError::EmptyImage {
                width: width as u32,
                height: height as u32,
            });
        }
        let crop = ResizedCrop::new(size, self.size, self.resize.mode, self.crop_fraction);
        Ok(crop.in_image(size))
    }

    /// Resizes and crops `image` to the part that the network sees, as 8-bit pixels.
    ///
    /// # Errors
    ///
    /// If [`check`](Self::check) refuses a setting, or the image has no pixels.
    ///
    /// # Shapes
    ///
    /// An image of any size to one of [`size`](Self::size).
    pub fn transform(&self, image: &RgbImage) -> Result<RgbImage, PreprocessingError> {
        self.check()?;
        let (width, height) = image.dimensions();
        if width == 0 || height == 0 {
            return Err(PreprocessingError::EmptyImage { width, height });
        }
        let from = [height as usize, width as usize];
        let crop = ResizedCrop::new(from, self.size, self.resize.mode, self.crop_fraction);
        Ok(self.resize.apply(image, crop))
    }

    /// Prepares one image as a network's input.
    ///
    /// # Errors
    ///
    /// If [`check`](Self::check) refuses a setting, or the image has no pixels.
    ///
    /// # Shapes
    ///
    /// An image of any size to `[3, height, width]`, the last axis the fastest. The channels are red,
    /// green, blue; blue, green, red with [`Scaling::CaffeBgr`].
    pub fn apply(&self, image: &RgbImage) -> Result<Vec<f32>, PreprocessingError> {
        self.check()?; // before as much is allocated as the size asks for
        let mut input = vec![0.0; self.input_len()];
        self.apply_into(image, &mut input)?;
        Ok(input)
    }

    /// Prepares one image as [`apply`](Self::apply) does, into a slice of [`input_len`](Self::input_len) values.
    ///
    /// # Errors
    ///
    /// If [`apply`](Self::apply) fails, or the slice has another length.
    pub fn apply_into(
        &self,
        image: &RgbImage,
        input: &mut [f32],
    ) -> Result<(), PreprocessingError> {
        self.check()?;
        if input.len() != self.input_len() {
            return Err(PreprocessingError::Length {
                what: "the buffer for the network's input",
                found: input.len(),
                expected: self.input_len(),
            });
        }
        let resized = self.transform(image)?;
        let pixels = resized.as_raw();
        let planes = input.chunks_exact_mut(self.size[0] * self.size[1]);
        for (channel, plane) in planes.enumerate() {
            let table = self.scaling.table(channel);
            let values = pixels.iter().skip(self.scaling.source_channel(channel));
            for (scaled, &value) in plane.iter_mut().zip(values.step_by(3)) {
                *scaled = table[usize::from(value)];
            }
        }
        Ok(())
    }

    /// Prepares several images as a batch, in parallel.
    ///
    /// # Errors
    ///
    /// If [`apply`](Self::apply) fails for an image.
    ///
    /// # Shapes
    ///
    /// N images of any sizes to `[N, 3, height, width]`.
    pub fn apply_batch(&self, images: &[RgbImage]) -> Result<Vec<f32>, PreprocessingError> {
        self.check()?;
        let mut inputs = vec![0.0; images.len() * self.input_len()];
        inputs
            .par_chunks_exact_mut(self.input_len())
            .zip(images)
            .try_for_each(|(input, image)| self.apply_into(image, input))?;
        Ok(inputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> RgbImage {
        RgbImage::from_fn(40, 30, |x, y| image::Rgb([x as u8, y as u8, 200]))
    }

    fn plain() -> Preprocessing {
        Preprocessing {
            size: [30, 40],
            resize: Resize {
                filter: Filter::Bilinear,
                antialias: true,
                mode: ResizeMode::Exact,
            },
            crop_fraction: 1.0,
            scaling: Scaling::MinusOneToOne,
        }
    }

    #[test]
    fn channels_are_planes() {
        let input = plain().apply(&image()).unwrap();
        let at = |channel: usize, y: usize, x: usize| input[(channel * 30 + y) * 40 + x];
        assert_eq!(at(0, 7, 11), 11.0 / 127.5 - 1.0);
        assert_eq!(at(1, 7, 11), 7.0 / 127.5 - 1.0);
        assert_eq!(at(2, 29, 39), 200.0 / 127.5 - 1.0);
    }

    #[test]
    fn caffe_swaps_red_and_blue() {
        let mut caffe = plain();
        caffe.scaling = Scaling::CaffeBgr {
            mean: [1.0, 2.0, 3.0],
        };
        let input = caffe.apply(&image()).unwrap();
        assert_eq!(input[0], 199.0);
        assert_eq!(input[2 * 1200 + 39], 36.0);
    }

    #[test]
    fn batches_are_images_one_after_another() {
        let other = RgbImage::from_pixel(7, 90, image::Rgb([1, 2, 3]));
        let images = [image(), other, image()];
        let batch = plain().apply_batch(&images).unwrap();
        let singles: Vec<f32> = images
            .iter()
            .flat_map(|i| plain().apply(i).unwrap())
            .collect();
        assert_eq!(batch, singles);
        assert!(plain().apply_batch(&[]).unwrap().is_empty());
    }

    #[test]
    fn wrong_settings_are_refused() {
        let refused = |preprocessing: Preprocessing| {
            preprocessing
                .apply(&RgbImage::new(1, 1))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            refused(plain().with_size([0, 3])),
            "`size` is 0 x 3, but has to be from 1 to 8192 pixels a side"
        );
        assert_eq!(
            refused(plain().with_size([usize::MAX, 3])),
            "`size` is 18446744073709551615 x 3, but has to be from 1 to 8192 pixels a side"
        );
        for fraction in [0.0, -1.0, 1.01, f64::NAN, f64::INFINITY, 1e-300] {
            let message = refused(plain().with_crop_fraction(fraction));
            assert!(message.starts_with("`crop_fraction` is"), "{message}");
        }
        let error = plain().apply(&RgbImage::new(0, 5)).unwrap_err();
        assert!(matches!(
            error,
            PreprocessingError::EmptyImage {
                width: 0,
                height: 5
            }
        ));
        let error = plain().apply_into(&image(), &mut [0.0; 5]).unwrap_err();
        assert!(error.to_string().contains("has 5 values"), "{error}");
    }

    #[test]
    fn settings_survive_json() {
        for preset in Preset::ALL {
            let settings = preset.preprocessing();
            let text = serde_json::to_string(&settings).unwrap();
            assert_eq!(
                serde_json::from_str::<Preprocessing>(&text).unwrap(),
                settings
            );
        }
        let text = serde_json::to_string(&plain()).unwrap();
        let unknown = text.replacen("\"size\"", "\"crop\": 1, \"size\"", 1);
        let error = serde_json::from_str::<Preprocessing>(&unknown).unwrap_err();
        assert!(error.to_string().starts_with("unknown field `crop`"));
    }
}
