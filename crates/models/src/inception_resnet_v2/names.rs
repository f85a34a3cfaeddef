//! The convolutions under their names in timm and in TF-Slim, in the order in which timm and Keras make them.
//!
//! | here | timm | TF-Slim |
//! |---|---|---|
//! | `stem.convolutions.0` to `.4` | `conv2d_1a` to `conv2d_4a` | `Conv2d_1a_3x3` to `Conv2d_4a_3x3` |
//! | `mixed_5b`, `mixed_6a`, `mixed_7a` | the same | `Mixed_5b`, `Mixed_6a`, `Mixed_7a` |
//! | `block35.I` | `repeat.I` | `Block35_(I + 1)` |
//! | `block17.I` | `repeat_1.I` | `Block17_(I + 1)` |
//! | `block8.I`, and the last | `repeat_2.I`, and `block8` | `Block8_(I + 1)` |
//! | `conv_7b` | `conv2d_7b` | `Conv2d_7b_1x1` |
//!
//! In a module `branches.B.I` is `branchB.I` in timm, or `branchB` if the branch has one convolution. In TF-Slim it is
//! `Branch_B_Conv2d_0a_1x1`, with the letter of its place and its kernel; `Branch_B_Conv2d_1a_3x3` if it has stride 2, and
//! `Branch_B_Conv2d_1x1` if it is the only one and hasn't. `branch_pool` is `branch3.1` and `Branch_3_Conv2d_0b_1x1`, and
//! `expansion` is `conv2d` and `Conv2d_1x1`.

use super::branches::{Branches, Row};
use super::config::{BLOCK8, BLOCK17, BLOCK35, CONV_7B, MIXED_6A, MIXED_7A};
use super::{InceptionResNetV2Config, STEM_STAGES, mixed_5b};
use crate::inception_v3::stem;

/// Name of a module: the path here, and the names in timm and TF-Slim.
type ModuleName<'a> = [&'a str; 3];

/// A convolution under all of its names.
pub(super) struct Convolution {
    /// Path of the layer here.
    pub(super) module: String,
    pub(super) timm: String,
    pub(super) slim: String,
    /// Published number of output channels. `None` for the expansion in a block, which has as many as the block's input,
    /// and a bias in place of normalization.
    pub(super) channels: Option<usize>,
}

/// All convolutions.
#[derive(Default)]
pub(super) struct Names {
    pub(super) convolutions: Vec<Convolution>,
    /// For each convolution in the list of a Keras model, its index here. The list is sorted by the distance from the
    /// output, so that it goes through the branches of a module at the same time, the longest first.
    pub(super) keras_order: Vec<usize>,
}

impl Names {
    pub(super) fn new(config: &InceptionResNetV2Config) -> Self {
        let mut names = Self::default();
        let stem_names = STEM_STAGES.convolutions.iter();
        let published = stem::NAMES.convolutions.iter().zip(&stem::ROWS);
        for (index, (timm, (slim, row))) in stem_names.zip(published).enumerate() {
            let name = [&format!("stem.convolutions.{index}"), *timm, *slim];
            names.convolution(name, row.channels);
        }
        let pooled = Some(mixed_5b::POOLED);
        names.branches(
            ["mixed_5b", "mixed_5b", "Mixed_5b"],
            mixed_5b::BRANCHES,
            pooled,
        );
        for (index, number) in (1..=config.block35).enumerate() {
            let here = format!("block35.{index}");
            let timm = format!("repeat.{index}");
            let slim = format!("Block35_{number}");
            names.block([&here, &timm, &slim], BLOCK35.branches);
        }
        names.branches(["mixed_6a", "mixed_6a", "Mixed_6a"], MIXED_6A, None);
        for (index, number) in (1..=config.block17).enumerate() {
            let here = format!("block17.{index}");
            let timm = format!("repeat_1.{index}");
            let slim = format!("Block17_{number}");
            names.block([&here, &timm, &slim], BLOCK17.branches);
        }
        names.branches(["mixed_7a", "mixed_7a", "Mixed_7a"], MIXED_7A, None);
        for (index, number) in (1..=config.block8).enumerate() {
            let here = format!("block8.{index}");
            let timm = match number == config.block8 {
                true => "block8".to_owned(),
                false => format!("repeat_2.{index}"),
            };
            let slim = format!("Block8_{number}");
            names.block([&here, &timm, &slim], BLOCK8.branches);
        }
        names.convolution(["conv_7b", "conv2d_7b", "Conv2d_7b_1x1"], CONV_7B);
        names
    }

    /// Adds a convolution outside of modules.
    fn convolution(&mut self, [module, timm, slim]: ModuleName, channels: usize) {
        self.keras_order.push(self.convolutions.len());
        self.convolutions.push(Convolution {
            module: module.to_owned(),
            timm: timm.to_owned(),
            slim: slim.to_owned(),
            channels: Some(channels),
        });
    }

