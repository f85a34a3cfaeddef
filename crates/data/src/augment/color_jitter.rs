//! Random changes of brightness, contrast, saturation and hue.

use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xception_messages::Bounds;

use super::ImageKey;
use crate::keyed_rng::{Purpose, keyed_rng};

const STRENGTH: Bounds = Bounds::at_least(0.0).at_most(10.0);
const HUE: Bounds = Bounds::at_least(0.0).at_most(0.5);
/// The weights of red, green and blue in gray (ITU-R BT.601), as torchvision has them.
const GRAY: [f32; 3] = [0.2989, 0.587, 0.114];

/// Changes of color, as torchvision's `ColorJitter` makes them: each by a factor drawn evenly, in an order drawn for each image.
///
/// The changes are computed in single precision, without rounding to 8 bits in between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(description = "Random changes of color; 0 for none.")]
pub struct ColorJitter {
    /// The brightness is multiplied by 1 minus this, but 0 at least, to 1 plus this.
    #[schemars(example = 0.4, transform = STRENGTH.of_number())]
    pub brightness: f64,
    /// The distance to the image's mean gray is multiplied likewise.
    #[schemars(example = 0.4, transform = STRENGTH.of_number())]
    pub contrast: f64,
    /// The distance to the pixel's gray is multiplied likewise.
    #[schemars(example = 0.4, transform = STRENGTH.of_number())]
    pub saturation: f64,
    /// The hue is turned by this share of the circle at most, in either direction.
    #[schemars(example = 0.1, transform = HUE.of_number())]
    pub hue: f64,
}

/// One change of color by its factor, or of hue by its share of the circle.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    Brightness(f32),
    Contrast(f32),
    Saturation(f32),
    Hue(f32),
}

impl ColorJitter {
    /// Returns the first option that is out of its range: its name, its value and what is expected.
    pub(super) fn out_of_range(&self) -> Option<(&'static str, String, String)> {
        let options = [
            ("brightness", self.brightness, STRENGTH),
            ("contrast", self.contrast, STRENGTH),
            ("saturation", self.saturation, STRENGTH),
            ("hue", self.hue, HUE),
        ];
        let wrong = options
            .into_iter()
            .find(|(_, value, bounds)| !bounds.contains(*value));
        wrong.map(|(name, value, bounds)| (name, value.to_string(), bounds.to_string()))
    }

    /// Changes the colors of an image, `[3, height, width]`, with values from 0 to 1.
    pub(super) fn apply(&self, key: ImageKey, image: &mut [f32]) {
        for change in self.draw(key) {
            change.apply(image);
        }
    }

    /// Draws the changes in their order. Always draws the same numbers, whatever is switched on: turning one change off leaves
    /// the others as they are.
    fn draw(&self, key: ImageKey) -> Vec<Change> {
        let mut rng = keyed_rng(Purpose::ColorJitter, key.seed, key.epoch, key.index.into());
        let mut factor = |strength: f64| {
            let (least, most) = ((1.0 - strength).max(0.0), 1.0 + strength);
            (least + (most - least) * rng.random::<f64>()) as f32
        };
        let mut changes = [
            (self.brightness, Change::Brightness(factor(self.brightness))),
            (self.contrast, Change::Contrast(factor(self.contrast))),
            (self.saturation, Change::Saturation(factor(self.saturation))),
            (self.hue, Change::Hue(factor(self.hue) - 1.0)),
        ];
        for last in (1..changes.len()).rev() {
            changes.swap(last, rng.random_range(0..=last as u32) as usize);
        }
        let changes = changes.into_iter().filter(|(strength, _)| *strength > 0.0);
        changes.map(|(_, change)| change).collect()
    }
}

