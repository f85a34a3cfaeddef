//! Networks made ready for inference.
//!
//! `fuse` folds the batch normalizations into the convolutions before them, and joins each convolution
//! with the activation, the residual addition and, in a separable convolution, the depthwise part around
//! it; see [`FusedConv2d`](xception_kernels::FusedConv2d). The logits are the same but for rounding, and
//! so are the stages.
//!
//! A fused network stands for the weights at the time of fusing and for inference alone. It has no
//! parameters, so there is nothing that an optimizer could change, and no gradient passes through it:
//! given images on a device in autodiff mode it computes on the device inside, where its output stays.
//! It has to run on the backend that it was fused on; moving it to another device leaves it where it is.

mod classifier;
mod inception_v3;
mod layers;
mod model;
mod resnet;
mod xception;

pub use inception_v3::FusedInceptionV3;
pub use model::FusedModel;
pub use resnet::FusedResNet;
pub use xception::FusedXception;
