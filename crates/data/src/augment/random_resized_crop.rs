//! Random crops of random size and shape, resized to the network's input.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xception_images::Window;
use xception_messages::Bounds;

use super::ImageKey;
use crate::keyed_rng::{Purpose, keyed_rng};

const AREA: Bounds = Bounds::above(0.0).at_most(1.0);
const ASPECT_RATIO: Bounds = Bounds::at_least(0.01).at_most(100.0);
// Constants, since an attribute takes an array only where another crate turns on all of `syn`.
const AREA_EXAMPLE: [f64; 2] = [0.3, 1.0];
const ASPECT_RATIO_EXAMPLE: [f64; 2] = [0.8, 1.25];
/// Crops that are drawn before the central one is taken, as in torchvision.
const ATTEMPTS: usize = 10;

/// The crop of Inception (Szegedy et al., "Going Deeper with Convolutions", 2015, section 6): a part of the image, with its area
/// and aspect ratio drawn at random, that is resized to the input's size.
///
/// The draw is that of torchvision's `RandomResizedCrop`: the area evenly, the logarithm of the ratio evenly, the place evenly;
/// where ten draws don't fit into the image, the largest central crop with a ratio within the range. Of an image in a file only
/// the crop is decoded, at a reduced size where it stays as large as the input
/// ([`WindowResize::reducing_gap`](xception_images::WindowResize) is 1).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(description = "A crop of random area and aspect ratio, resized to the input's size.")]
pub struct RandomResizedCrop {
    /// The least and the largest share of the image's area.
    #[schemars(example = AREA_EXAMPLE, transform = AREA.of_items())]
    pub area: [f64; 2],
    /// The least and the largest width in heights.
    #[schemars(example = ASPECT_RATIO_EXAMPLE, transform = ASPECT_RATIO.of_items())]
    pub aspect_ratio: [f64; 2],
}

impl Default for RandomResizedCrop {
    fn default() -> Self {
        Self {
            area: [0.08, 1.0],
            aspect_ratio: [3.0 / 4.0, 4.0 / 3.0],
        }
    }
}

impl RandomResizedCrop {
    /// Returns the first option that is out of its range: its name, its value and what is expected.
    pub(super) fn out_of_range(&self) -> Option<(&'static str, String, String)> {
        let options = [
            ("area", self.area, AREA),
            ("aspect_ratio", self.aspect_ratio, ASPECT_RATIO),
        ];
        let wrong = options.into_iter().find(|(_, [least, most], bounds)| {
            !bounds.contains(*least) || !bounds.contains(*most) || least > most
        });
        wrong.map(|(name, range, bounds)| {
            let expected = format!("two rising numbers, each {bounds}");
            (name, format!("{range:?}"), expected)
        })
    }

    /// Draws the crop of an image of `size` (height, width), in pixels.
    pub(crate) fn window(&self, size: [usize; 2], key: ImageKey) -> Window {
        let [height, width] = size;
        let mut rng = keyed_rng(
            Purpose::RandomResizedCrop,
            key.seed,
            key.epoch,
            key.index.into(),
        );
        let [least, most] = self.aspect_ratio;
        for _ in 0..ATTEMPTS {
            let area = between(&mut rng, self.area) * (height * width) as f64;
            let ratio = between(&mut rng, [least.ln(), most.ln()]).exp();
            let drawn =
                [area / ratio, area * ratio].map(|side| side.sqrt().round_ties_even() as usize);
            if (0..2).all(|axis| (1..=size[axis]).contains(&drawn[axis])) {
                let offset =
                    [0, 1].map(|axis| rng.random_range(0..=(size[axis] - drawn[axis]) as u64));
                return Window {
                    offset: offset.map(|offset| offset as usize),
                    size: drawn,
                };
            }
        }
        let ratio = width as f64 / height as f64;
        let [tall, wide] = [height, width].map(|side| side as f64);
        let largest = if ratio < least {
            [(wide / least).round_ties_even(), wide]
        } else if ratio > most {
            [tall, (tall * most).round_ties_even()]
        } else {
            [tall, wide]
        };
        let largest = [0, 1].map(|axis| (largest[axis] as usize).clamp(1, size[axis]));
        Window {
            offset: [0, 1].map(|axis| (size[axis] - largest[axis]) / 2),
            size: largest,
        }
    }
}

