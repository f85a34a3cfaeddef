//! The layers that the networks share.

mod activation;
mod classifier;
mod conv_norm;
mod kernels;
mod padding;
mod pool;
mod separable_conv;
mod stem;

pub use activation::{Activation, relu};
pub use classifier::{Classifier, ClassifierConfig};
pub use conv_norm::{ConvNorm, ConvNormConfig};
pub use kernels::{Kernels, LayerOptions};
pub use padding::Padding;
pub(crate) use pool::window_output;
pub use pool::{average_pool, global_average_pool, max_pool};
pub use separable_conv::{SeparableConvNorm, SeparableConvNormConfig};
pub use stem::Stem;
