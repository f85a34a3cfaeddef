//! The division of bottlenecks into groups, in which ResNeXt differs from ResNet.

use super::block::BlockKind;
use crate::ModelError;
use crate::limits;
use crate::width::{Width, divisor_in_groups, nearest_multiple};
use xception_messages::Bounds;

/// Range of the number of groups.
pub(super) const GROUPS: Bounds = Bounds::at_least(1.0).at_most(limits::GROUPS as f64);
/// Range of the channels of a group.
pub(super) const WIDTH_PER_GROUP: Bounds =
    Bounds::at_least(1.0).at_most(limits::WIDTH_PER_GROUP as f64);

/// Channels of ResNet's first stage, which `width_per_group` counts in its single group.
const FIRST_STAGE: usize = 64;

/// The groups of a bottleneck (S. Xie et al., *Aggregated Residual Transformations*, 2017, section 3.3 and figure 3c):
/// their number, which the paper calls cardinality, and the channels of each in the first stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cardinality {
    pub(super) groups: usize,
    pub(super) width_per_group: usize,
}

impl Cardinality {
    /// ResNet's bottleneck, in one group.
    pub(super) const RESNET: Self = Self {
        groups: 1,
        width_per_group: FIRST_STAGE,
    };

    /// Checks that the numbers are in their ranges, and that the blocks can be divided.
    pub(super) fn check(self, kind: BlockKind) -> Result<(), ModelError> {
        GROUPS.check_count("groups", self.groups)?;
        WIDTH_PER_GROUP.check_count("width_per_group", self.width_per_group)?;
        if kind == BlockKind::Bottleneck {
            return Ok(());
        }
        let undivided = |option, found: usize, expected: usize| match found == expected {
            true => Ok(()),
            false => Err(ModelError::OutOfRange {
                option,
                found: found.to_string(),
                expected: format!(
                    "{expected} with a depth of 18 or 34: only bottlenecks are divided into groups, since a divided \
                     basic block is but a wider one (ResNeXt's paper, figure 4)"
                ),
            }),
        };
        undivided("groups", self.groups, Self::RESNET.groups)?;
        let width = Self::RESNET.width_per_group;
        undivided("width_per_group", self.width_per_group, width)
    }

    /// Returns the number of a bottleneck's inner channels, from the stage's published channels: torchvision's rule,
    /// `channels * width_per_group / 64 * groups`. The width multiplier rounds them to a multiple of the least common
    /// multiple of 8 and the groups, or of that part of it that divides the inner channels at width 1. Where the stage's
    /// number of channels is given, the inner channels are in proportion to it, and a multiple of the groups.
    pub(super) fn inner_channels(self, width: Width, channels: usize) -> usize {
        let first = self.groups * self.width_per_group;
        let published = first * channels / FIRST_STAGE;
        match width.given(channels) {
            Some(given) => {
                nearest_multiple((published * given) as f64 / channels as f64, self.groups)
            }
            None => width.multiple(published, divisor_in_groups(first, self.groups)),
        }
    }

    /// Returns the name of a network of this depth: that of ResNet, or `resnext50_32x4d` for 32 groups of 4 channels.
    pub(super) fn name(self, layers: usize) -> String {
        let Self {
            groups,
            width_per_group,
        } = self;
        match self == Self::RESNET {
            true => format!("resnet{layers}"),
            false => format!("resnext{layers}_{groups}x{width_per_group}d"),
        }
    }

