//! The convolutions and pools before the first module.

use burn::module::Module;
use burn::prelude::*;

use super::pool::halve;
use crate::Observer;
use crate::layers::{ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions, Stem};
use crate::width::Width;

/// A convolution of the stem.
struct Row {
    name: &'static str,
    channels: usize,
    kernel: usize,
    stride: usize,
    /// Name of the max pool that follows, 3x3 at stride 2.
    pool: Option<&'static str>,
}

/// Convolutions of the standard stem (table 1).
const ROWS: [Row; 3] = [
    Row {
        name: "conv1",
        channels: 64,
        kernel: 7,
        stride: 2,
        pool: Some("maxpool1"),
    },
    Row {
        name: "conv2",
        channels: 64,
        kernel: 1,
        stride: 1,
        pool: None,
    },
    Row {
        name: "conv3",
        channels: 192,
        kernel: 3,
        stride: 1,
        pool: Some("maxpool2"),
    },
];

/// Kernel of the first convolution in the small stem.
pub(super) const SMALL_KERNEL: usize = 3;

/// Makes the stem, and returns it with its number of output channels. In the small stem the first convolution is 3x3 at
/// stride 1, and there are no pools or only the first.
pub(super) fn stem(
    stem: Stem,
    width: Width,
    options: LayerOptions,
    device: &Device,
) -> (GoogLeNetStem, usize) {
    let mut channels_in = 3;
    let mut convolutions = Vec::new();
    for row in &ROWS {
        let (kernel, stride) = match stem {
            Stem::Standard => (row.kernel, row.stride),
            Stem::Small | Stem::SmallPooled => (row.kernel.min(SMALL_KERNEL), 1),
        };
        let channels = width.channels(row.channels);
        let config = ConvNormConfig::new([channels_in, channels], kernel, options)
            .with_stride(stride)
            .with_padding(kernel / 2);
        convolutions.push(config.init(device));
        channels_in = channels;
    }
    let stem = GoogLeNetStem {
        convolutions,
        pools: stem.pools(2),
    };
    (stem, channels_in)
}

/// The stem: three convolutions, each followed by ReLU, and two max pools in the standard stem, the first of which `small_pooled` has too.
#[derive(Module, Debug)]
pub struct GoogLeNetStem {
    /// Convolutions `conv1`, `conv2` and `conv3`.
    pub convolutions: Vec<ConvNorm>,
    /// How many of the max pools after the first and the last convolution there are.
    pub pools: usize,
}

impl GoogLeNetStem {
    /// Passes images through all convolutions and pools, each of which is a stage.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, 192, height_out, width_out]`
    pub fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        let mut x = images;
        let mut pools = self.pools;
        for (convolution, row) in self.convolutions.iter().zip(&ROWS) {
            x = convolution.forward(x, Epilogue::relu()); // 112 x 112 for 224 x 224 pixels, then 56 x 56 twice
            observe(row.name, &x);
            if let Some(name) = row.pool.filter(|_| pools > 0) {
                pools -= 1;
                x = halve(x, 3, convolution.kernels); // 56 x 56 and 28 x 28
                observe(name, &x);
            }
        }
        x
    }
}