    /// Adds a block.
    fn block(&mut self, name: ModuleName, branches: Branches) {
        self.branches(name, branches, None);
        let [module, timm, slim] = name;
        self.keras_order.push(self.convolutions.len());
        self.convolutions.push(Convolution {
            module: format!("{module}.expansion"),
            timm: format!("{timm}.conv2d"),
            slim: format!("{slim}_Conv2d_1x1"),
            channels: None,
        });
    }

    /// Adds the branches of a module, and the convolution after its pool, if there is one.
    fn branches(
        &mut self,
        [module, timm, slim]: ModuleName,
        branches: Branches,
        pooled: Option<Row>,
    ) {
        let first = self.convolutions.len();
        for (branch, rows) in branches.iter().enumerate() {
            for (index, row) in rows.iter().enumerate() {
                let timm = format!("{timm}.branch{branch}");
                self.convolutions.push(Convolution {
                    module: format!("{module}.branches.{branch}.{index}"),
                    timm: match rows.len() {
                        1 => timm,
                        _ => format!("{timm}.{index}"),
                    },
                    slim: format!("{slim}_Branch_{branch}_{}", slim_name(rows, index, row)),
                    channels: Some(row.channels),
                });
            }
        }
        let branch = branches.len();
        if let Some(row) = pooled {
            self.convolutions.push(Convolution {
                module: format!("{module}.branch_pool"),
                timm: format!("{timm}.branch{branch}.1"),
                slim: format!("{slim}_Branch_{branch}_Conv2d_0b_1x1"),
                channels: Some(row.channels),
            });
        }

        let lengths = branches.iter().map(|rows| rows.len());
        let lengths: Vec<usize> = lengths.chain(pooled.map(|_| 1)).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        for remaining in (1..=longest).rev() {
            let mut start = first;
            for &length in &lengths {
                if length >= remaining {
                    self.keras_order.push(start + length - remaining);
                }
                start += length;
            }
        }
    }
}

/// Returns TF-Slim's name of a convolution in its branch.
fn slim_name(rows: &[Row], index: usize, row: &Row) -> String {
    let [height, width] = row.kernel;
    let step = match (rows.len(), row.strided) {
        (_, true) => "1a_".to_owned(),
        (1, false) => String::new(),
        (_, false) => format!("0{}_", char::from(b'a' + index as u8)),
    };
    format!("Conv2d_{step}{height}x{width}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_name() {
        let names = Names::new(&InceptionResNetV2Config::default());
        assert_eq!(names.convolutions.len(), 244);
        for expected in [
            ["stem.convolutions.4", "conv2d_4a", "Conv2d_4a_3x3"],
            [
                "mixed_5b.branches.1.1",
                "mixed_5b.branch1.1",
                "Mixed_5b_Branch_1_Conv2d_0b_5x5",
            ],
            [
                "mixed_5b.branch_pool",
                "mixed_5b.branch3.1",
                "Mixed_5b_Branch_3_Conv2d_0b_1x1",
            ],
            [
                "block35.9.branches.0.0",
                "repeat.9.branch0",
                "Block35_10_Branch_0_Conv2d_1x1",
            ],
            [
                "block17.0.branches.1.2",
                "repeat_1.0.branch1.2",
                "Block17_1_Branch_1_Conv2d_0c_7x1",
            ],
            [
                "mixed_6a.branches.0.0",
                "mixed_6a.branch0",
                "Mixed_6a_Branch_0_Conv2d_1a_3x3",
            ],
            [
                "mixed_7a.branches.2.2",
                "mixed_7a.branch2.2",
                "Mixed_7a_Branch_2_Conv2d_1a_3x3",
            ],
            [
                "block8.8.expansion",
                "repeat_2.8.conv2d",
                "Block8_9_Conv2d_1x1",
            ],
            [
                "block8.9.branches.1.1",
                "block8.branch1.1",
                "Block8_10_Branch_1_Conv2d_0b_1x3",
            ],
            ["conv_7b", "conv2d_7b", "Conv2d_7b_1x1"],
        ] {
            let found = names.convolutions.iter().any(|convolution| {
                let Convolution {
                    module, timm, slim, ..
                } = convolution;
                [module, timm, slim] == expected
            });
            assert!(found, "{expected:?}");
        }
    }

    #[test]
    fn the_order_of_keras_takes_every_convolution_once() {
        let names = Names::new(&InceptionResNetV2Config::default());
        // From `mixed_5b`, the first and second block and the first reduction of a model that Keras made.
        let mixed_5b = [8, 6, 9, 5, 7, 10, 11];
        let block35 = [15, 13, 16, 12, 14, 17, 18, 22, 20, 23, 19, 21, 24, 25];
        assert_eq!(names.keras_order[5..26], [&mixed_5b[..], &block35].concat());
        assert_eq!(names.keras_order[82..86], [83, 84, 82, 85]);
        let mut sorted = names.keras_order.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..244));
    }
}
