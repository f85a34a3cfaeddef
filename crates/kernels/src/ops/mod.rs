//! The kernels as operations of Burn's backends.
//!
//! The functions on tensors call them where [`is_native`](crate::native::is_native) holds, or
//! [`is_on_cube`](crate::native::is_on_cube) for those that have a kernel for graphics cards, and Burn's own operations for
//! every other backend and element type.

// Burn deprecates NdArray, which the macro names; this project still supports it.
#[allow(deprecated)]
mod activation;
#[allow(deprecated)]
mod average_pool;
#[allow(deprecated)]
mod batch_norm;
#[allow(deprecated)]
mod convolution;
#[cfg(feature = "cube")]
#[allow(deprecated)]
mod depthwise_inference;
#[allow(deprecated)]
mod fused;
mod host;
#[allow(deprecated)]
mod max_pool;
#[allow(deprecated)]
mod norm_max_pool;
#[allow(deprecated)]
mod optimizer;
#[allow(deprecated)]
mod separable;

pub(crate) use activation::ActivationBackend;
pub(crate) use average_pool::{AveragePlan, AveragePoolBackend};
#[cfg(feature = "cube")]
pub(crate) use batch_norm::BatchNormGradientBackend;
pub(crate) use batch_norm::{BatchNormBackend, NormSettings, NormalizeBackend, StatisticsBackend};
pub(crate) use convolution::ConvolutionBackend;
#[cfg(feature = "cube")]
pub(crate) use depthwise_inference::{Activations, DepthwiseInferenceBackend};
pub(crate) use fused::{InferenceBackend, InferencePlan};
pub(crate) use max_pool::{MaxPoolBackend, PoolPlan};
pub(crate) use norm_max_pool::{NormMaxPoolBackend, NormMaxPoolPlan};
pub(crate) use optimizer::OptimizerBackend;
pub(crate) use separable::{SeparableBackend, SeparablePlan};