impl Change {
    fn apply(self, image: &mut [f32]) {
        let (red, rest) = image.split_at_mut(image.len() / 3);
        let (green, blue) = rest.split_at_mut(red.len());
        match self {
            Self::Brightness(factor) => blend(image, factor, 0.0),
            Self::Contrast(factor) => {
                let pixels = red.iter().zip(&*green).zip(&*blue);
                // In double precision, since there may be millions of terms.
                let sum: f64 = pixels
                    .map(|((r, g), b)| f64::from(gray([*r, *g, *b])))
                    .sum();
                let mean = sum / red.len().max(1) as f64;
                blend(image, factor, mean as f32);
            }
            Self::Saturation(factor) => each_pixel(red, green, blue, |pixel| {
                let gray = (1.0 - factor) * gray(pixel);
                pixel.map(|value| (factor * value + gray).clamp(0.0, 1.0))
            }),
            Self::Hue(turn) => each_pixel(red, green, blue, |pixel| turned(pixel, turn)),
        }
    }
}

/// Multiplies the distance of all values to a value.
fn blend(image: &mut [f32], factor: f32, to: f32) {
    let rest = (1.0 - factor) * to;
    for value in image {
        *value = (factor * *value + rest).clamp(0.0, 1.0);
    }
}

fn each_pixel(
    red: &mut [f32],
    green: &mut [f32],
    blue: &mut [f32],
    change: impl Fn([f32; 3]) -> [f32; 3],
) {
    for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
        [*red, *green, *blue] = change([*red, *green, *blue]);
    }
}

fn gray([red, green, blue]: [f32; 3]) -> f32 {
    GRAY[0] * red + GRAY[1] * green + GRAY[2] * blue
}

