//! The kernels as operations of Burn's backends.
//!
//! [`runs_natively`] is the predicate that chooses between a kernel and Burn's own operations, which
//! serve every other backend and element type.

// Burn deprecates NdArray, which the macro names; this project still supports it.
#[allow(deprecated)]
mod batch_norm;
#[allow(deprecated)]
mod convolution;
#[allow(deprecated)]
mod fused;
mod host;
#[allow(deprecated)]
mod max_pool;
#[allow(deprecated)]
mod relu;
#[allow(deprecated)]
mod sgd;

use burn::backend::DispatchDevice;
use burn::prelude::*;
use burn::tensor::DType;

pub(crate) use batch_norm::{BatchNormBackend, NormSettings, NormalizeBackend};
pub(crate) use convolution::{ConvolutionBackend, Plan};
pub(crate) use fused::{InferenceBackend, InferencePlan};
pub(crate) use max_pool::{MaxPoolBackend, PoolPlan};
pub(crate) use relu::ReluBackend;
pub(crate) use sgd::OptimizerBackend;

/// Whether a tensor has elements, and these are `f32` in this program's memory.
pub(crate) fn runs_natively<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.dtype() == DType::F32
        && tensor.dims().iter().all(|&size| size > 0)
        && in_memory(tensor.device().as_dispatch())
}

fn in_memory(device: &DispatchDevice) -> bool {
    match device {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => true,
        DispatchDevice::Autodiff(device) => in_memory(device),
        #[allow(unreachable_patterns)] // the only backends of some builds
        _ => false,
    }
}
