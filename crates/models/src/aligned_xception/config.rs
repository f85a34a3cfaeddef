//! Configuration of the aligned Xception.

use burn::prelude::*;

use super::module::AlignedXceptionModuleConfig;
use super::plan::modules;
use super::stem::stem_config;
use super::{AlignedXception, AlignedXceptionDepth, OutputStride};
use crate::ModelError;
use crate::layers::ClassifierConfig;
use crate::limits::check_parameters;
use crate::options::network_config;

/// Channels of the last map.
const FEATURES: usize = 2048;

network_config! {
    /// Configuration of [`AlignedXception`].
    #[schemars(
        description = "The options of the modified aligned Xception; each may be left out.",
        example = serde_json::json!({"depth": 41, "output_stride": 16})
    )]
    AlignedXceptionConfig {
        /// Number of convolutional layers.
        #[schemars(example = 41)]
        depth, with_depth: AlignedXceptionDepth = AlignedXceptionDepth::Xception65;
        /// Whether normalization and ReLU come before each separable convolution and before the residual
        /// connection, as in timm's `xception41p` and `xception65p`.
        preactivation, with_preactivation: bool = false;
        /// Ratio of an image's side to that of the last map, with the standard stem: 32 for classification, or
        /// 16 or 8, with dilation in place of the last strides. With the small stem the ratio is half of it.
        #[schemars(example = 16)]
        output_stride, with_output_stride: OutputStride = OutputStride::ThirtyTwo;
    }
    channels: [32, 64, 128, 256, 728, 1024, 1536, 2048];
    dropout: "none in timm";
    batch_norm_epsilon: 1e-3, "1e-3 in timm, but 1e-5 in its `xception41p`", example 1e-5;
}

impl AlignedXceptionConfig {
    /// Returns the published network of a depth, with pre-activation or without: that of timm, or the one that has its
    /// epsilon.
    pub(super) fn published(depth: AlignedXceptionDepth, preactivation: bool) -> Self {
        let base = Self::default();
        let batch_norm_epsilon = match (depth, preactivation) {
            (AlignedXceptionDepth::Xception41, true) => 1e-5,
            _ => base.batch_norm_epsilon,
        };
        Self {
            depth,
            preactivation,
            batch_norm_epsilon,
            ..base
        }
    }

    /// Returns the name of the network: `xception65`, or `xception65p` with pre-activation.
    pub fn name(&self) -> String {
        let preactivation = if self.preactivation { "p" } else { "" };
        format!("xception{}{preactivation}", self.depth.layers())
    }

    /// Checks that every option is in its range.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`], which names the option.
    pub fn check(&self) -> Result<(), ModelError> {
        self.check_shared()
    }

    /// Makes the network, with random weights.
    ///
    /// # Errors
    ///
    /// If an option is out of its range, or the network would have too many parameters.
    pub fn init(&self, device: &Device) -> Result<AlignedXception, ModelError> {
        self.check()?;
        let width = self.layer_width()?;
        let options = self.layer_options();
        let stem = stem_config(self.stem, self.preactivation, &width, options);
        let module = |plan| AlignedXceptionModuleConfig {
            plan,
            width,
            preactivation: self.preactivation,
            options,
        };
        let modules = modules(self.depth, self.output_stride).into_iter();
        let features = width.channels(FEATURES);
        check_parameters(AlignedXception {
            stem: stem.init(device),
            blocks: modules.map(|plan| module(plan).init(device)).collect(),
            entry_modules: self.depth.entry_flow().len(),
            classifier: ClassifierConfig {
                dropout: self.dropout,
                ..ClassifierConfig::new(features, self.classes, self.kernels)
            }
            .init(device),
        })
    }
}
