//! The convolutions and pools before the first module.

use burn::module::Module;
use xception_kernels::Padding2d;

use super::convolutions::{Convolutions, relu};
use crate::Observer;
use crate::layers::{ConvNorm, ConvNormConfig, FeatureMap, Stem, max_pool};

/// A convolution of the stem.
pub(crate) struct Row {
    /// Published number of output channels.
    pub(crate) channels: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    /// Whether a max pool follows, 3x3 at stride 2 without padding.
    pooled: bool,
}

const fn row(channels: usize, kernel: usize, stride: usize) -> Row {
    Row {
        channels,
        kernel,
        stride,
        padding: 0,
        pooled: false,
    }
}

/// Convolutions of the standard stem.
pub(crate) const ROWS: [Row; 5] = [
    row(32, 3, 2),
    row(32, 3, 1),
    Row {
        padding: 1,
        pooled: true,
        ..row(64, 3, 1)
    },
    row(80, 1, 1),
    Row {
        pooled: true,
        ..row(192, 3, 1)
    },
];

/// Names of the stem's stages in a network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StageNames {
    pub(crate) convolutions: [&'static str; 5],
    pub(crate) pools: [&'static str; 2],
}

/// Names in Inception V3.
pub(crate) const NAMES: StageNames = StageNames {
    convolutions: [
        "Conv2d_1a_3x3",
        "Conv2d_2a_3x3",
        "Conv2d_2b_3x3",
        "Conv2d_3b_1x1",
        "Conv2d_4a_3x3",
    ],
    pools: ["maxpool1", "maxpool2"],
};

/// Makes the stem, and returns it with its number of output channels. In the small stem all convolutions keep the
/// size, and there are no pools or only the first.
pub(crate) fn stem(stem: Stem, names: StageNames, make: &Convolutions) -> (InceptionV3Stem, usize) {
    let mut channels_in = 3;
    let mut convolutions = Vec::new();
    for row in &ROWS {
        let (stride, padding) = match stem {
            Stem::Standard => (row.stride, row.padding),
            Stem::Small | Stem::SmallPooled => (1, row.kernel / 2),
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
        pools: stem.pools(2),
        names,
    };
    (stem, channels_in)
}

/// Returns the smallest image side of which the stem leaves this side, computed backwards through all windows that shrink
/// a map.
pub(crate) fn minimum_size(stem: Stem, output: usize) -> usize {
    let before = |output: usize, kernel: usize, stride: usize| (output - 1) * stride + kernel;
    let mut side = output;
    let mut pool = 2;
    for row in ROWS.iter().rev() {
        if row.pooled {
            if pool <= stem.pools(2) {
                side = before(side, 3, 2);
            }
            pool -= 1;
        }
        if stem.is_standard() {
            side = before(side, row.kernel, row.stride) - 2 * row.padding;
        }
    }
    side
}

/// The stem, which Inception-ResNet V2 has too: five convolutions, each followed by ReLU, and two max pools in the
/// standard stem.
#[derive(Module, Debug)]
pub struct InceptionV3Stem {
    /// Convolutions `Conv2d_1a_3x3`, `Conv2d_2a_3x3`, `Conv2d_2b_3x3`, `Conv2d_3b_1x1` and `Conv2d_4a_3x3`.
    pub convolutions: Vec<ConvNorm>,
    /// How many of the max pools after the third and the last convolution there are.
    pub pools: usize,
    #[module(skip)]
    names: StageNames,
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
        let names = self.names.convolutions.iter().zip(&ROWS);
        let mut pools = self.names.pools.iter().take(self.pools);
        for (convolution, (name, row)) in self.convolutions.iter().zip(names) {
            // Sizes for 299 x 299 pixels: 149 x 149, 147 x 147, 147 x 147, 73 x 73 and 71 x 71.
            x = convolution.forward(x, relu());
            observe(name, &x);
            if row.pooled
                && let Some(name) = pools.next()
            {
                x = max_pool(x, 3, 2, Padding2d::symmetric(0), convolution.kernels); // 73 x 73 and 35 x 35
                observe(name, &x);
            }
        }
        x
    }
}
