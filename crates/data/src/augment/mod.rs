//! Augmentation of training images, and their normalization.

mod color_jitter;
mod cutout;
mod mixup;
mod padded_crop;
mod random_resized_crop;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xception_images::{
    DecodeOptions, EncodedImage, Filter, Preprocessing, PreprocessingError, WindowResize,
    resize_planes,
};
use xception_messages::Bounds;

pub use color_jitter::ColorJitter;
pub(crate) use mixup::{mix, pairs_around, partner, share};
use padded_crop::PaddedCrop;
pub use random_resized_crop::RandomResizedCrop;

use crate::content::{Content, SampleError};
use crate::dataset::CHANNELS;
use crate::{DataError, Normalization};

const CUTOUT: Bounds = Bounds::at_least(1.0);
const MIXUP: Bounds = Bounds::above(0.0).at_most(4.0);
/// See [`WindowResize::reducing_gap`].
const REDUCING_GAP: f64 = 1.0;

/// How training images are varied; by default the usual augmentation of CIFAR (He et al., "Deep Residual Learning for Image
/// Recognition", 2015, section 4.2).
///
/// The choices for an image are a function of its [`ImageKey`] alone, and each kind of choice draws numbers of its own: turning one
/// on or off leaves the others as they are. What is turned on is done in the order of the fields, with the normalization before
/// `cutout`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(description = "How training images are varied at random.")]
pub struct Augmentation {
    /// Takes a crop of random size and shape, and resizes it to the size of the images. It comes instead of the crop
    /// with `crop_padding`, which then has no effect.
    #[schemars(example = RandomResizedCrop::default())]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resized_crop: Option<RandomResizedCrop>,
    /// The pixels added at each side before a crop of the image's size is taken at random; less than the image's
    /// shorter side, 0 for none. They are black (0) *before* normalization, as with torchvision's
    /// `RandomCrop(32, padding=4)` ahead of `Normalize`; not the mean.
    #[schemars(example = 2)]
    pub crop_padding: usize,
    /// Whether the image is mirrored left to right with probability 1/2.
    pub horizontal_flip: bool,
    /// Changes the colors.
    #[schemars(example = ColorJitter { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 })]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color_jitter: Option<ColorJitter>,
    /// The side, in pixels, of a square around a random pixel that is set to the mean.
    #[schemars(example = 16, transform = CUTOUT.of_number())]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutout: Option<usize>,
    /// Mixes each image with its neighbour in the epoch's order, with shares drawn by the distribution Beta(mixup, mixup), and
    /// trains on the classes of both with these shares. Scores of training images are against the class of the first.
    #[schemars(example = 0.2, transform = MIXUP.of_number())]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mixup: Option<f64>,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            crop_padding: 4,
            horizontal_flip: true,
            ..Self::none()
        }
    }
}

/// What the random choices for an image depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageKey {
    /// The run's seed.
    pub seed: u64,
    /// The epoch, from 0.
    pub epoch: u64,
    /// The image's index in its split.
    pub index: u32,
}

