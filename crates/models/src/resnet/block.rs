//! The residual blocks of ResNet and ResNeXt: basic blocks and bottlenecks.

use burn::module::Module;
use burn::prelude::*;

use crate::layers::{Activation, ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions};

/// The two kinds of blocks (figure 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockKind {
    /// `BasicBlock`: two 3x3 convolutions.
    Basic,
    /// `Bottleneck`: 1x1, 3x3 and 1x1, the last with four times the stage's channels.
    Bottleneck,
}

/// A convolution of a block. The last one of a block has the block's output channels, the others its inner channels.
pub(super) struct Row {
    kernel: usize,
    /// Whether the convolution has the block's stride, unless the first one is made to have it.
    strided: bool,
    /// Whether the convolution has the block's groups.
    grouped: bool,
}

impl Row {
    const fn new(kernel: usize) -> Self {
        Self {
            kernel,
            strided: false,
            grouped: false,
        }
    }

    const fn strided(self) -> Self {
        Self {
            strided: true,
            ..self
        }
    }

    const fn grouped(self) -> Self {
        Self {
            grouped: true,
            ..self
        }
    }
}

const BASIC: &[Row] = &[Row::new(3).strided(), Row::new(3)];
const BOTTLENECK: &[Row] = &[Row::new(1), Row::new(3).strided().grouped(), Row::new(1)];

impl BlockKind {
    /// Returns the convolutions, in order.
    pub(super) const fn convolutions(self) -> &'static [Row] {
        match self {
            Self::Basic => BASIC,
            Self::Bottleneck => BOTTLENECK,
        }
    }

    /// Returns the number of a block's output channels, as a multiple of the stage's.
    pub(super) const fn expansion(self) -> usize {
        match self {
            Self::Basic => 1,
            Self::Bottleneck => 4,
        }
    }
}

pub(super) struct ResNetBlockConfig {
    pub(super) kind: BlockKind,
    pub(super) channels_in: usize,
    /// Number of the stage's channels, before expansion.
    pub(super) channels: usize,
    /// Number of output channels of all convolutions but the last.
    pub(super) inner_channels: usize,
    /// Number of groups of a bottleneck's 3x3 convolution.
    pub(super) groups: usize,
    pub(super) stride: usize,
    /// Whether the first convolution has the stride, in any kind of block.
    pub(super) first_convolution_strided: bool,
    pub(super) options: LayerOptions,
}

impl ResNetBlockConfig {
    pub(super) fn channels_out(&self) -> usize {
        self.channels * self.kind.expansion()
    }

    pub(super) fn init(&self, device: &Device) -> ResNetBlock {
        let mut channels_in = self.channels_in;
        let mut convolutions = Vec::new();
        let rows = self.kind.convolutions();
        for (index, row) in rows.iter().enumerate() {
            let strided = if self.first_convolution_strided {
                index == 0
            } else {
                row.strided
            };
            let channels_out = match index + 1 == rows.len() {
                true => self.channels_out(),
                false => self.inner_channels,
            };
            let config = ConvNormConfig::new([channels_in, channels_out], row.kernel, self.options)
                .with_padding(row.kernel / 2)
                .with_stride(if strided { self.stride } else { 1 })
                .with_groups(if row.grouped { self.groups } else { 1 });
            convolutions.push(config.init(device));
            channels_in = channels_out;
        }
        let changes_shape = self.stride > 1 || self.channels_in != self.channels_out();
        let shortcut = changes_shape.then(|| {
            let channels = [self.channels_in, self.channels_out()];
            ConvNormConfig::new(channels, 1, self.options)
                .with_stride(self.stride)
                .init(device)
        });
        ResNetBlock {
            convolutions,
            shortcut,
        }
    }
}

/// A residual block, of convolutions and a shortcut around them: torchvision's `BasicBlock`, with two convolutions,
/// or its `Bottleneck`, with three.
#[derive(Module, Debug)]
pub struct ResNetBlock {
    /// The convolutions: 3x3 and 3x3; or 1x1, 3x3 (in ResNeXt in groups) and 1x1.
    pub convolutions: Vec<ConvNorm>,
    /// The 1x1 convolution of a shortcut that changes the shape; without it, the shortcut is the identity.
    pub shortcut: Option<ConvNorm>,
}

impl ResNetBlock {
    /// Applies the convolutions, with ReLU between them, adds the shortcut, and applies ReLU.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, h, w]`
    /// - output: `[batch, channels_out, h_out, w_out]`, half the height and width at stride 2
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let mut residual = Some(match &self.shortcut {
            Some(shortcut) => shortcut.forward(input.clone(), Epilogue::none()), // [batch, channels_out, h_out, w_out]
            None => input.clone(),
        });
        let mut x = input;
        let count = self.convolutions.len();
        for (index, convolution) in self.convolutions.iter().enumerate() {
            let last = index + 1 == count;
            let epilogue = match residual.take_if(|_| last) {
                Some(residual) => Epilogue::add(residual).then(Activation::Relu),
                None => Epilogue::relu(),
            };
            x = convolution.forward(x, epilogue); // [batch, channels_out, h_out, w_out] after the last
        }
        x
    }
}
