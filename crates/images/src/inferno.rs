//! The color map Inferno.

/// Coefficients of the polynomials for red, green and blue, from the constant to the sixth power:
/// Matt Zucker's fit of matplotlib's Inferno (Nathaniel Smith and Stefan van der Walt, CC0),
/// <https://www.shadertoy.com/view/WlfXRN>, CC0. At most 9 of 255 from the original's table.
const COEFFICIENTS: [[f32; 3]; 7] = [
    [0.000_218_940_37, 0.001_651_004_6, -0.019_480_898],
    [0.106_513_42, 0.563_956_44, 3.932_712_4],
    [11.602_493, -3.972_854, -15.942_394],
    [-41.703_996, 17.436_4, 44.354_145],
    [77.162_94, -33.402_36, -81.807_31],
    [-71.319_43, 32.626_064, 73.209_52],
    [25.131_126, -12.242_669, -23.070_325],
];

/// Returns Inferno's color for `value` from 0 (black) over red and orange to 1 (pale yellow).
///
/// Its lightness grows evenly, so that it also reads without color and for the color-blind. Values
/// outside [0, 1] take the color at the nearer end, as does NaN that of 0.
#[must_use]
pub fn inferno(value: f32) -> [u8; 3] {
    let value = value.clamp(0.0, 1.0);
    let color = COEFFICIENTS
        .iter()
        .rev()
        .fold([0.0f32; 3], |sum, coefficients| {
            std::array::from_fn(|channel| sum[channel] * value + coefficients[channel])
        });
    color.map(|channel| (channel * 255.0).round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// matplotlib 3.11's table at 0, 32, 64, .. 224 and 255 of 255.
    const MATPLOTLIB: [[u8; 3]; 9] = [
        [0, 0, 3],
        [32, 12, 74],
        [87, 15, 109],
        [137, 34, 105],
        [187, 55, 84],
        [228, 90, 49],
        [249, 142, 8],
        [248, 203, 52],
        [252, 254, 164],
    ];

    #[test]
    fn the_fit_is_close_to_matplotlib() {
        for (index, expected) in MATPLOTLIB.into_iter().enumerate() {
            let color = inferno((index * 32).min(255) as f32 / 255.0);
            let close = color
                .into_iter()
                .zip(expected)
                .all(|(a, b)| a.abs_diff(b) <= 9);
            assert!(close, "{index}: {color:?} instead of {expected:?}");
        }
    }

    #[test]
    fn values_outside_take_the_ends() {
        assert_eq!(inferno(-3.0), inferno(0.0));
        assert_eq!(inferno(f32::INFINITY), inferno(1.0));
        assert_eq!(inferno(f32::NAN), inferno(0.0));
    }

    #[test]
    fn lightness_grows() {
        let lightness = |value: f32| {
            let [red, green, blue] = inferno(value).map(f32::from);
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        for step in 0..20 {
            let value = step as f32 / 20.0;
            assert!(lightness(value + 0.05) > lightness(value));
        }
    }
}