/// Draws a number evenly.
fn between(rng: &mut impl Rng, [least, most]: [f64; 2]) -> f64 {
    least + (most - least) * rng.random::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(crop: RandomResizedCrop, size: [usize; 2], count: u32) -> Vec<Window> {
        let key = |index| ImageKey {
            seed: 3,
            epoch: 1,
            index,
        };
        (0..count)
            .map(|index| crop.window(size, key(index)))
            .collect()
    }

    /// The figures are those of 200,000 draws of torchvision 0.29's `RandomResizedCrop.get_params` for an image of 375 x 500
    /// pixels: share of the area, logarithm of the aspect ratio, and offset in the free space, means and standard deviations.
    #[test]
    fn crops_are_distributed_as_torchvisions() {
        let size = [375, 500];
        let windows = windows(RandomResizedCrop::default(), size, 40_000);
        let moments = |value: &dyn Fn(&Window) -> Option<f64>| {
            let values: Vec<f64> = windows.iter().filter_map(value).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
            (mean, (square / values.len() as f64).sqrt())
        };
        let area = moments(&|w| Some((w.size[0] * w.size[1]) as f64 / (375.0 * 500.0)));
        let ratio = moments(&|w| Some((w.size[1] as f64 / w.size[0] as f64).ln()));
        let offset = |axis: usize| {
            moments(&|w: &Window| {
                let free = size[axis] - w.size[axis];
                (free > 20).then(|| w.offset[axis] as f64 / free as f64)
            })
        };
        for (found, expected) in [
            (area, AREA_MOMENTS),
            (ratio, RATIO_MOMENTS),
            (offset(0), (0.5, 1.0 / 12.0_f64.sqrt())),
            (offset(1), (0.5, 1.0 / 12.0_f64.sqrt())),
        ] {
            assert!(
                (found.0 - expected.0).abs() < 0.006,
                "{found:?} {expected:?}"
            );
            assert!(
                (found.1 - expected.1).abs() < 0.006,
                "{found:?} {expected:?}"
            );
        }
    }

    const AREA_MOMENTS: (f64, f64) = (0.43388, 0.21679);
    const RATIO_MOMENTS: (f64, f64) = (0.03081, 0.16413);

    #[test]
    fn what_never_fits_is_the_largest_central_crop() {
        let crop = RandomResizedCrop {
            area: [1.0, 1.0],
            ..RandomResizedCrop::default()
        };
        let all = |size| windows(crop, size, 50);
        let window = |offset, size| Window { offset, size };
        assert!(
            all([300, 90])
                .iter()
                .all(|w| *w == window([90, 0], [120, 90]))
        );
        assert!(
            all([90, 300])
                .iter()
                .all(|w| *w == window([0, 90], [90, 120]))
        );
        assert!(all([1, 1]).iter().all(|w| *w == window([0, 0], [1, 1])));
    }

    #[test]
    fn crops_are_within_images_of_any_shape() {
        for size in [[1, 1], [1, 1000], [1000, 1], [3, 7], [32, 32]] {
            for window in windows(RandomResizedCrop::default(), size, 300) {
                for axis in 0..2 {
                    assert!(window.size[axis] > 0);
                    assert!(window.offset[axis] + window.size[axis] <= size[axis]);
                }
            }
        }
    }

    #[test]
    fn ranges_that_are_none_are_named() {
        let crop = RandomResizedCrop::default();
        assert_eq!(crop.out_of_range(), None);
        let reversed = RandomResizedCrop {
            aspect_ratio: [2.0, 1.0],
            ..crop
        };
        assert_eq!(reversed.out_of_range().unwrap().0, "aspect_ratio");
        for area in [[0.0, 1.0], [0.5, 1.5], [f64::NAN, 1.0]] {
            assert_eq!(
                RandomResizedCrop { area, ..crop }.out_of_range().unwrap().0,
                "area"
            );
        }
    }
}
