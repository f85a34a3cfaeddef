//! Recognition, names and preprocessing of published weights for Inception V2.

use super::{InceptionV2Config, pytorchcv_names};
use crate::preprocessing::{Filter, Preprocessing, Scaling};
use crate::weights::family::{FamilyWeights, fitting_width, torch_outputs};
use crate::weights::layer::Layer;
use crate::weights::{NamedTensors, Source};

/// Layers whose numbers of outputs determine the width: each published number, and a layer that has it.
const WIDTHS: [(usize, &str); 10] = [
    (32, "features.stage1.unit1.branches.branch4.conv"),
    (64, "features.init_block.conv1"),
    (96, "features.stage1.unit1.branches.branch3.conv3"),
    (128, "features.stage2.unit2.branches.branch4.conv"),
    (160, "features.stage2.unit4.branches.branch1"),
    (192, "features.init_block.conv2.conv2"),
    (224, "features.stage2.unit2.branches.branch1"),
    (256, "features.stage3.unit1.branches.branch2.conv3"),
    (320, "features.stage3.unit2.branches.branch2.conv2"),
    (352, "features.stage3.unit2.branches.branch1"),
];

impl FamilyWeights for InceptionV2Config {
    const TORCH_ANCHOR: &'static str = pytorchcv_names::ANCHOR;
    const EXPORT: Source = Source::Pytorchcv;

    fn of_source(_source: Source) -> Self {
        Self::default()
    }

    /// Returns pytorchcv's preprocessing, which is the same for all of its networks: shortest side 256, bilinear, center
    /// 224, ImageNet's mean and standard deviation (`img_scale` 0.875 in its model_metainfos.csv).
    fn preprocessing(_source: Source) -> Preprocessing {
        Preprocessing::cropped(224, 0.875, Filter::Bilinear, Scaling::imagenet())
    }

    fn find_torch(tensors: &NamedTensors) -> Option<(Source, Self)> {
        let source = Source::Pytorchcv;
        let base = Self::of_source(source);
        let outputs = |name: &str| torch_outputs(tensors, &format!("{name}.weight"));
        let config = Self {
            classes: outputs(pytorchcv_names::HEAD).unwrap_or(base.classes),
            width: fitting_width(
                &WIDTHS.map(|(published, name)| (published, outputs(&format!("{name}.conv")))),
            ),
            ..base
        };
        Some((source, config))
    }

    fn torch_layers(&self, _source: Source) -> Vec<Layer> {
        pytorchcv_names::layers()
    }
}
