//! The branches of a module: sequences of convolutions on the same input, whose outputs are concatenated.

use crate::inception_v3::convolutions::{Convolutions, relu};
use crate::layers::{ConvNorm, FeatureMap};

/// A convolution of a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// Published number of output channels.
    pub(super) channels: usize,
    /// Height and width of the kernel.
    pub(super) kernel: [usize; 2],
    /// Whether the convolution has stride 2 and no padding, rather than stride 1 and padding that keeps the size.
    pub(super) strided: bool,
}

/// Makes the row of a convolution that keeps the size.
pub(super) const fn same(channels: usize, kernel: [usize; 2]) -> Row {
    Row {
        channels,
        kernel,
        strided: false,
    }
}

/// Makes the row of a 3x3 convolution at stride 2.
pub(super) const fn strided(channels: usize) -> Row {
    Row {
        channels,
        kernel: [3, 3],
        strided: true,
    }
}

/// The convolutions of each branch.
pub(super) type Branches = &'static [&'static [Row]];

/// Returns the number of channels of all branches together.
pub(super) fn channels_out(branches: Branches, make: &Convolutions) -> usize {
    let last = branches.iter().filter_map(|rows| rows.last());
    last.map(|row| make.width.channels(row.channels)).sum()
}

/// Makes the convolutions of each branch.
pub(super) fn init(
    branches: Branches,
    channels_in: usize,
    make: &Convolutions,
) -> Vec<Vec<ConvNorm>> {
    let branch = |rows: &&[Row]| {
        let mut channels_in = channels_in;
        let convolutions = rows.iter().map(|row| {
            let channels = [channels_in, make.width.channels(row.channels)];
            channels_in = channels[1];
            match row.strided {
                true => make.reduction(channels),
                false => make.same(channels, row.kernel),
            }
        });
        convolutions.collect()
    };
    branches.iter().map(branch).collect()
}

/// Computes all branches, and concatenates their outputs, with that of a pool as the last.
///
/// # Shapes
///
/// - `input`: `[batch, channels_in, height, width]`
/// - `pooled`: `[batch, channels, height_out, width_out]`
/// - output: `[batch, channels_out, height_out, width_out]`
pub(super) fn forward(
    branches: &[Vec<ConvNorm>],
    input: FeatureMap,
    pooled: Option<FeatureMap>,
) -> FeatureMap {
    let branch = |convolutions: &Vec<ConvNorm>| {
        let convolutions = convolutions.iter();
        convolutions.fold(input.clone(), |x, conv| conv.forward(x, relu()))
    };
    let mut outputs = branches.iter().map(branch).chain(pooled);
    match outputs.next() {
        Some(first) => first.concatenate_with(outputs.collect()),
        None => input,
    }
}
