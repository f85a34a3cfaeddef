//! The hypothesis of the Xception paper: the modules of its figures 1 to 4, and the conversions between them.
//!
//! An Inception module looks at cross-channel correlations by 1x1 convolutions first, and then at spatial correlations in
//! several smaller spaces. Xception is the hypothesis that the two can be looked at entirely apart (F. Chollet, *Xception*,
//! 2017, section 1). The way there has discrete steps:
//!
//! | figure | module | here |
//! |---|---|---|
//! | 1 | canonical Inception V3 module: branches of 1x1; 1x1 and 3x3; 1x1 and twice 3x3; average pool and 1x1 | [`CanonicalInception`] |
//! | 2 | simplified module: branches of 1x1 and 3x3 | [`SimplifiedInception`] |
//! | 3 | one large 1x1 convolution, whose outputs are cut into segments, each with its own 3x3 convolution | [`SegmentedConvNorm`] with [`Order::PointwiseFirst`] |
//! | 4 | extreme version: a segment for each channel | the same with [`Segments::Channels`] |
//!
//! Two differences are left between the extreme version and a depthwise separable convolution: the order of the two parts,
//! and what is between them. Both are options of [`SegmentedConvNorm`].
//!
//! Figures 2 and 3 are the same function of the same weights: [`SimplifiedInception::to_segmented`] and
//! [`SimplifiedInception::from_segmented`] convert one to the other. In a stack of modules the order only decides where a
//! module begins: [`SeparableStack::depthwise_first`] regroups a stack whose modules begin with the 1x1 convolution into
//! one whose modules begin with the spatial convolution, with a 1x1 convolution before it and a spatial one after it.
//!
//! ```
//! use burn::prelude::*;
//! use xception_models::layers::{Activation, Epilogue, FeatureMap, Kernels, LayerOptions};
//! use xception_models::spectrum::SimplifiedInceptionConfig;
//!
//! let device = Device::flex();
//! let options = LayerOptions { epsilon: 1e-3, kernels: Kernels::Native };
//! // Figure 2: four branches of 8 channels.
//! let branches = SimplifiedInceptionConfig::new([16, 32], 4, options).init(&device)?;
//! // Figure 3: one convolution of 1x1, and four segments.
//! let segmented = branches.to_segmented()?;
//! assert_eq!(segmented.spatial.groups, 4);
//! let images = FeatureMap::composed(Tensor::ones([1, 16, 8, 8], &device));
//! let apart = branches.forward(images.clone(), Activation::Relu).into_tensor();
//! let together = segmented.forward(images, Epilogue::relu()).into_tensor();
//! assert!((apart - together).abs().max().into_scalar::<f32>() < 1e-5);
//! # Ok::<(), xception_models::spectrum::SpectrumError>(())
//! ```
//!
//! [`SegmentedConvNorm`]: crate::layers::SegmentedConvNorm
//! [`Order::PointwiseFirst`]: crate::layers::Order::PointwiseFirst
//! [`Segments::Channels`]: crate::layers::Segments::Channels

mod canonical;
mod error;
mod norms;
mod simplified;
mod stack;

pub use canonical::{CanonicalInception, CanonicalInceptionConfig};
pub use error::SpectrumError;
pub use simplified::{InceptionBranch, SimplifiedInception, SimplifiedInceptionConfig};
pub use stack::SeparableStack;

#[cfg(test)]
mod tests;
