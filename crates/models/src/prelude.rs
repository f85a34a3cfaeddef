//! The items that most programs need, for `use xception_models::prelude::*;`.
//!
//! ```
//! use burn::prelude::*;
//! use xception_models::prelude::*;
//!
//! let device = Device::flex();
//! let network = MobileNetV1Config::new(10).with_width(0.25).with_stem(Stem::Small).init(&device)?;
//! let fused = network.fuse(); // for inference
//! assert_eq!(fused.forward(Tensor::zeros([1, 3, 32, 32], &device)).dims(), [1, 10]);
//! # Ok::<(), ModelError>(())
//! ```

pub use crate::layers::{
    Activation, Classifier, ClassifierConfig, ConvNorm, ConvNormConfig, Epilogue, FeatureMap,
    Kernels, LayerOptions, Order, Padding, SegmentedConvNorm, SegmentedConvNormConfig, Segments,
    Stem,
};
pub use crate::{
    AlignedXception, AlignedXceptionConfig, AlignedXceptionDepth, Features, Fused, GoogLeNet,
    GoogLeNetConfig, InceptionResNetV2, InceptionResNetV2Config, InceptionV2, InceptionV2Config,
    InceptionV3, InceptionV3Config, MobileNetV1, MobileNetV1Config, Model, ModelConfig, ModelError,
    Network, Observer, OutputStride, ResNet, ResNetConfig, ResNetDepth, ShuffleNetGroups,
    ShuffleNetV1, ShuffleNetV1Config, Summary, Vgg, VggConfig, Xception, XceptionConfig,
};