    /// Finds the channels of each group that give the inner channels found in a file, each with the stage's published
    /// channels: a published number if one fits, else the one nearest to the ratio; `None` if none fits.
    #[cfg(feature = "weights")]
    pub(super) fn fitting(groups: usize, width: f64, stages: &[(usize, usize)]) -> Option<Self> {
        /// Channels of a group in ResNet; in ResNeXt 32x4d and 64x4d; and in 32x8d.
        const PUBLISHED: [usize; 3] = [FIRST_STAGE, 4, 8];

        GROUPS.check_count("groups", groups).ok()?;
        let multiplier = Width::new(width).ok()?;
        let of_width = |width_per_group| Self {
            groups,
            width_per_group,
        };
        let fits = |&width_per_group: &usize| {
            let cardinality = of_width(width_per_group);
            stages
                .iter()
                .all(|&(channels, found)| cardinality.inner_channels(multiplier, channels) == found)
        };
        let &(channels, found) = stages.iter().max()?;
        // The last stage has eight times the first one's channels, and rounding moves them by at most eight a group.
        let near = found as f64 / (groups * channels / FIRST_STAGE) as f64 / width;
        let reach = 1.0 / width;
        let first = (near - reach).floor().max(1.0) as usize;
        let last = ((near + reach).ceil() as usize).min(limits::WIDTH_PER_GROUP);
        let distance = |width_per_group: &usize| (*width_per_group as f64 - near).abs();
        let nearest = || {
            let fitting = (first..=last).filter(fits);
            fitting.min_by(|a, b| distance(a).total_cmp(&distance(b)))
        };
        let published = PUBLISHED.into_iter().find(fits);
        published.or_else(nearest).map(of_width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAGES: [usize; 4] = [64, 128, 256, 512];

    fn of(groups: usize, width_per_group: usize) -> Cardinality {
        Cardinality {
            groups,
            width_per_group,
        }
    }

    #[test]
    fn inner_channels_are_those_of_the_papers_table() {
        // Table 2 of the ResNeXt paper, for conv2, and ResNeXt-101's.
        for (groups, width_per_group, inner) in [
            (1, 64, 64),
            (2, 40, 80),
            (4, 24, 96),
            (8, 14, 112),
            (32, 4, 128),
            (32, 8, 256),
            (64, 4, 256),
        ] {
            let cardinality = of(groups, width_per_group);
            let one = Width::new(1.0).unwrap();
            let found = STAGES.map(|channels| cardinality.inner_channels(one, channels));
            assert_eq!(found, [inner, 2 * inner, 4 * inner, 8 * inner]);
        }
    }

    #[test]
    fn inner_channels_of_any_width_are_divisible_by_the_groups() {
        for groups in 1..=40 {
            for width_per_group in [1, 3, 4, 14, 64] {
                for width in [0.01, 0.1, 0.33, 1.0, 1.7] {
                    let width = Width::new(width).unwrap();
                    for channels in STAGES {
                        let inner = of(groups, width_per_group).inner_channels(width, channels);
                        assert!(inner > 0 && inner.is_multiple_of(groups));
                    }
                }
            }
        }
        let narrow = Width::new(0.3).unwrap();
        // Multiples of the least common multiple of 8 and 32.
        let inner = STAGES.map(|channels| of(32, 4).inner_channels(narrow, channels));
        assert_eq!(inner, [32, 64, 160, 320]);
    }

    #[cfg(feature = "weights")]
    #[test]
    fn the_channels_of_a_group_are_found_by_the_inner_channels() {
        for (groups, width_per_group) in [
            (1, 64),
            (1, 128),
            (2, 40),
            (4, 24),
            (8, 14),
            (32, 4),
            (3, 5),
        ] {
            for width in [0.125, 0.25, 0.5, 1.0, 1.5] {
                let cardinality = of(groups, width_per_group);
                let multiplier = Width::new(width).unwrap();
                let inner = |width: &Cardinality| {
                    STAGES.map(|channels| (channels, width.inner_channels(multiplier, channels)))
                };
                let found = Cardinality::fitting(groups, width, &inner(&cardinality)).unwrap();
                // Rounding makes different numbers the same network.
                assert_eq!(inner(&found), inner(&cardinality));
                if width == 1.0 {
                    assert_eq!(found, cardinality);
                }
            }
        }
        assert_eq!(
            Cardinality::fitting(32, 1.0, &[(64, 128), (128, 128)]),
            None
        );
        assert_eq!(Cardinality::fitting(usize::MAX, 1.0, &[(64, 128)]), None);
    }
}
