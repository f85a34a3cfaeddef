//! The fused form of a layer, and the folding of normalization into a convolution.

use std::sync::OnceLock;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::nn::BatchNorm;
use burn::prelude::*;
use xception_kernels::FusedConv2d;

/// The fused form of a layer, made on first use.
///
/// Only the layers of a [`Fused`](crate::Fused) network have one, since their weights don't change.
#[derive(Debug, Clone)]
pub struct Packed<T = FusedConv2d>(OnceLock<T>);

impl<T> Default for Packed<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> Packed<T> {
    /// Returns the fused form, which `pack` makes at the first call.
    pub(super) fn get_or_pack(&self, pack: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(pack)
    }
}

/// Folds a batch normalization into the convolution before it, and returns the new weight and bias.
///
/// # Shapes
///
/// - `weight`: `[channels, ...]`
/// - `bias`: that of the convolution, `[channels]`
pub(super) fn fold(
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    norm: &BatchNorm,
) -> (Tensor<4>, Tensor<1>) {
    let device = weight.device();
    let [mean, variance] =
        [&norm.running_mean, &norm.running_var].map(|running| running.value().to_device(&device));
    let scale = norm.gamma.val() / (variance + norm.epsilon).sqrt();
    let mean = match bias {
        Some(bias) => mean - bias,
        None => mean,
    };
    let shift = norm.beta.val() - mean * scale.clone();
    let [outputs, ..] = weight.dims();
    (weight * scale.reshape([outputs, 1, 1, 1]), shift)
}

/// Returns the shape of a parameter without drawing its initial values.
pub(super) fn lazy_dims<const D: usize>(param: &Param<Tensor<D>>) -> [usize; D] {
    let shape = param.lazy_shape();
    std::array::from_fn(|axis| shape[axis])
}

/// Returns the identities of a layer's parameters, without its flags.
pub(super) fn ids<M: Module>(layer: &M) -> Vec<ParamId> {
    struct Ids(Vec<ParamId>);

    impl ModuleVisitor for Ids {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.id);
        }
    }

    let mut visitor = Ids(Vec::new());
    layer.visit(&mut visitor);
    visitor.0
}
