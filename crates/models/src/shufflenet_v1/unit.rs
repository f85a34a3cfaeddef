//! The unit of ShuffleNet V1.

use burn::module::Module;
use burn::prelude::*;
use xception_kernels::Geometry;

use crate::layers::{
    Activation, ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions, strided_average_pool,
};

/// Output channels of a unit for each channel inside of it (section 3.3).
pub(super) const BOTTLENECK: usize = 4;

pub(super) struct ShuffleUnitConfig {
    pub(super) channels_in: usize,
    /// Channels of the unit's output, those of the shortcut included.
    pub(super) channels_out: usize,
    /// Number of groups: it divides the input channels and a quarter of the output channels.
    pub(super) groups: usize,
    /// Whether the first convolution has groups too. In the first unit it has none, since its input has few channels
    /// (table 1).
    pub(super) first_grouped: bool,
    /// Whether the unit halves height and width.
    pub(super) downsamples: bool,
    pub(super) options: LayerOptions,
}

impl ShuffleUnitConfig {
    pub(super) fn init(&self, device: &Device) -> ShuffleUnit {
        let inner = self.channels_out / BOTTLENECK;
        let (stride, shortcut) = match self.downsamples {
            true => (2, self.channels_in),
            false => (1, 0),
        };
        let pointwise = |channels: [usize; 2]| ConvNormConfig::new(channels, 1, self.options);
        let first_groups = if self.first_grouped { self.groups } else { 1 };
        ShuffleUnit {
            compress: pointwise([self.channels_in, inner])
                .with_groups(first_groups)
                .init(device),
            depthwise: ConvNormConfig {
                geometry: Geometry::same(3).with_stride(stride),
                ..pointwise([inner, inner]).with_groups(inner)
            }
            .init(device),
            expand: pointwise([inner, self.channels_out - shortcut])
                .with_groups(self.groups)
                .init(device),
            groups: self.groups,
            downsamples: self.downsamples,
        }
    }
}

/// A unit (figure 2b): a bottleneck of a 1x1 convolution in groups, whose outputs are shuffled between the groups, a 3x3
/// depthwise convolution without an activation, and another 1x1 convolution in groups, with a shortcut around them.
///
/// Where it halves the size (figure 2c), the shortcut is an average pool, and the two are concatenated instead of added.
#[derive(Module, Debug)]
pub struct ShuffleUnit {
    /// The first 1x1 convolution, to a quarter of the output channels.
    pub compress: ConvNorm,
    /// The depthwise 3x3 convolution, at stride 2 in a unit that halves the size.
    pub depthwise: ConvNorm,
    /// The second 1x1 convolution, to the output channels, less those of a concatenated shortcut.
    pub expand: ConvNorm,
    /// Number of groups between which channels are shuffled.
    pub groups: usize,
    /// Whether the unit halves height and width.
    pub downsamples: bool,
}

impl ShuffleUnit {
    /// Applies the bottleneck, joins the shortcut, and applies ReLU.
    ///
    /// In a unit that halves the size, ReLU is applied to the bottleneck's outputs alone: the input comes from a ReLU, so
    /// that its averages aren't negative.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`, without negative values
    /// - output: `[batch, channels_out, height_out, width_out]`, half the height and width if the unit downsamples
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let mut x = self.compress.forward(input.clone(), Epilogue::relu()); // [batch, channels_out / 4, height, width]
        if self.groups > 1 {
            x = x.shuffle_channels(self.groups);
        }
        x = self.depthwise.forward(x, Epilogue::none()); // [batch, channels_out / 4, height_out, width_out]
        if !self.downsamples {
            let residual = Epilogue::add(input).then(Activation::Relu);
            return self.expand.forward(x, residual);
        }
        x = self.expand.forward(x, Epilogue::relu()); // [batch, channels_out - channels_in, height_out, width_out]
        let shortcut = strided_average_pool(input, 3, 2, 1); // [batch, channels_in, height_out, width_out]
        FeatureMap::concatenate([x, shortcut])
    }
}
