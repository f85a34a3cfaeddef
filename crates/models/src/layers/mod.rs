//! The layers that the networks share, and the feature maps that pass through them.
//!
//! A network made of these layers is written once: the same forward pass trains it, runs it fused for inference, and gives
//! its summary; see [`FeatureMap`].

mod activation;
mod classifier;
mod conv_norm;
mod epilogue;
mod feature_map;
mod intra_channel_conv;
mod kernels;
mod operation;
mod packed;
mod padding;
mod pool;
mod pre_norm;
mod segmented_conv;
mod segments;
mod separable_sequence;
mod single_intra_channel_conv;
mod spatial_bottleneck;
mod stem;
mod topological_subdivision;
mod topology;
pub(crate) mod trace;
mod transposed_depthwise_conv;

pub use activation::Activation;
pub use classifier::{Classifier, ClassifierConfig};
pub use conv_norm::{ConvNorm, ConvNormConfig};
pub use epilogue::Epilogue;
pub use feature_map::FeatureMap;
pub use intra_channel_conv::{IntraChannelConv, IntraChannelConvConfig, one_hot_bases};
pub(crate) use kernels::at_least_single;
pub use kernels::{Kernels, LayerOptions};
pub use operation::{Operation, OperationKind};
pub use padding::Padding;
pub use pool::{
    adaptive_average_pool, average_pool, global_average_pool, max_pool, strided_average_pool,
};
pub use pre_norm::{PreNorm, PreNormConfig};
pub use segmented_conv::{SegmentedConvNorm, SegmentedConvNormConfig};
pub use segments::{Order, Segments};
pub(crate) use single_intra_channel_conv::check_odd;
pub use single_intra_channel_conv::{SingleIntraChannelConv, SingleIntraChannelConvConfig};
pub use spatial_bottleneck::{SpatialBottleneck, SpatialBottleneckConfig};
pub use stem::Stem;
pub(crate) use topology::MAX_AXES;
pub use topology::Topology;
pub use transposed_depthwise_conv::{
    TransposedDepthwiseConvNorm, TransposedDepthwiseConvNormConfig,
};
