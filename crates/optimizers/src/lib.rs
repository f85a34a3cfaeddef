//! Optimizers for the modules of [Burn](https://burn.dev), and what is done to gradients and weights around their steps.
//!
//! - [`Sgd`], as PyTorch defines it; [`RmsProp`], as TensorFlow does; [`AdamW`], as PyTorch does. Each makes a
//!   [`ModuleOptimizer`](burn::optim::ModuleOptimizer), and leaves parameters of rank 1 without
//!   [weight decay](WeightDecay) if that is asked for.
//! - [`clip_by_global_norm`] scales all gradients down together.
//! - [`GradientAccumulator`] makes the gradients of a batch from those of its parts.
//! - [`LossScale`] keeps small gradients from vanishing in half precision.
//! - [`MovingAverage`] follows weights and running statistics: B. Polyak's averages.
//!
//! On Burn's backends Flex and NdArray, and for `f32`, each step is one pass over a parameter, by the kernels of
//! [`xception_kernels`]; elsewhere, Burn's own operations compute it. The results don't depend on the number of threads.
//!
//! ```
//! use burn::nn::{Linear, LinearConfig};
//! use burn::optim::{GradientsParams, ModuleOptimizer};
//! use burn::prelude::*;
//! use xception_optimizers::{MovingAverage, RmsProp, Smoothing, WeightDecay, clip_by_global_norm};
//!
//! let device = Device::flex().autodiff();
//! let mut layer: Linear = LinearConfig::new(4, 2).init(&device);
//! let mut optimizer = ModuleOptimizer::from(RmsProp {
//!     weight_decay: WeightDecay::of_kernels(4e-5),
//!     ..RmsProp::default()
//! });
//! let mut average = MovingAverage::new(Smoothing { decay: 0.999, warm_up: true }, &layer);
//!
//! for _ in 0..3 {
//!     let loss = layer.forward(Tensor::<2>::ones([8, 4], &device)).powf_scalar(2.0).mean();
//!     let gradients = GradientsParams::from_grads(loss.backward(), &layer);
//!     let gradients = clip_by_global_norm(&layer, gradients, 2.0).gradients;
//!     layer = optimizer.step(0.001, layer, gradients);
//!     average.update(&layer);
//! }
//! let evaluated: Linear = average.averaged(&layer);
//! assert_eq!(evaluated.weight.dims(), [4, 2]);
//! ```

mod accumulation;
mod adam_w;
mod clipping;
mod gradients;
mod loss_scale;
mod moving_average;
mod rms_prop;
mod sgd;
mod weight_decay;

pub use accumulation::GradientAccumulator;
pub use adam_w::{AdamW, AdamWState};
pub use clipping::clip_by_global_norm;
pub use gradients::{Measured, global_norm, scale_gradients};
pub use loss_scale::LossScale;
pub use moving_average::{MovingAverage, Smoothing};
pub use rms_prop::{RmsProp, RmsPropState};
pub use sgd::{Sgd, Velocity};
pub use weight_decay::{DecayedParameters, WeightDecay};

/// The example of the README, which is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
