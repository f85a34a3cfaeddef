//! Which size an image is resized to, and which part of that is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rule by which the size that an image is resized to follows from the size wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResizeMode {
    /// Height and width are set, whatever the image's proportions: Keras's
    /// `load_img(target_size=..)`, timm's `crop_mode="squash"`.
    Exact,
    /// The shortest side is set and the proportions are kept: torchvision's `Resize(side)`, timm's
    /// `crop_mode="center"`.
    ShortestSide,
}

/// The size that an image is resized to, and the window of the resized image that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ResizedCrop {
    /// Height and width after resizing, in pixels.
    pub resized: [usize; 2],
    /// The window's top and left, in pixels of the resized image.
    pub offset: [usize; 2],
    /// The window's height and width, in pixels.
    pub size: [usize; 2],
}

/// The part of an image that a network sees, in pixels of the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenPart {
    /// Top and left.
    pub offset: [f64; 2],
    /// Height and width.
    pub size: [f64; 2],
}

impl ResizedCrop {
    /// Returns the window in pixels of the image of size `image` (height, width) that was resized.
    pub(super) fn in_image(self, image: [usize; 2]) -> SeenPart {
        let scale = |axis: usize| image[axis] as f64 / self.resized[axis] as f64;
        SeenPart {
            offset: std::array::from_fn(|axis| self.offset[axis] as f64 * scale(axis)),
            size: std::array::from_fn(|axis| self.size[axis] as f64 * scale(axis)),
        }
    }

    /// Creates the resized size and the central window of `size` (height, width) for an image of size
    /// `image` (height, width), of which the fraction `crop_fraction` (more than 0, at most 1) of
    /// the resized side is kept.
    pub(super) fn new(
        image: [usize; 2],
        size: [usize; 2],
        mode: ResizeMode,
        crop_fraction: f64,
    ) -> Self {
        // timm: scale_size = floor(x / crop_pct). Not below `size`, since the fraction is at most 1.
        let scaled = size.map(|side| (side as f64 / crop_fraction).floor() as usize);
        let resized = match mode {
            ResizeMode::Exact => scaled,
            ResizeMode::ShortestSide if scaled[0] == scaled[1] => shortest_side(image, scaled[0]),
            ResizeMode::ShortestSide => covering(image, scaled),
        };
        let offset = std::array::from_fn(|axis| center_offset(resized[axis], size[axis]));
        Self {
            resized,
            offset,
            size,
        }
    }
}

/// Returns the size of torchvision's `_compute_resized_output_size`: the longer side is `int(side * long / short)`.
fn shortest_side([height, width]: [usize; 2], side: usize) -> [usize; 2] {
    if width <= height {
        [scale(side, height, width), side]
    } else {
        [side, scale(side, width, height)]
    }
}

/// Returns `side * long / short`, rounded down.
fn scale(side: usize, long: usize, short: usize) -> usize {
    let scaled = side as u128 * long as u128 / short as u128;
    usize::try_from(scaled).unwrap_or(usize::MAX)
}

/// Returns the size of timm's `ResizeKeepRatio(longest=0)`, which it uses if the size isn't square: the smallest size
/// with the image's proportions that covers `target`.
fn covering(image: [usize; 2], target: [usize; 2]) -> [usize; 2] {
    let [vertical, horizontal] = [0, 1].map(|axis| image[axis] as f64 / target[axis] as f64);
    let ratio = vertical.min(horizontal);
    std::array::from_fn(|axis| {
        let rounded = (image[axis] as f64 / ratio).round_ties_even() as usize;
        rounded.max(target[axis])
    })
}

/// Returns the offset of torchvision's `center_crop`: `int(round((side - window) / 2))`; Python rounds halves to
/// even.
fn center_offset(side: usize, window: usize) -> usize {
    (side.saturating_sub(window) as f64 / 2.0).round_ties_even() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shortest(image: [usize; 2], size: usize, crop_fraction: f64) -> ResizedCrop {
        ResizedCrop::new(image, [size, size], ResizeMode::ShortestSide, crop_fraction)
    }

    #[test]
    fn the_longer_side_is_rounded_down() {
        // int(333 * 500 / 375) = 444, int(333 * 640 / 427) = int(499.1) = 499
        let crop = shortest([375, 500], 299, 0.8975);
        assert_eq!(crop.resized, [333, 444]);
        assert_eq!(crop.offset, [17, 72]); // 72.5 goes to 72
        assert_eq!(shortest([640, 427], 299, 0.8975).resized, [499, 333]);
    }

    #[test]
    fn halves_are_rounded_to_even() {
        assert_eq!(center_offset(33, 32), 0); // 0.5
        assert_eq!(center_offset(35, 32), 2); // 1.5
        assert_eq!(center_offset(37, 32), 2); // 2.5
        assert_eq!(center_offset(32, 32), 0);
    }

    #[test]
    fn exact_sizes_ignore_the_proportions() {
        let crop = ResizedCrop::new([10, 1000], [299, 200], ResizeMode::Exact, 1.0);
        assert_eq!(crop.resized, [299, 200]);
        assert_eq!(crop.offset, [0, 0]);
        let squash = ResizedCrop::new([10, 1000], [224, 224], ResizeMode::Exact, 0.875);
        assert_eq!(squash.resized, [256, 256]);
        assert_eq!(squash.offset, [16, 16]);
    }

    #[test]
    fn sizes_that_are_not_square_are_covered() {
        // ratio = min(480 / 128, 640 / 256) = 2.5
        let crop = ResizedCrop::new([480, 640], [128, 256], ResizeMode::ShortestSide, 1.0);
        assert_eq!(crop.resized, [192, 256]);
        assert_eq!(crop.offset, [32, 0]);
    }

    #[test]
    fn the_window_is_found_in_the_image() {
        // 400 x 800 is resized to 100 x 200, of which the middle 80 x 80 stay.
        let seen = shortest([400, 800], 80, 0.8).in_image([400, 800]);
        assert_eq!(seen.offset, [40.0, 240.0]);
        assert_eq!(seen.size, [320.0, 320.0]);
        let all = ResizedCrop::new([10, 1000], [50, 50], ResizeMode::Exact, 1.0);
        let seen = all.in_image([10, 1000]);
        assert_eq!((seen.offset, seen.size), ([0.0, 0.0], [10.0, 1000.0]));
    }

    #[test]
    fn the_window_is_always_inside() {
        for image in [[1, 1], [1, 65_535], [65_535, 1], [7, 5], [300, 299]] {
            for size in [[299, 299], [71, 71], [30, 50], [1, 1]] {
                for mode in [ResizeMode::Exact, ResizeMode::ShortestSide] {
                    for fraction in [1.0, 0.8975, 0.965, 0.5] {
                        let crop = ResizedCrop::new(image, size, mode, fraction);
                        for axis in 0..2 {
                            assert!(
                                crop.offset[axis] + crop.size[axis] <= crop.resized[axis],
                                "{image:?} {crop:?}"
                            );
                        }
                    }
                }
            }
        }
    }
}
