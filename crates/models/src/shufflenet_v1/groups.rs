//! The published numbers of groups of ShuffleNet V1.

use serde::{Deserialize, Serialize};

use crate::number_option::number_option;

/// A published number of groups in the 1x1 convolutions. More groups leave room for more channels at equal complexity
/// (table 1).
///
/// In JSON it is that number, such as `3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(into = "usize", try_from = "usize")]
pub enum ShuffleNetGroups {
    /// One group: 144, 288 and 576 channels.
    One,
    /// Two groups: 200, 400 and 800 channels.
    Two,
    /// Three groups: 240, 480 and 960 channels.
    #[default]
    Three,
    /// Four groups: 272, 544 and 1088 channels.
    Four,
    /// Eight groups: 384, 768 and 1536 channels.
    Eight,
}

impl ShuffleNetGroups {
    /// All numbers of groups, from the smallest to the largest.
    pub const ALL: [Self; 5] = [Self::One, Self::Two, Self::Three, Self::Four, Self::Eight];

    /// Returns the number of groups.
    pub const fn number(self) -> usize {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// Returns the output channels of the first stage; each stage after it has twice as many (table 1).
    pub(super) const fn channels(self) -> usize {
        match self {
            Self::One => 144,
            Self::Two => 200,
            Self::Three => 240,
            Self::Four => 272,
            Self::Eight => 384,
        }
    }
}

number_option!(ShuffleNetGroups, number, "groups");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_number_in_json() {
        for groups in ShuffleNetGroups::ALL {
            let text = serde_json::to_string(&groups).unwrap();
            assert_eq!(text, groups.number().to_string());
            assert_eq!(
                serde_json::from_str::<ShuffleNetGroups>(&text).unwrap(),
                groups
            );
        }
    }

    #[test]
    fn another_number_is_an_error_that_lists_the_published_ones() {
        let error = serde_json::from_str::<ShuffleNetGroups>("5").unwrap_err();
        let error = error.to_string();
        assert!(error.contains("`groups` is 5"), "{error}");
        assert!(error.contains("1, 2, 3, 4 or 8"), "{error}");
    }
}
