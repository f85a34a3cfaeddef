//! Networks made ready for inference.

use std::collections::HashSet;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::prelude::*;

use crate::Network;
use crate::layers::trace::Trace;
use crate::layers::{Classifier, FeatureMap, at_least_single};
use crate::network::{AuxiliaryClassifier, Observer, Section, device_of};

/// A network prepared for inference by [`Network::fuse`].
///
/// Batch normalization is folded into the convolution before it, and each convolution is computed in one pass with
/// its activation and residual addition and, in a separable convolution, with the depthwise part; see
/// [`FusedConv2d`](xception_kernels::FusedConv2d). The outputs of the stages and the logits differ from the original
/// network's by rounding alone.
///
/// A fused network is a snapshot of the weights, for inference only. It has no parameters that an optimizer could
/// change, and no gradient passes through it: images on a device in autodiff mode are taken to the device inside, and
/// the output stays there. The network stays on the device on which it was fused: `to_device` and `fork` don't move
/// it, and images from another device are copied to it.
#[derive(Module, Debug)]
pub struct Fused<N: Network> {
    #[module(skip)]
    network: N,
    #[module(skip)]
    device: Device,
}

impl<N: Network> Fused<N> {
    /// Fuses a network as it is in evaluation mode.
    pub(crate) fn new(network: &N) -> Self {
        // `valid` merges the running statistics that the threads of training have gathered.
        let network = network.valid();
        let device = device_of(&network);
        let size = network.minimum_size();
        let trace = Trace::fusing(&device);
        let images = FeatureMap::traced([1, 3, size, size], &trace);
        let auxiliary = network.auxiliary_classifiers();
        let last = network.stages(images, &mut |name, output| {
            for classifier in auxiliary.iter().filter(|at| at.stage == name) {
                classifier.head.forward(output.clone());
            }
        });
        network.classifier().forward(network.pool_map(last));
        drop(auxiliary);
        let mut release = Release {
            packed: trace.take().packed.into_iter().collect(),
        };
        Self {
            network: network.map(&mut release),
            device,
        }
    }
}

impl<N: Network> Network for Fused<N> {
    fn stages(&self, images: FeatureMap, observe: Observer) -> FeatureMap {
        self.network.stages(images, observe)
    }

    fn classifier(&self) -> &Classifier {
        self.network.classifier()
    }

    fn auxiliary_classifiers(&self) -> Vec<AuxiliaryClassifier<'_>> {
        self.network.auxiliary_classifiers()
    }

    fn sections(&self) -> Vec<Section> {
        self.network.sections()
    }

    fn minimum_size(&self) -> usize {
        self.network.minimum_size()
    }

    fn pool_map(&self, features: FeatureMap) -> FeatureMap {
        self.network.pool_map(features)
    }

    fn feature_map(&self, tensor: Tensor<4>) -> FeatureMap {
        let tensor = match tensor.device().is_autodiff() {
            true => tensor.inner(),
            false => tensor,
        };
        FeatureMap::fused(at_least_single(tensor).to_device(&self.device))
    }

    /// Returns a copy of the network, which is fused already.
    fn fuse(&self) -> Fused<Self> {
        Fused {
            network: self.clone(),
            device: self.device.clone(),
        }
    }
}

/// Releases the values of parameters that fused layers have packed, and keeps their shapes.
struct Release {
    packed: HashSet<ParamId>,
}

impl ModuleMapper for Release {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !self.packed.contains(&param.id) {
            return param;
        }
        let shape = param.lazy_shape();
        let zeros = {
            let shape = shape.clone();
            move |device: &Device, _: bool| Tensor::zeros(shape, device)
        };
        Param::uninitialized(param.id, zeros, param.lazy_device(), false, shape)
    }
}
