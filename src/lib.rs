//! Xception and its relatives on [Burn](burn), with a laboratory for ablation studies.
//!
//! This crate combines the parts, each of which can be used by itself:
//!
//! - [`models`]: the networks as Burn modules, by configuration or by name.
//! - [`kernels`]: depthwise, pointwise and separable convolution.
//! - [`parallel`]: training steps on several devices.
//! - [`train`]: data, training, ablations and reports.
//! - [`Backend`]: one of the backends in this build, by name; [`DeviceName`]: a device of this machine or of another.
//!
//! ```
//! use burn::prelude::*;
//! use xception::Backend;
//! use xception::models::{ModelConfig, Network};
//!
//! let device = "flex".parse::<Backend>()?.device()?;
//! let model = ModelConfig::named("xception")?.with_width(0.25).init(&device)?;
//! let image = Tensor::zeros([1, 3, 150, 150], &device);
//!
//! let features = model.forward_features(image);
//! assert_eq!(features.logits.dims(), [1, 1000]);
//! assert_eq!(features.pooled.dims(), [1, 512]);
//! assert_eq!(features.stage("block4").unwrap().dims(), [1, 184, 9, 9]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backend;
mod device_name;

pub use backend::{Backend, BackendError};
pub use device_name::{DeviceName, DeviceNameError, RemoteDevice};
pub use xception_kernels as kernels;
pub use xception_models as models;
pub use xception_parallel as parallel;
pub use xception_train as train;

/// The examples of the README, which are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
