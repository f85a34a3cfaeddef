//! The layers that the networks share, and the feature maps that pass through them.
//!
//! A network made of these layers is written once: the same forward pass trains it, runs it fused for inference, and gives
//! its summary; see [`FeatureMap`].

mod activation;
mod classifier;
mod conv_norm;
mod epilogue;
mod feature_map;
mod kernels;
mod operation;
mod packed;
mod padding;
mod pool;
mod segmented_conv;
mod segments;
mod stem;
pub(crate) mod trace;

pub use activation::Activation;
pub use classifier::{Classifier, ClassifierConfig};
pub use conv_norm::{ConvNorm, ConvNormConfig};
pub use epilogue::Epilogue;
pub use feature_map::FeatureMap;
pub use kernels::{Kernels, LayerOptions};
pub use operation::{Operation, OperationKind};
pub use padding::Padding;
pub use pool::{
    adaptive_average_pool, average_pool, global_average_pool, max_pool, strided_average_pool,
};
pub use segmented_conv::{SegmentedConvNorm, SegmentedConvNormConfig};
pub use segments::{Order, Segments};
pub use stem::Stem;
