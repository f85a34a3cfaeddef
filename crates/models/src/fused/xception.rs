//! Xception for inference.

use burn::module::Module;
use burn::prelude::*;
use xception_kernels::{FusedConv2d, Geometry, max_pool_channels_last};

use super::classifier::FusedClassifier;
use super::layers::{channels_first, pool};
use crate::layers::{Kernels, Padding};
use crate::xception::XceptionModule;
use crate::{Network, Xception};

/// [`Xception`] made ready for inference, by [`Xception::fuse`]; see [`fused`](crate::fused).
#[derive(Module, Debug)]
pub struct FusedXception {
    #[module(skip)]
    stem: Vec<FusedConv2d>,
    #[module(skip)]
    modules: Vec<FusedModule>,
    #[module(skip)]
    last: Vec<FusedConv2d>,
    #[module(skip)]
    classifier: FusedClassifier,
    minimum_size: usize,
}

impl Xception {
    /// The network made ready for inference: the same results in less time, without parameters or
    /// gradients; see [`fused`](crate::fused).
    pub fn fuse(&self) -> FusedXception {
        let modules = self.entry_flow.iter().chain(&self.middle_flow);
        let modules = modules.chain([&self.exit_flow.module]);
        FusedXception {
            stem: vec![self.stem.conv1.fuse(true), self.stem.conv2.fuse(true)],
            modules: modules.map(FusedModule::new).collect(),
            last: vec![
                self.exit_flow.conv3.fuse(false, true),
                self.exit_flow.conv4.fuse(false, true),
            ],
            classifier: FusedClassifier::new(&self.classifier, self.stem.conv1.kernels),
            minimum_size: self.minimum_size,
        }
    }
}

impl Network for FusedXception {
    fn forward_stages(
        &self,
        images: Tensor<4>,
        observe: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Tensor<4> {
        let mut number = 0;
        let mut stage = |output: &Tensor<4>| {
            number += 1;
            observe(&format!("block{number}"), &channels_first(output));
        };

        let mut x = self.stem[0].forward_images(images);
        x = self.stem[1].forward(x);
        stage(&x);
        for module in &self.modules {
            x = module.forward(x);
            stage(&x);
        }
        for convolution in &self.last {
            x = convolution.forward(x);
        }
        stage(&x);
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
        self.minimum_size
    }
}

/// A module with its activations inside the convolutions.
#[derive(Debug, Clone)]
struct FusedModule {
    convolutions: Vec<FusedConv2d>,
    shortcut: Option<FusedConv2d>,
    residual: bool,
    pool: Option<Padding>,
    native: bool,
}

impl FusedModule {
    fn new(module: &XceptionModule) -> Self {
        let count = module.convolutions.len();
        let convolutions = module.convolutions.iter().enumerate();
        Self {
            convolutions: convolutions
                .map(|(index, convolution)| {
                    let input_relu = index == 0 && module.first_activation;
                    convolution.fuse(input_relu, index + 1 < count)
                })
                .collect(),
            shortcut: module
                .shortcut
                .as_ref()
                .map(|shortcut| shortcut.fuse(false)),
            residual: module.residual,
            pool: module.pool,
            native: module.kernels == Kernels::Native,
        }
    }

    /// As [`XceptionModule::forward`], with channels last.
    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let mut x = input.clone();
        let mut residual = self.residual.then_some(input);
        let identity = self.pool.is_none() && self.shortcut.is_none();
        let count = self.convolutions.len();
        for (index, convolution) in self.convolutions.iter().enumerate() {
            let last = index + 1 == count;
            x = match residual.take_if(|_| last && identity) {
                Some(residual) => convolution.forward_add(x, residual),
                None => convolution.forward(x),
            };
        }
        if let Some(padding) = self.pool {
            let [_, height, width, _] = x.dims();
            let geometry = Geometry::valid(3)
                .with_stride(2)
                .with_padding(padding.around([height, width], 3, 2));
            x = max_pool_channels_last(x, &geometry, self.native);
        }
        match (residual, &self.shortcut) {
            (Some(residual), Some(shortcut)) => shortcut.forward_add(residual, x),
            (Some(residual), None) => x + residual,
            (None, _) => x,
        }
    }
}
