//! The layers of Inception-ResNet V2 under the names of Keras' published files, which are those of TF-Slim: [`Names`]
//! has them. A normalization has the name of its convolution with `_BatchNorm` at the end, and no `gamma`.
//!
//! `keras.applications` reads these files by the order of their layers. The names that it gives itself are numbers in the
//! order of the table, such as `conv2d_17` and `batch_normalization_17`, but for these:
//!
//! | TF-Slim | `keras.applications` |
//! |---|---|
//! | `Block35_1_Conv2d_1x1`, the expansion of each block | `block35_1_conv` |
//! | `Conv2d_7b_1x1`, `Conv2d_7b_1x1_BatchNorm` | `conv_7b`, `conv_7b_bn` |
//! | `Logits` | `predictions` |

use super::InceptionResNetV2Config;
use super::names::Names;
use crate::weights::layer::{Layer, biased_conv, conv_norm, linear};

/// Name of the last layer.
pub(super) const HEAD: &str = "Logits";

/// Lists all layers.
pub(super) fn layers(config: &InceptionResNetV2Config) -> Vec<Layer> {
    let convolutions = Names::new(config).convolutions.into_iter();
    let mut layers: Vec<_> = convolutions
        .map(|convolution| {
            let (module, name) = (convolution.module, convolution.slim);
            match convolution.channels {
                Some(_) => conv_norm(module, name.clone(), format!("{name}_BatchNorm")),
                None => biased_conv(module, name),
            }
        })
        .collect();
    layers.push(linear("classifier.logits", HEAD));
    layers
}

/// Returns TF-Slim's name of a layer that has a name of its own in `keras.applications`, instead of a number.
pub(super) fn published(name: &str) -> Option<String> {
    match name {
        "conv_7b" => return Some("Conv2d_7b_1x1".to_owned()),
        "conv_7b_bn" => return Some("Conv2d_7b_1x1_BatchNorm".to_owned()),
        _ => {}
    }
    let block = name.strip_prefix("block")?.strip_suffix("_conv")?;
    Some(format!("Block{block}_Conv2d_1x1"))
}

#[cfg(test)]
mod tests {
    use super::published;

    #[test]
    fn names_of_their_own_become_the_published_ones() {
        for (name, expected) in [
            ("block35_1_conv", Some("Block35_1_Conv2d_1x1")),
            ("block8_10_conv", Some("Block8_10_Conv2d_1x1")),
            ("conv_7b_bn", Some("Conv2d_7b_1x1_BatchNorm")),
            ("conv2d_7", None),
            ("batch_normalization", None),
        ] {
            assert_eq!(published(name).as_deref(), expected);
        }
    }
}
