//! Any network for inference.

use burn::module::Module;
use burn::prelude::*;

use super::{FusedInceptionV3, FusedResNet, FusedXception};
use crate::{Model, Network};

/// Any network made ready for inference, by [`Model::fuse`]; see [`fused`](crate::fused).
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // one a program, and Burn's derive wants the module itself
pub enum FusedModel {
    /// Xception.
    Xception(FusedXception),
    /// Inception V3.
    InceptionV3(FusedInceptionV3),
    /// ResNet of any depth.
    ResNet(FusedResNet),
}

impl Model {
    /// The network made ready for inference: the same results in less time, without parameters or
    /// gradients; see [`fused`](crate::fused).
    pub fn fuse(&self) -> FusedModel {
        match self {
            Self::Xception(network) => FusedModel::Xception(network.fuse()),
            Self::InceptionV3(network) => FusedModel::InceptionV3(network.fuse()),
            Self::ResNet(network) => FusedModel::ResNet(network.fuse()),
        }
    }
}

/// Calls a method of the network inside.
macro_rules! each {
    ($model:expr, $network:ident => $call:expr) => {
        match $model {
            FusedModel::Xception($network) => $call,
            FusedModel::InceptionV3($network) => $call,
            FusedModel::ResNet($network) => $call,
        }
    };
}

impl Network for FusedModel {
    fn forward_stages(
        &self,
        images: Tensor<4>,
        observe: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Tensor<4> {
        each!(self, network => network.forward_stages(images, observe))
    }

    fn pool(&self, features: Tensor<4>) -> Tensor<2> {
        each!(self, network => network.pool(features))
    }

    fn classify(&self, pooled: Tensor<2>) -> Tensor<2> {
        each!(self, network => network.classify(pooled))
    }

    fn auxiliary_stage(&self) -> Option<&'static str> {
        each!(self, network => network.auxiliary_stage())
    }

    fn classify_auxiliary(&self, stage: Tensor<4>) -> Option<Tensor<2>> {
        each!(self, network => network.classify_auxiliary(stage))
    }

    fn classes(&self) -> usize {
        each!(self, network => network.classes())
    }

    fn minimum_size(&self) -> usize {
        each!(self, network => network.minimum_size())
    }
}
