//! Which network a file with PyTorch's names holds.

use super::layer::Layer;
use super::named_tensors::NamedTensors;
use super::names::{inception_v3_torch, resnet_torch, xception_torch};
use super::source::Source;
use crate::layers::Stem;
use crate::width::Width;
use crate::{InceptionV3Config, ModelConfig, ResNetConfig, ResNetDepth, XceptionConfig};

/// A network found in a file.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) source: Source,
    pub(super) config: ModelConfig,
}

/// For each network, a name that no other has.
const ANCHORS: [&str; 3] = [
    xception_torch::ANCHOR,
    inception_v3_torch::ANCHOR,
    resnet_torch::ANCHOR,
];

/// What stands before a network's names: nothing, or something like `state_dict.` or `module.`.
pub(super) fn prefixes(tensors: &NamedTensors) -> Vec<String> {
    let prefix = |name: &str| {
        let prefixes = ANCHORS
            .iter()
            .filter_map(|anchor| name.strip_suffix(anchor));
        prefixes
            .filter(|prefix| prefix.is_empty() || prefix.ends_with('.'))
            .map(str::to_owned)
            .next()
    };
    tensors.names().filter_map(prefix).collect()
}

/// The network whose names these are.
pub(super) fn find(tensors: &NamedTensors) -> Option<Found> {
    let found = |source, config| Found { source, config };
    if tensors.contains(xception_torch::ANCHOR) {
        let cadene = tensors
            .names()
            .any(|name| name.starts_with(xception_torch::CADENE_HEAD));
        let source = if cadene { Source::Cadene } else { Source::Timm };
        return Some(found(
            source,
            ModelConfig::Xception(xception(tensors, source)),
        ));
    }
    let source = Source::Torchvision;
    if tensors.contains(inception_v3_torch::ANCHOR) {
        return Some(found(
            source,
            ModelConfig::InceptionV3(inception_v3(tensors, source)),
        ));
    }
    if tensors.contains(resnet_torch::ANCHOR) {
        return resnet(tensors, source).map(|config| found(source, ModelConfig::ResNet(config)));
    }
    None
}

/// The layers of a network under PyTorch's names.
pub(super) fn layers(config: &ModelConfig, source: Source) -> Vec<Layer> {
    match config {
        ModelConfig::Xception(config) => {
            let head = match source {
                Source::Cadene => xception_torch::CADENE_HEAD,
                _ => xception_torch::HEAD,
            };
            xception_torch::layers(config, head)
        }
        ModelConfig::InceptionV3(config) => inception_v3_torch::layers(config),
        ModelConfig::ResNet(config) => resnet_torch::layers(config),
    }
}

/// The first dimension of a tensor: of a convolution or a linear layer its outputs.
fn outputs(tensors: &NamedTensors, name: &str) -> Option<usize> {
    tensors.shape(name)?.first().copied()
}

/// The width that gives the tensors of these names their outputs, each after the published number;
/// 1 where none does, so that the error is about shapes.
fn width(tensors: &NamedTensors, published: &[(usize, &str)]) -> f64 {
    let pairs: Option<Vec<_>> = published
        .iter()
        .map(|&(published, name)| Some((published, outputs(tensors, name)?)))
        .collect();
    pairs
        .and_then(|pairs| Width::fitting(&pairs))
        .unwrap_or(1.0)
}

fn xception(tensors: &NamedTensors, source: Source) -> XceptionConfig {
    let base = source.xception();
    let head = match source {
        Source::Cadene => xception_torch::CADENE_HEAD,
        _ => xception_torch::HEAD,
    };
    let blocks = (1..)
        .take_while(|block| {
            let start = format!("block{block}.rep.");
            tensors
                .tensors
                .range(start.clone()..)
                .next()
                .is_some_and(|(name, _)| name.starts_with(&start))
        })
        .count();
    let fully_connected = (0..).map_while(|index| {
        let name = format!("{}.weight", xception_torch::fully_connected(index));
        outputs(tensors, &name)
    });
    XceptionConfig {
        classes: outputs(tensors, &format!("{head}.weight")).unwrap_or(base.classes),
        width: width(
            tensors,
            &[
                (32, "conv1.weight"),
                (64, "conv2.weight"),
                (128, "block1.rep.1.weight"),
                (256, "block2.rep.2.weight"),
                (728, "block3.rep.2.weight"),
                (1536, "bn3.weight"),
                (2048, "bn4.weight"),
            ],
        ),
        middle_modules: blocks.saturating_sub(xception_torch::ENTRY_MODULES + 1),
        residual: tensors.contains("block1.skip.weight") || tensors.contains("block2.skip.weight"),
        fully_connected: fully_connected.collect(),
        ..base
    }
}

fn inception_v3(tensors: &NamedTensors, source: Source) -> InceptionV3Config {
    let base = source.inception_v3();
    let head = format!("{}.weight", inception_v3_torch::HEAD);
    InceptionV3Config {
        classes: outputs(tensors, &head).unwrap_or(base.classes),
        width: width(
            tensors,
            &[
                (32, "Conv2d_1a_3x3.conv.weight"),
                (80, "Conv2d_3b_1x1.conv.weight"),
                (192, "Conv2d_4a_3x3.conv.weight"),
                (160, "Mixed_6c.branch7x7_1.conv.weight"),
                (448, "Mixed_7c.branch3x3dbl_1.conv.weight"),
            ],
        ),
        auxiliary: tensors.names().any(|name| name.starts_with("AuxLogits.")),
        ..base
    }
}

fn resnet(tensors: &NamedTensors, source: Source) -> Option<ResNetConfig> {
    let base = source.resnet();
    let stages = [1, 2, 3, 4].map(|stage| {
        (0..)
            .take_while(|block| tensors.contains(&format!("layer{stage}.{block}.conv1.weight")))
            .count()
    });
    let convolutions = 2 + usize::from(tensors.contains("layer1.0.conv3.weight"));
    let depth = ResNetDepth::ALL
        .into_iter()
        .find(|depth| depth.convolutions_and_blocks() == (convolutions, stages))?;
    let kernel = tensors
        .shape("conv1.weight")
        .and_then(|shape| shape.get(2).copied());
    Some(ResNetConfig {
        depth,
        classes: outputs(tensors, &format!("{}.weight", resnet_torch::HEAD))
            .unwrap_or(base.classes),
        width: width(
            tensors,
            &[
                (64, "conv1.weight"),
                (128, "layer2.0.conv1.weight"),
                (256, "layer3.0.conv1.weight"),
                (512, "layer4.0.conv1.weight"),
            ],
        ),
        stem: if kernel == Some(3) {
            Stem::Small
        } else {
            Stem::Standard
        },
        ..base
    })
}
