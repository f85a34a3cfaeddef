//! Resizing as Pillow and TensorFlow do it, straight to the window that is kept.
//!
//! Only the window's pixels are computed: with the shortest side set, an image of 1 x 65535 pixels
//! is resized to millions of columns, nearly all of which the crop drops again.

use image::RgbImage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::antialiasing::antialiased;
use super::geometry::ResizedCrop;
use super::point_sampling::sample;
use super::{Filter, ResizeMode};

/// A way to resize an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resize {
    /// The resampling filter.
    pub filter: Filter,
    /// Whether the filter widens with the scale when an image is made smaller, so that every pixel
    /// counts: `true` is Pillow's `resize`, and so torchvision's and timm's, and Keras's `load_img`; `false`
    /// is `tf.image.resize` (and Keras's `Resizing` layer) by default, which looks at 2 x 2 pixels
    /// (bilinear) or 4 x 4 (bicubic) at any scale. It makes no difference to the nearest pixel.
    pub antialias: bool,
    /// The rule by which the size to resize to follows from the size wanted.
    pub mode: ResizeMode,
}

impl Resize {
    /// Resizes the window `crop` of `image`, which isn't empty.
    pub(super) fn apply(self, image: &RgbImage, crop: ResizedCrop) -> RgbImage {
        match self.filter.kernel() {
            Some(kernel) if self.antialias => antialiased(image, crop, kernel),
            kernel => sample(image, crop, kernel),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            let noise = x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503) ^ (x * y * 7919);
            image::Rgb([noise as u8, (noise >> 8) as u8, (x + y) as u8])
        })
    }

    fn resize(filter: Filter, antialias: bool, image: &RgbImage, crop: ResizedCrop) -> RgbImage {
        let resize = Resize {
            filter,
            antialias,
            mode: ResizeMode::Exact,
        };
        resize.apply(image, crop)
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let image = gradient(17, 23);
        let crop = ResizedCrop {
            resized: [23, 17],
            offset: [0, 0],
            size: [23, 17],
        };
        for filter in Filter::ALL {
            for antialias in [true, false] {
                assert_eq!(resize(filter, antialias, &image, crop), image);
            }
        }
    }

    #[test]
    fn a_window_is_a_part_of_the_whole() {
        let image = gradient(61, 47);
        for resized in [[19, 25], [47, 61], [100, 131], [31, 200]] {
            for (filter, antialias) in Filter::ALL
                .into_iter()
                .flat_map(|f| [(f, true), (f, false)])
            {
                let whole = ResizedCrop {
                    resized,
                    offset: [0, 0],
                    size: resized,
                };
                let crop = ResizedCrop {
                    resized,
                    offset: [3, 5],
                    size: [13, 17],
                };
                let whole = resize(filter, antialias, &image, whole);
                let part = resize(filter, antialias, &image, crop);
                for (x, y, pixel) in part.enumerate_pixels() {
                    let expected = whole.get_pixel(x + 5, y + 3);
                    assert_eq!(
                        pixel, expected,
                        "{resized:?} {filter} {antialias} at {x} {y}"
                    );
                }
            }
        }
    }

    #[test]
    fn extreme_proportions_need_little_memory() {
        for size in [(1, 65_535), (65_535, 1)] {
            let image = gradient(size.0, size.1);
            let from = [image.height() as usize, image.width() as usize];
            let crop = ResizedCrop::new(from, [299, 299], ResizeMode::ShortestSide, 0.8975);
            for (filter, antialias) in Filter::ALL
                .into_iter()
                .flat_map(|f| [(f, true), (f, false)])
            {
                let resized = resize(filter, antialias, &image, crop);
                assert_eq!(resized.dimensions(), (299, 299));
            }
        }
    }
}
