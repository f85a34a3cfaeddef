//! Resampling filters.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PreprocessingError;

/// The filter that an image is resampled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// The pixel under the center of the output pixel.
    Nearest,
    /// A triangle of radius 1.
    Bilinear,
    /// Keys' cubic convolution of radius 2 with a = -0.5, as in Pillow and `tf.image.resize` (PyTorch's
    /// `interpolate` and OpenCV use a = -0.75: not this filter).
    Bicubic,
}

/// Keys' parameter of the cubic.
const KEYS_A: f64 = -0.5;

/// The weights of a filter by distance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel {
    /// The distance from which on the weight is zero, in pixels.
    pub radius: f64,
    /// The weight at a distance, which isn't negative, in pixels.
    pub weight: fn(f64) -> f64,
}

/// The kernel of [`Filter::Bilinear`].
pub(super) const BILINEAR: Kernel = Kernel {
    radius: 1.0,
    weight: triangle,
};

/// The kernel of [`Filter::Bicubic`].
pub(super) const BICUBIC: Kernel = Kernel {
    radius: 2.0,
    weight: cubic,
};

impl Filter {
    /// All filters.
    pub const ALL: [Self; 3] = [Self::Nearest, Self::Bilinear, Self::Bicubic];

    /// Returns the filter's name, as in configuration files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Bilinear => "bilinear",
            Self::Bicubic => "bicubic",
        }
    }

    /// Returns the filter's weights; nearest neighbours have none.
    pub(super) fn kernel(self) -> Option<Kernel> {
        match self {
            Self::Nearest => None,
            Self::Bilinear => Some(BILINEAR),
            Self::Bicubic => Some(BICUBIC),
        }
    }
}

fn triangle(x: f64) -> f64 {
    (1.0 - x).max(0.0)
}

/// Evaluates the cubic of Keys, "Cubic convolution interpolation for digital image processing", 1981, equation 4.
fn cubic(x: f64) -> f64 {
    if x < 1.0 {
        ((KEYS_A + 2.0) * x - (KEYS_A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * KEYS_A
    } else {
        0.0
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Filter {
    type Err = PreprocessingError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|filter| filter.name() == name)
            .ok_or_else(|| PreprocessingError::UnknownName {
                what: "resampling filter",
                name: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cubic_interpolates() {
        assert_eq!([0.0, 1.0, 2.0].map(cubic), [1.0, 0.0, 0.0]);
        assert_eq!(cubic(0.5), 0.5625);
        assert_eq!(cubic(1.5), -0.0625);
    }

    #[test]
    fn names_are_read_back() {
        for filter in Filter::ALL {
            assert_eq!(filter.name().parse::<Filter>().unwrap(), filter);
            assert_eq!(
                serde_json::to_string(&filter).unwrap(),
                format!("\"{filter}\"")
            );
        }
        assert_eq!(
            "lanczos".parse::<Filter>().unwrap_err().to_string(),
            "there is no resampling filter `lanczos`; there are nearest, bilinear, bicubic"
        );
    }
}
