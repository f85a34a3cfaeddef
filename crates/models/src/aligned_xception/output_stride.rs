//! The ratio of an image's size to that of the last map.

use serde::{Deserialize, Serialize};

use crate::number_option::number_option;

/// The ratio of an image's side to that of the last map, for networks whose maps are used pixel by pixel, as in
/// segmentation (L.-C. Chen et al., *Encoder-Decoder with Atrous Separable Convolution*, 2018, section 3.1). A stride
/// beyond it is left out, and the windows after that are dilated by it, so that they take in the same part of the image.
///
/// In JSON it is that number, such as `16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(into = "usize", try_from = "usize")]
pub enum OutputStride {
    /// 32, for classification: all strides, without dilation.
    #[default]
    ThirtyTwo,
    /// 16: the last stride is left out.
    Sixteen,
    /// 8: the last two strides are left out.
    Eight,
}

impl OutputStride {
    /// All output strides, from the largest to the smallest.
    pub const ALL: [Self; 3] = [Self::ThirtyTwo, Self::Sixteen, Self::Eight];

    /// Returns the ratio.
    pub const fn number(self) -> usize {
        match self {
            Self::ThirtyTwo => 32,
            Self::Sixteen => 16,
            Self::Eight => 8,
        }
    }
}

number_option!(OutputStride, number, "output_stride");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_number_in_json() {
        for stride in OutputStride::ALL {
            let text = serde_json::to_string(&stride).unwrap();
            assert_eq!(text, stride.number().to_string());
            assert_eq!(serde_json::from_str::<OutputStride>(&text).unwrap(), stride);
        }
    }

    #[test]
    fn another_number_is_an_error_that_lists_those_there_are() {
        let error = serde_json::from_str::<OutputStride>("4").unwrap_err();
        let error = error.to_string();
        assert!(error.contains("`output_stride` is 4"), "{error}");
        assert!(error.contains("8, 16 or 32"), "{error}");
    }
}
