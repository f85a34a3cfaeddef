//! Image classifiers as Burn modules, for any of Burn's backends: Xception, Inception V3, MobileNet V1 and ResNet.
//!
//! Each network has a configuration with `init(&device)`, as Burn's own modules do:
//!
//! ```
//! use burn::prelude::*;
//! use xception_models::{Network, XceptionConfig};
//!
//! let device = Device::flex();
//! let model = XceptionConfig::new(10).with_width(0.25).init(&device)?;
//! let images = Tensor::zeros([1, 3, 96, 96], &device);
//! assert_eq!(model.forward(images).dims(), [1, 10]);
//! # Ok::<(), xception_models::ModelError>(())
//! ```
//!
//! [`ModelConfig`] makes a network by its name, as the program and the configuration files do:
//!
//! ```
//! use burn::prelude::*;
//! use xception_models::{ModelConfig, Network};
//!
//! let model = ModelConfig::named("resnet18")?.with_classes(10).init(&Device::flex())?;
//! assert_eq!(model.classes(), 10);
//! # Ok::<(), xception_models::ModelError>(())
//! ```

mod error;
pub mod factorized;
mod families;
mod features;
mod fused;
mod grad_cam;
mod graph;
pub mod inception_v3;
pub mod layers;
mod limits;
pub mod low_rank;
pub mod mobilenet_v1;
mod network;
mod options;
pub mod prelude;
#[cfg(feature = "pretrained")]
pub mod pretrained;
mod registry;
pub mod resnet;
mod summary;
#[cfg(feature = "weights")]
pub mod weights;
mod width;
pub mod xception;

pub use error::ModelError;
pub use factorized::{FactorizedConfig, FactorizedConvolution, FactorizedNetwork};
pub use features::{Features, Stage};
pub use fused::Fused;
pub use grad_cam::{GradCam, grad_cam};
pub use graph::{Graph, GraphStage, StageKind};
pub use inception_v3::{InceptionV3, InceptionV3Config};
pub use mobilenet_v1::{MobileNetV1, MobileNetV1Config};
pub use network::{AuxiliaryClassifier, Head, Network, Observer, trainable_parameters};
pub use registry::{MODELS, Model, ModelConfig, ModelInfo};
pub use resnet::{ResNet, ResNetConfig, ResNetDepth};
pub use summary::{StageSummary, Summary};
pub use xception::{Xception, XceptionConfig};
pub use xception_kernels as kernels;

#[cfg(feature = "weights")]
pub use xception_images as preprocessing;

/// The examples of the README, which are tested.
#[cfg(all(doctest, feature = "pretrained"))]
#[doc = include_str!("../README.md")]
struct Readme;
