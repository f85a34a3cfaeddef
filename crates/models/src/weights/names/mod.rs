//! The layers of each network under the names of each source: one table a file.

pub(super) mod inception_v3_keras;
pub(super) mod inception_v3_torch;
pub(super) mod resnet_keras;
pub(super) mod resnet_torch;
pub(super) mod xception_keras;
pub(super) mod xception_torch;

use super::layer::Layer;

pub(super) fn conv_norm(module: String, conv: String, norm: String) -> Layer {
    Layer::ConvNorm { module, conv, norm }
}

pub(super) fn linear(module: &str, linear: &str) -> Layer {
    Layer::Linear {
        module: module.to_owned(),
        linear: linear.to_owned(),
    }
}
