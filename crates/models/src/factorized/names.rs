//! The layers of the factorized network under the names of this crate's files in PyTorch's form.
//!
//! | here | file |
//! |---|---|
//! | `stem.conv` | `features.stem.conv` and `features.stem.norm` |
//! | `stages.S.transition` | `features.stage(S + 1).transition.depthwise`, `.pointwise` and `.norm` |
//! | `stages.S.dense.L` | `features.stage(S + 1).dense.L.conv` and `.norm` |
//! | `stages.S.single_intra_channel.L.bases.B` | `features.stage(S + 1).single_intra_channel.L.B.depthwise`, `.pointwise` and `.norm` |
//! | `stages.S.spatial_bottlenecks.L.B` | `features.stage(S + 1).spatial_bottlenecks.L.B.depthwise`, `.projection`, `.deconvolution` and `.norm` |
//! | `classifier.logits` | `classifier` |
//!
//! The name of a subdivided convolution also says how many axes its topology has, as in `conv_2d` or `pointwise_3d`: the
//! order of its weights depends on that.

use super::config::STAGES;
use super::{FactorizedConfig, FactorizedConvolution};
use crate::weights::layer::{Layer, conv_norm, linear};

/// Name that no other network here has.
pub(super) const ANCHOR: &str = "features.stem.conv.weight";
/// Name of the last layer.
pub(super) const HEAD: &str = "classifier";

/// Returns the name of a convolution that is subdivided by a topology of so many axes, or isn't if there are none.
pub(super) fn subdivided(name: &str, axes: usize) -> String {
    match axes {
        0 => name.to_owned(),
        axes => format!("{name}_{axes}d"),
    }
}

/// Returns the name of a stage.
pub(super) fn stage(index: usize) -> String {
    format!("features.stage{}", index + 1)
}

/// Lists all layers.
pub(super) fn layers(config: &FactorizedConfig) -> Vec<Layer> {
    let stem = "features.stem";
    let mut layers = vec![conv_norm(
        "stem.conv".into(),
        format!("{stem}.conv"),
        format!("{stem}.norm"),
    )];
    for index in 0..STAGES {
        let (module, name) = (format!("stages.{index}"), stage(index));
        if index > 0 {
            let module = format!("{module}.transition");
            layers.push(separable(module, &format!("{name}.transition"), 0));
        }
        for layer in 0..config.layers[index] {
            layers.extend(parts(config, index, &module, &name, layer));
        }
    }
    layers.push(linear("classifier.logits", HEAD));
    layers
}

/// Lists the parts of a stage's layer.
fn parts(
    config: &FactorizedConfig,
    stage: usize,
    module: &str,
    name: &str,
    layer: usize,
) -> Vec<Layer> {
    let axes = config.topology[stage];
    let bases = 0..config.bases;
    match config.convolution {
        FactorizedConvolution::Dense => {
            let name = format!("{name}.dense.{layer}");
            vec![conv_norm(
                format!("{module}.dense.{layer}"),
                format!("{name}.{}", subdivided("conv", axes)),
                format!("{name}.norm"),
            )]
        }
        FactorizedConvolution::SingleIntraChannel => {
            let layer = format!("single_intra_channel.{layer}");
            let part = |basis| {
                let module = format!("{module}.{layer}.bases.{basis}");
                separable(module, &format!("{name}.{layer}.{basis}"), axes)
            };
            bases.map(part).collect()
        }
        FactorizedConvolution::SpatialBottleneck => {
            let layer = format!("spatial_bottlenecks.{layer}");
            let part = |basis| {
                let path = format!("{layer}.{basis}");
                Layer::SpatialBottleneck {
                    module: format!("{module}.{path}"),
                    depthwise: format!("{name}.{path}.depthwise"),
                    projection: format!("{name}.{path}.{}", subdivided("projection", axes)),
                    deconvolution: format!("{name}.{path}.deconvolution"),
                    norm: format!("{name}.{path}.norm"),
                }
            };
            bases.map(part).collect()
        }
    }
}

/// Makes a separable convolution, of which the pointwise part may be subdivided.
fn separable(module: String, name: &str, axes: usize) -> Layer {
    Layer::SegmentedConvNorm {
        module,
        spatial: format!("{name}.depthwise"),
        norm_between: None,
        pointwise: format!("{name}.{}", subdivided("pointwise", axes)),
        norm: Some(format!("{name}.norm")),
    }
}
