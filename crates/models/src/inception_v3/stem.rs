//! The convolutions and pools before the first module.

use burn::module::Module;
use xception_kernels::Padding2d;

use super::convolutions::{Convolutions, relu};
use crate::Observer;
use crate::layers::{ConvNorm, ConvNormConfig, FeatureMap, Stem, max_pool};

/// A convolution of the stem.
pub(super) struct Row {
    name: &'static str,
    channels: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) padding: usize,
    /// Name of the max pool that follows, 3x3 at stride 2 without padding.
    pub(super) pool: Option<&'static str>,
}

const fn row(name: &'static str, channels: usize, kernel: usize, stride: usize) -> Row {
    Row {
        name,
        channels,
        kernel,
        stride,
        padding: 0,
        pool: None,
    }
}

/// Convolutions of the standard stem.
pub(super) const ROWS: [Row; 5] = [
    row("Conv2d_1a_3x3", 32, 3, 2),
    row("Conv2d_2a_3x3", 32, 3, 1),
    Row {
        padding: 1,
        pool: Some("maxpool1"),
        ..row("Conv2d_2b_3x3", 64, 3, 1)
    },
    row("Conv2d_3b_1x1", 80, 1, 1),
    Row {
        pool: Some("maxpool2"),
        ..row("Conv2d_4a_3x3", 192, 3, 1)
    },
];

/// Makes the stem, and returns it with its number of output channels. In the small stem all convolutions keep the
/// size, and there are no pools.
pub(super) fn stem(stem: Stem, make: &Convolutions) -> (InceptionV3Stem, usize) {
    let mut channels_in = 3;
    let mut convolutions = Vec::new();
    for row in &ROWS {
        let (stride, padding) = match stem {
            Stem::Standard => (row.stride, row.padding),
            Stem::Small => (1, row.kernel / 2),
        };
        let [channels] = make.channels([row.channels]);
        let config = ConvNormConfig::new([channels_in, channels], row.kernel, make.options)
            .with_stride(stride)
            .with_padding(padding);
        convolutions.push(config.init(make.device));
        channels_in = channels;
    }
    let stem = InceptionV3Stem {
        convolutions,
        pools: stem == Stem::Standard,
    };
    (stem, channels_in)
}

/// The stem: five convolutions, each followed by ReLU, and two max pools in the standard stem.
#[derive(Module, Debug)]
pub struct InceptionV3Stem {
    /// Convolutions `Conv2d_1a_3x3`, `Conv2d_2a_3x3`, `Conv2d_2b_3x3`, `Conv2d_3b_1x1` and `Conv2d_4a_3x3`.
    pub convolutions: Vec<ConvNorm>,
    /// Whether max pools follow the third and the last convolution.
    pub pools: bool,
}

impl InceptionV3Stem {
    /// Passes images through all convolutions and pools, each of which is a stage.
    ///
    /// # Shapes
    ///
    /// - `images`: `[batch, 3, height, width]`
    /// - output: `[batch, 192, height_out, width_out]`
    pub fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        let mut x = images;
        for (convolution, row) in self.convolutions.iter().zip(&ROWS) {
            // Sizes for 299 x 299 pixels: 149 x 149, 147 x 147, 147 x 147, 73 x 73 and 71 x 71.
            x = convolution.forward(x, relu());
            observe(row.name, &x);
            if let Some(name) = row.pool.filter(|_| self.pools) {
                x = max_pool(x, 3, 2, Padding2d::symmetric(0), convolution.kernels); // 73 x 73 and 35 x 35
                observe(name, &x);
            }
        }
        x
    }
}
