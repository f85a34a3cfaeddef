//! The layers of ResNet under the names of `keras.applications`.
//!
//! | here | Keras | in the first releases |
//! |---|---|---|
//! | `stem.conv` | `conv1_conv`, `conv1_bn` | `conv1`, `bn_conv1` |
//! | `stages.S.B.convolutions.I` | `conv(S + 2)_block(B + 1)_(I + 1)_conv` and `_bn` | `res2a_branch2a`, `bn2a_branch2a` |
//! | `stages.S.B.shortcut` | `conv(S + 2)_block1_0_conv` and `_bn` | `res2a_branch1`, `bn2a_branch1` |
//! | `classifier.logits` | `predictions`, or the last dense layer | `fc1000` |
//!
//! The convolutions have biases, and the network takes images in the order blue, green, red: see
//! [`Dialect`](crate::weights::layer::Dialect) and [`Layout`](crate::weights::layout::Layout).

use super::ResNetConfig;
use crate::weights::layer::{Layer, conv_norm, linear};

/// Name of the last layer.
pub(super) const HEAD: &str = "predictions";
/// Parameter whose input channels are reversed.
pub(super) const FIRST: &str = "stem.conv.conv.weight";

/// Lists all layers in the order in which Keras does: a shortcut comes before the block's last convolution.
pub(super) fn layers(config: &ResNetConfig) -> Vec<Layer> {
    let conv = |module: String, name: String| {
        conv_norm(module, format!("{name}_conv"), format!("{name}_bn"))
    };
    let mut layers = vec![conv("stem.conv".into(), "conv1".into())];
    let (convolutions, blocks) = config.depth.convolutions_and_blocks();
    for (stage, blocks) in blocks.into_iter().enumerate() {
        for block in 0..blocks {
            let module = format!("stages.{stage}.{block}");
            let name = format!("conv{}_block{}", stage + 2, block + 1);
            for index in 0..convolutions {
                if index + 1 == convolutions && config.depth.has_shortcut(stage, block) {
                    layers.push(conv(format!("{module}.shortcut"), format!("{name}_0")));
                }
                layers.push(conv(
                    format!("{module}.convolutions.{index}"),
                    format!("{name}_{}", index + 1),
                ));
            }
        }
    }
    layers.push(linear("classifier.logits", HEAD));
    layers
}

/// Returns the present name of a layer that has a name of the first releases, such as `res2a_branch2b`.
pub(super) fn modern(name: &str) -> Option<String> {
    match name {
        "conv1" => return Some("conv1_conv".to_owned()),
        "bn_conv1" => return Some("conv1_bn".to_owned()),
        _ => {}
    }
    let (rest, part) = match name.strip_prefix("res") {
        Some(rest) => (rest, "conv"),
        None => (name.strip_prefix("bn")?, "bn"),
    };
    let (place, branch) = rest.split_once("_branch")?;
    let mut place = place.chars();
    let (stage, block) = (place.next()?, place.next()?);
    if place.next().is_some() || !stage.is_ascii_digit() || !block.is_ascii_lowercase() {
        return None;
    }
    let block = u32::from(block) - u32::from('a') + 1;
    let index = match branch {
        "1" => 0,
        "2a" => 1,
        "2b" => 2,
        "2c" => 3,
        _ => return None,
    };
    Some(format!("conv{stage}_block{block}_{index}_{part}"))
}

#[cfg(test)]
mod tests {
    use super::modern;

    #[test]
    fn old_names_become_new_ones() {
        for (old, new) in [
            ("conv1", Some("conv1_conv")),
            ("res2a_branch1", Some("conv2_block1_0_conv")),
            ("bn4f_branch2c", Some("conv4_block6_3_bn")),
            ("bn_conv1", Some("conv1_bn")),
            ("res2", None),
            ("batch_normalization", None),
        ] {
            assert_eq!(modern(old).as_deref(), new);
        }
    }
}
