//! Image classifiers as Burn modules, for any of Burn's backends: Xception and DeepLab's aligned Xception, GoogLeNet,
//! Inception V2 and V3, Inception-ResNet V2, MobileNet V1, ResNet, ResNeXt, ShuffleNet V1, VGG-16 and a factorized network.
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

pub mod aligned_xception;
mod complexity;
pub mod diagram;
mod error;
pub mod factorized;
mod families;
mod features;
mod fused;
pub mod googlenet;
mod grad_cam;
mod graph;
pub mod inception_resnet_v2;
pub mod inception_v2;
pub mod inception_v3;
pub mod layers;
mod limits;
pub mod low_rank;
pub mod mobilenet_v1;
mod network;
mod number_option;
mod options;
pub mod prelude;
#[cfg(feature = "pretrained")]
pub mod pretrained;
mod registry;
pub mod resnet;
pub mod shufflenet_v1;
pub mod spectrum;
mod summary;
pub mod vgg;
#[cfg(feature = "weights")]
pub mod weights;
mod width;
pub mod xception;

pub use aligned_xception::{
    AlignedXception, AlignedXceptionConfig, AlignedXceptionDepth, OutputStride,
};
pub use complexity::Complexity;
pub use diagram::Diagram;
pub use error::ModelError;
pub use factorized::{FactorizedConfig, FactorizedConvolution, FactorizedNetwork};
pub use features::{Features, Stage};
pub use fused::Fused;
pub use googlenet::{GoogLeNet, GoogLeNetConfig};
pub use grad_cam::{GradCam, grad_cam, grad_cam_async};
pub use graph::{Graph, GraphSection, GraphStage, StageKind};
pub use inception_resnet_v2::{InceptionResNetV2, InceptionResNetV2Config};
pub use inception_v2::{InceptionV2, InceptionV2Config};
pub use inception_v3::{InceptionV3, InceptionV3Config};
pub use mobilenet_v1::{MobileNetV1, MobileNetV1Config};
pub use network::{AuxiliaryClassifier, Head, Network, Observer, Section, trainable_parameters};
pub use registry::{MODELS, Model, ModelConfig, ModelInfo};
pub use resnet::{ResNet, ResNetConfig, ResNetDepth};
pub use shufflenet_v1::{ShuffleNetGroups, ShuffleNetV1, ShuffleNetV1Config};
pub use summary::{StageSummary, Summary};
pub use vgg::{Vgg, VggConfig};
pub use xception::{Xception, XceptionConfig};
pub use xception_kernels as kernels;

#[cfg(feature = "weights")]
pub use xception_images as preprocessing;

/// The examples of the README, which are tested.
#[cfg(all(doctest, feature = "pretrained"))]
#[doc = include_str!("../README.md")]
struct Readme;
