//! Configuration of GoogLeNet.

use burn::prelude::*;

use super::auxiliary::GoogLeNetAuxiliaryConfig;
use super::module::GoogLeNetModuleConfig;
use super::{GoogLeNet, stem};
use crate::ModelError;
use crate::layers::ClassifierConfig;
use crate::limits::check_parameters;
use crate::options::network_config;

/// A module with its place in the network.
pub(super) struct Row {
    /// Name of the stage.
    pub(super) name: &'static str,
    /// Output channels: of the 1x1 branch; of the 1x1 and the 3x3 in the second; of the two in the third; and of the
    /// 1x1 after the pool.
    pub(super) channels: [usize; 6],
    /// The max pool that follows.
    pub(super) pool: Option<Pool>,
    /// Whether there may be an auxiliary classifier on the output.
    pub(super) auxiliary: bool,
}

/// A max pool between modules, at stride 2.
pub(super) struct Pool {
    /// Name of the stage.
    pub(super) name: &'static str,
    pub(super) kernel: usize,
}

const fn row(name: &'static str, channels: [usize; 6]) -> Row {
    Row {
        name,
        channels,
        pool: None,
        auxiliary: false,
    }
}

const fn pool(name: &'static str, kernel: usize) -> Option<Pool> {
    Some(Pool { name, kernel })
}

/// The modules (table 1), with the auxiliary classifiers of figure 3.
pub(super) const MODULES: [Row; 9] = [
    row("inception3a", [64, 96, 128, 16, 32, 32]),
    Row {
        pool: pool("maxpool3", 3),
        ..row("inception3b", [128, 128, 192, 32, 96, 64])
    },
    Row {
        auxiliary: true,
        ..row("inception4a", [192, 96, 208, 16, 48, 64])
    },
    row("inception4b", [160, 112, 224, 24, 64, 64]),
    row("inception4c", [128, 128, 256, 24, 64, 64]),
    Row {
        auxiliary: true,
        ..row("inception4d", [112, 144, 288, 32, 64, 64])
    },
    Row {
        pool: pool("maxpool4", 2),
        ..row("inception4e", [256, 160, 320, 32, 128, 128])
    },
    row("inception5a", [256, 160, 320, 32, 128, 128]),
    row("inception5b", [384, 192, 384, 48, 128, 128]),
];

network_config! {
    /// Configuration of [`GoogLeNet`].
    #[schemars(
        description = "The options of GoogLeNet; each may be left out.",
        example = serde_json::json!({"auxiliary": true, "dropout": 0.2})
    )]
    GoogLeNetConfig {
        /// Whether there are the paper's two auxiliary classifiers, for training.
        auxiliary, with_auxiliary: bool = false;
    }
    channels: [
        16, 24, 32, 48, 64, 96, 112, 128, 144, 160, 192, 208, 224, 256, 288, 320, 384, 1024
    ];
    dropout: "0.4 in the paper, 0.2 in torchvision";
    batch_norm_epsilon: 1e-3, "1e-3 in torchvision", example 1e-5;
}

impl GoogLeNetConfig {
    /// Returns the name of the network.
    pub fn name(&self) -> String {
        "googlenet".to_owned()
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
    pub fn init(&self, device: &Device) -> Result<GoogLeNet, ModelError> {
        self.check()?;
        let width = self.layer_width()?;
        let options = self.layer_options();
        let (stem, mut channels_in) = stem::stem(self.stem, width, options, device);
        let mut auxiliary = Vec::new();
        let modules = MODULES.iter().map(|row| {
            let config = GoogLeNetModuleConfig {
                channels_in,
                channels: row.channels.map(|published| width.channels(published)),
                options,
            };
            channels_in = config.channels_out();
            if row.auxiliary && self.auxiliary {
                let config = GoogLeNetAuxiliaryConfig {
                    channels_in,
                    classes: self.classes,
                    width,
                    options,
                };
                auxiliary.push(config.init(device));
            }
            config.init(device)
        });
        let modules = modules.collect();
        check_parameters(GoogLeNet {
            stem,
            modules,
            classifier: ClassifierConfig {
                dropout: self.dropout,
                ..ClassifierConfig::new(channels_in, self.classes, self.kernels)
            }
            .init(device),
            auxiliary,
            kernels: self.kernels,
        })
    }
}