impl Augmentation {
    /// No augmentation: images are only normalized.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            resized_crop: None,
            crop_padding: 0,
            horizontal_flip: false,
            color_jitter: None,
            cutout: None,
            mixup: None,
        }
    }

    /// Returns the first option that is out of its range, whatever the size of the images: its name, its value and what is
    /// expected.
    #[must_use]
    pub fn out_of_range(&self) -> Option<(String, String, String)> {
        let within = |outer: &str, (option, found, expected): (&str, String, String)| {
            (format!("{outer}.{option}"), found, expected)
        };
        if let Some(wrong) = self.resized_crop.and_then(|crop| crop.out_of_range()) {
            return Some(within("resized_crop", wrong));
        }
        if let Some(wrong) = self.color_jitter.and_then(|jitter| jitter.out_of_range()) {
            return Some(within("color_jitter", wrong));
        }
        let numbers = [
            ("cutout", self.cutout.map(|side| side as f64), CUTOUT),
            ("mixup", self.mixup, MIXUP),
        ];
        numbers.into_iter().find_map(|(name, value, bounds)| {
            let value = value.filter(|value| !bounds.contains(*value))?;
            Some((name.to_owned(), value.to_string(), bounds.to_string()))
        })
    }

    /// Returns the pixels that are added at each side: none where there is another crop.
    fn padding(&self) -> usize {
        match self.resized_crop {
            Some(_) => 0,
            None => self.crop_padding,
        }
    }

    /// Checks all options, and that every crop of an image of `size` (height, width) shows a part of it.
    ///
    /// # Errors
    ///
    /// [`DataError::Augmentation`] where an option is out of its range, [`DataError::CropPadding`] where the padding isn't below
    /// the shorter side.
    pub fn check(&self, size: [usize; 2]) -> Result<(), DataError> {
        if let Some((option, found, expected)) = self.out_of_range() {
            return Err(DataError::Augmentation {
                option,
                found,
                expected,
            });
        }
        let [height, width] = size;
        let padding = self.padding();
        if padding > 0 && padding >= height.min(width) {
            return Err(DataError::CropPadding {
                padding,
                height,
                width,
            });
        }
        Ok(())
    }

    /// Augments and normalizes one sample of `size` (height, width).
    pub(crate) fn apply_to(
        &self,
        content: Content<'_>,
        size: [usize; 2],
        normalization: &Normalization,
        key: ImageKey,
        out: &mut [f32],
    ) -> Result<(), SampleError> {
        match content {
            Content::Stored(image) if self.resized_crop.is_some() => {
                let (bytes, name) = (image.read()?, image.name());
                let preprocessing = image.preprocessing();
                EncodedImage::new(&bytes, &name, &DecodeOptions::default())
                    .and_then(|encoded| {
                        self.apply_encoded(encoded, preprocessing, normalization, key, out)
                    })
                    .map_err(|error| image.broken(&error))
            }
            content => {
                self.apply(&content.pixels()?, size, normalization, key, out);
                Ok(())
            }
        }
    }

    /// Augments and normalizes one image; it isn't mixed with others.
    ///
    /// # Shapes
    ///
    /// - `image`: `[3, height, width]`, with `size` = `[height, width]`
    /// - `out`: `[3, height, width]`
    ///
    /// # Panics
    ///
    /// Where a slice isn't of that length, or [`check`](Self::check) refuses the size.
    pub fn apply(
        &self,
        image: &[u8],
        size: [usize; 2],
        normalization: &Normalization,
        key: ImageKey,
        out: &mut [f32],
    ) {
        let [height, width] = size;
        assert_eq!(
            image.len(),
            CHANNELS * height * width,
            "length of the image"
        );
        let Some(crop) = self.resized_crop else {
            return self.apply_to_crop(image, size, normalization, key, out);
        };
        let mut cropped = vec![0; image.len()];
        let resize = WindowResize {
            size,
            filter: Filter::Bilinear,
            reducing_gap: None,
        };
        let resized = resize_planes(image, size, crop.window(size, key), resize, &mut cropped);
        assert!(resized.is_ok(), "a crop within the image");
        self.apply_to_crop(&cropped, size, normalization, key, out);
    }

    /// Augments and normalizes one image of a file; it isn't mixed with others. With a random resized crop, only that part is
    /// decoded, and resized with the preprocessing's filter, which widens with the scale; else the image goes through
    /// the preprocessing first, but for its scaling.
    ///
    /// # Shapes
    ///
    /// - `out`: `[3, height, width]`, with `[height, width]` the preprocessing's size
    ///
    /// # Errors
    ///
    /// Where the image is damaged, or the preprocessing is out of its range.
    ///
    /// # Panics
    ///
    /// Where `out` isn't of that length, or [`check`](Self::check) refuses the size.
    pub fn apply_encoded(
        &self,
        image: EncodedImage<'_>,
        preprocessing: &Preprocessing,
        normalization: &Normalization,
        key: ImageKey,
        out: &mut [f32],
    ) -> Result<(), PreprocessingError> {
        preprocessing.check()?;
        let size = preprocessing.size;
        let mut pixels = vec![0; preprocessing.input_len()];
        match self.resized_crop {
            Some(crop) => {
                let window = crop.window(image.size(), key);
                let resize = WindowResize {
                    size,
                    filter: preprocessing.resize.filter,
                    reducing_gap: Some(REDUCING_GAP),
                };
                image.resized_window(window, resize, &mut pixels)?;
            }
            None => {
                let image = preprocessing.transform(&image.decode()?)?;
                for (channel, plane) in pixels.chunks_exact_mut(size[0] * size[1]).enumerate() {
                    for (value, pixel) in plane.iter_mut().zip(image.pixels()) {
                        *value = pixel[channel];
                    }
                }
            }
        }
        self.apply_to_crop(&pixels, size, normalization, key, out);
        Ok(())
    }

    /// Does what is left to do once the random resized crop, if there is one, has been taken.
    fn apply_to_crop(
        &self,
        image: &[u8],
        size: [usize; 2],
        normalization: &Normalization,
        key: ImageKey,
        out: &mut [f32],
    ) {
        assert_eq!(out.len(), image.len(), "length of the output");
        assert!(self.check(size).is_ok(), "padding within the image's size");
        let crop = PaddedCrop::choose(self.padding(), self.horizontal_flip, key);
        let scaling = |channel| normalization.scale_and_bias(channel);
        match self.color_jitter {
            None => crop.apply(image, size, scaling, out),
            Some(jitter) => {
                crop.apply(image, size, |_| (1.0 / 255.0, 0.0), out);
                jitter.apply(key, out);
                for (channel, plane) in out.chunks_exact_mut(size[0] * size[1]).enumerate() {
                    let (scale, black) = scaling(channel);
                    plane
                        .iter_mut()
                        .for_each(|value| *value = *value * 255.0 * scale + black);
                }
            }
        }
        if let Some(side) = self.cutout {
            cutout::cut_out(side, size, key, out);
        }
    }
}

#[cfg(test)]
mod tests;