/// Turns the hue of a pixel by a share of the circle: in the hexagonal model of hue, saturation and value (Smith, "Color Gamut
/// Transform Pairs", 1978).
fn turned(pixel: [f32; 3], turn: f32) -> [f32; 3] {
    let [red, green, blue] = pixel;
    let most = red.max(green).max(blue);
    let range = most - red.min(green).min(blue);
    if range == 0.0 {
        return pixel; // gray has no hue
    }
    let sector = if most == red {
        (green - blue) / range
    } else if most == green {
        2.0 + (blue - red) / range
    } else {
        4.0 + (red - green) / range
    };
    let hue = (sector / 6.0 + turn).rem_euclid(1.0) * 6.0;
    // The distance of each channel's hue, 0, 2 and 4 of 6, says how much of the range it lacks.
    [0.0, 2.0, 4.0].map(|own| {
        let distance = (hue - own).abs();
        let distance = distance.min(6.0 - distance);
        (most - range * (distance - 1.0).clamp(0.0, 1.0)).clamp(0.0, 1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six pixels, [3, 2, 3].
    const PIXELS: [u8; 18] = [
        250, 10, 40, 128, 0, 77, 30, 200, 90, 128, 0, 60, 20, 60, 220, 128, 0, 80,
    ];

    fn key(index: u32) -> ImageKey {
        ImageKey {
            seed: 1,
            epoch: 2,
            index,
        }
    }

    fn changed(changes: &[Change]) -> Vec<f32> {
        let mut image = PIXELS.map(|value| f32::from(value) / 255.0);
        for change in changes {
            change.apply(&mut image);
        }
        image.to_vec()
    }

    /// The expected values are those of torchvision 0.29's `adjust_brightness` and others, of images in double precision.
    #[test]
    fn changes_are_torchvisions() {
        let all = [
            Change::Contrast(1.4),
            Change::Hue(0.3),
            Change::Saturation(0.5),
            Change::Brightness(0.8),
        ];
        for (changes, expected) in [
            (&[Change::Brightness(1.3)][..], BRIGHTER),
            (&[Change::Contrast(0.6)], LESS_CONTRAST),
            (&[Change::Saturation(1.5)], MORE_SATURATION),
            (&[Change::Hue(-0.2)], OTHER_HUE),
            (&all, ALL),
        ] {
            for (found, expected) in changed(changes).iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 2e-5,
                    "{changes:?}: {found} {expected}"
                );
            }
        }
    }

    const BRIGHTER: [f32; 18] = [
        1.000000, 0.050980, 0.203922, 0.652549, 0.000000, 0.392549, 0.152941, 1.000000, 0.458824,
        0.652549, 0.000000, 0.305882, 0.101961, 0.305882, 1.000000, 0.652549, 0.000000, 0.407843,
    ];
    const LESS_CONTRAST: [f32; 18] = [
        0.720798, 0.156092, 0.226680, 0.433739, 0.132563, 0.313739, 0.203151, 0.603151, 0.344327,
        0.433739, 0.132563, 0.273739, 0.179622, 0.273739, 0.650210, 0.433739, 0.132563, 0.320798,
    ];
    const MORE_SATURATION: [f32; 18] = [
        1.000000, 0.000000, 0.059086, 0.501986, 0.000000, 0.320872, 0.000000, 0.927002, 0.353204,
        0.501986, 0.000000, 0.220872, 0.000000, 0.103473, 1.000000, 0.501986, 0.000000, 0.338519,
    ];
    const OTHER_HUE: [f32; 18] = [
        0.839216, 0.737255, 0.156863, 0.501961, 0.000000, 0.235294, 0.078431, 0.784314, 0.862745,
        0.501961, 0.000000, 0.262745, 0.980392, 0.039216, 0.525490, 0.501961, 0.000000, 0.313726,
    ];
    const ALL: [f32; 18] = [
        0.322012, 0.045976, 0.564811, 0.456123, 0.000000, 0.231279, 0.654869, 0.044475, 0.199629,
        0.456123, 0.000000, 0.215907, 0.254869, 0.430665, 0.382470, 0.456123, 0.000000, 0.187358,
    ];

    #[test]
    fn factors_and_orders_cover_their_range_evenly() {
        let jitter = ColorJitter {
            brightness: 0.4,
            contrast: 2.0,
            saturation: 0.1,
            hue: 0.25,
        };
        let mut firsts = [0; 4];
        let (mut brightness, mut contrast, mut hue) = (0.0, 0.0, 0.0);
        for index in 0..8_000 {
            let changes = jitter.draw(key(index));
            assert_eq!(changes.len(), 4);
            for (place, change) in changes.into_iter().enumerate() {
                let kind = match change {
                    Change::Brightness(factor) => {
                        assert!((0.6..=1.4).contains(&factor));
                        brightness += f64::from(factor);
                        0
                    }
                    Change::Contrast(factor) => {
                        assert!((0.0..=3.0).contains(&factor));
                        contrast += f64::from(factor);
                        1
                    }
                    Change::Saturation(factor) => {
                        assert!((0.9..=1.1).contains(&factor));
                        2
                    }
                    Change::Hue(turn) => {
                        assert!((-0.25..=0.25).contains(&turn));
                        hue += f64::from(turn);
                        3
                    }
                };
                firsts[kind] += usize::from(place == 0);
            }
        }
        for (sum, mean, error) in [
            (brightness, 1.0, 0.011),
            (contrast, 1.5, 0.04),
            (hue, 0.0, 0.007),
        ] {
            assert!((sum / 8_000.0 - mean).abs() < error, "{sum}");
        }
        assert!(
            firsts.iter().all(|count| (1_850..2_150).contains(count)),
            "{firsts:?}"
        );
    }

    #[test]
    fn turning_a_change_off_leaves_the_others() {
        let all = ColorJitter {
            brightness: 0.4,
            contrast: 0.4,
            saturation: 0.4,
            hue: 0.1,
        };
        let without = ColorJitter {
            contrast: 0.0,
            ..all
        };
        for index in 0..50 {
            let mut expected = all.draw(key(index));
            expected.retain(|change| !matches!(change, Change::Contrast(_)));
            assert_eq!(without.draw(key(index)), expected);
        }
        assert!(ColorJitter::default().draw(key(0)).is_empty());
    }

    #[test]
    fn strengths_out_of_range_are_named() {
        let of = |hue, brightness| ColorJitter {
            hue,
            brightness,
            ..ColorJitter::default()
        };
        assert_eq!(of(0.5, 1.0).out_of_range(), None);
        assert_eq!(of(0.6, 1.0).out_of_range().unwrap().0, "hue");
        assert_eq!(of(0.0, -1.0).out_of_range().unwrap().0, "brightness");
    }
}
