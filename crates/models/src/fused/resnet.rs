//! ResNet for inference.

use burn::module::Module;
use burn::prelude::*;
use xception_kernels::{FusedConv2d, Geometry, Padding2d, max_pool_channels_last};

use super::classifier::FusedClassifier;
use super::layers::{channels_first, pool};
use crate::layers::Kernels;
use crate::resnet::ResNetBlock;
use crate::{Network, ResNet};

/// [`ResNet`] made ready for inference, by [`ResNet::fuse`]; see [`fused`](crate::fused).
#[derive(Module, Debug)]
pub struct FusedResNet {
    #[module(skip)]
    stem: FusedConv2d,
    pool: bool,
    #[module(skip)]
    stages: Vec<Vec<FusedBlock>>,
    #[module(skip)]
    classifier: FusedClassifier,
    native: bool,
}

impl ResNet {
    /// The network made ready for inference: the same results in less time, without parameters or
    /// gradients; see [`fused`](crate::fused).
    pub fn fuse(&self) -> FusedResNet {
        let kernels = self.stem.conv.kernels;
        let stages = self.stages.iter();
        FusedResNet {
            stem: self.stem.conv.fuse(true),
            pool: self.stem.pool,
            stages: stages
                .map(|blocks| blocks.iter().map(FusedBlock::new).collect())
                .collect(),
            classifier: FusedClassifier::new(&self.classifier, kernels),
            native: kernels == Kernels::Native,
        }
    }
}

impl Network for FusedResNet {
    fn forward_stages(
        &self,
        images: Tensor<4>,
        observe: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Tensor<4> {
        let mut x = self.stem.forward_images(images);
        if self.pool {
            let geometry = Geometry::valid(3)
                .with_stride(2)
                .with_padding(Padding2d::symmetric(1));
            x = max_pool_channels_last(x, &geometry, self.native);
        }
        observe("stem", &channels_first(&x));
        for (index, blocks) in self.stages.iter().enumerate() {
            for block in blocks {
                x = block.forward(x);
            }
            observe(&format!("layer{}", index + 1), &channels_first(&x));
        }
        channels_first(&x)
    }

    fn pool(&self, features: Tensor<4>) -> Tensor<2> {
        pool(features)
    }

    fn classify(&self, pooled: Tensor<2>) -> Tensor<2> {
        self.classifier.forward(pooled)
    }

    fn classes(&self) -> usize {
        self.classifier.classes()
    }

    fn minimum_size(&self) -> usize {
        1
    }
}

/// A block with its activations and its addition inside the convolutions.
#[derive(Debug, Clone)]
struct FusedBlock {
    convolutions: Vec<FusedConv2d>,
    shortcut: Option<FusedConv2d>,
}

impl FusedBlock {
    fn new(block: &ResNetBlock) -> Self {
        let fused = block.convolutions.iter().map(|layer| layer.fuse(true));
        Self {
            convolutions: fused.collect(),
            shortcut: block.shortcut.as_ref().map(|shortcut| shortcut.fuse(false)),
        }
    }

    /// As [`ResNetBlock::forward`], with channels last.
    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let mut x = input.clone();
        let mut residual = Some(match &self.shortcut {
            Some(shortcut) => shortcut.forward(input),
            None => input,
        });
        let count = self.convolutions.len();
        for (index, convolution) in self.convolutions.iter().enumerate() {
            let last = index + 1 == count;
            x = match residual.take_if(|_| last) {
                Some(residual) => convolution.forward_add(x, residual),
                None => convolution.forward(x),
            };
        }
        x
    }
}
