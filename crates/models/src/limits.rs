//! Limits on the size of a network, well above any that has been published. They are checked before anything is
//! allocated.

use burn::module::Module;

use crate::{ModelError, Network};

/// Most classes; JFT has 17,000.
pub(crate) const CLASSES: usize = 1 << 20;
/// Most modules in Xception's middle flow; the paper has 8.
pub(crate) const MIDDLE_MODULES: usize = 1 << 10;
/// Most segments of a convolution; the paper has 2048.
pub(crate) const SEGMENTS: usize = 1 << 16;
/// Most blocks at each resolution of Inception-ResNet V2; the published network has 20.
pub(crate) const BLOCKS: usize = 1 << 10;
/// Most layers in a stage of a factorized network; the default has 11 in the longest.
pub(crate) const STAGE_LAYERS: usize = 1 << 8;
/// Most bases in a layer of a factorized network; 49 are equal to any dense kernel of 7x7.
pub(crate) const BASES: usize = 1 << 6;
/// Most units of a fully connected layer; the paper has 4096.
pub(crate) const UNITS: usize = 1 << 16;
/// Most fully connected layers; the paper has two.
pub(crate) const FULLY_CONNECTED: usize = 8;
/// Largest side of the grid that the last map is pooled to; VGG's has 7.
pub(crate) const GRID: usize = 1 << 5;
/// Most groups of a bottleneck's convolution; ResNeXt has up to 64.
pub(crate) const GROUPS: usize = 1 << 10;
/// Most channels in each of a bottleneck's groups, in the first stage; Wide ResNet has 128.
pub(crate) const WIDTH_PER_GROUP: usize = 1 << 10;
/// Most parameters: 32 GB of weights, of which training holds three copies (the weights, their gradients and their
/// momentum).
const PARAMETERS: u64 = 8_000_000_000;

/// Returns the network, whose weights haven't been drawn yet, if it is within [`PARAMETERS`].
pub(crate) fn check_parameters<N: Network + Module>(network: N) -> Result<N, ModelError> {
    let parameters = network.trainable_parameters() as u64;
    match parameters <= PARAMETERS {
        true => Ok(network),
        false => Err(ModelError::TooLarge {
            parameters,
            maximum: PARAMETERS,
        }),
    }
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;

    use crate::{InceptionV3Config, ModelConfig, ResNetConfig, ResNetDepth, XceptionConfig};

    fn error(config: ModelConfig) -> String {
        config.init(&Device::flex()).unwrap_err().to_string()
    }

    #[test]
    fn numbers_that_no_machine_has_are_refused() {
        for classes in [0, 99_999_999_999, usize::MAX] {
            for config in ["xception", "inception_v3", "resnet50"] {
                let config = ModelConfig::named(config).unwrap().with_classes(classes);
                let expected = format!("`classes` is {classes}, but has to be from 1 to 1048576");
                assert_eq!(error(config), expected);
            }
        }
        let xception = |config: XceptionConfig| error(ModelConfig::Xception(config));
        let found = xception(XceptionConfig {
            middle_modules: 1_000_000_000,
            ..XceptionConfig::default()
        });
        assert!(found.contains("`middle_modules` is 1000000000"), "{found}");
        let found = xception(XceptionConfig {
            fully_connected: vec![100_000_000; 2],
            ..XceptionConfig::default()
        });
        assert!(found.contains("`fully_connected` is 100000000"), "{found}");
        let found = xception(XceptionConfig {
            fully_connected: vec![10; 1000],
            ..XceptionConfig::default()
        });
        assert!(found.contains("1000 layers"), "{found}");
    }

    #[test]
    fn a_network_of_too_many_parameters_is_refused_without_drawing_them() {
        let config = XceptionConfig {
            fully_connected: vec![65_536; 4],
            ..XceptionConfig::default()
        };
        let found = error(ModelConfig::Xception(config));
        assert!(
            found.contains("13.1 billion parameters (52.4 GB)") && found.contains("8.0 billion"),
            "{found}"
        );
    }

    #[test]
    fn wide_networks_are_made_without_drawing_their_weights() {
        let wide = [
            ModelConfig::Xception(XceptionConfig::new(1000).with_width(16.0)),
            ModelConfig::InceptionV3(InceptionV3Config::new(1000).with_width(16.0)),
            ModelConfig::ResNet(
                ResNetConfig::new(1000)
                    .with_depth(ResNetDepth::ResNet50)
                    .with_width(16.0),
            ),
        ];
        for config in wide {
            config.init(&Device::flex()).unwrap();
        }
    }
}
