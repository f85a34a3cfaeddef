//! Recognition, names and preprocessing of published weights for GoogLeNet.

use super::stem::SMALL_KERNEL;
use super::{GoogLeNetConfig, torchvision_names};
use crate::layers::Stem;
use crate::preprocessing::{Preprocessing, Preset};
use crate::weights::family::{FamilyWeights, fitting_width, torch_outputs};
use crate::weights::layer::Layer;
use crate::weights::{NamedTensors, Source};

/// Layers whose numbers of outputs determine the width: the published number, and the name.
const WIDTHS: [(usize, &str); 6] = [
    (64, "conv1"),
    (192, "conv3"),
    (16, "inception3a.branch3.0"),
    (112, "inception4b.branch2.0"),
    (288, "inception4d.branch2.1"),
    (384, "inception5b.branch2.1"),
];

impl FamilyWeights for GoogLeNetConfig {
    const TORCH_ANCHOR: &'static str = torchvision_names::ANCHOR;
    const EXPORT: Source = Source::Torchvision;

    fn of_source(_source: Source) -> Self {
        Self::default()
    }

    fn preprocessing(_source: Source) -> Preprocessing {
        Preset::TorchvisionGooglenet.preprocessing()
    }

    fn find_torch(tensors: &NamedTensors) -> Option<(Source, Self)> {
        let source = Source::Torchvision;
        let base = Self::of_source(source);
        let outputs = |name: &str| torch_outputs(tensors, &format!("{name}.weight"));
        let first = tensors.shape("conv1.conv.weight");
        let config = Self {
            classes: outputs(torchvision_names::HEAD).unwrap_or(base.classes),
            width: fitting_width(
                &WIDTHS.map(|(published, name)| (published, outputs(&format!("{name}.conv")))),
            ),
            auxiliary: tensors
                .names()
                .any(|name| name.starts_with(torchvision_names::AUXILIARY)),
            stem: match first {
                Some([_, _, SMALL_KERNEL, _]) => Stem::Small,
                _ => Stem::Standard,
            },
            ..base
        };
        Some((source, config))
    }

    fn torch_layers(&self, _source: Source) -> Vec<Layer> {
        torchvision_names::layers(self)
    }

    /// Returns the configuration without the auxiliary classifiers, which in the published file haven't been trained.
    fn with_new_head(self) -> Self {
        Self {
            auxiliary: false,
            ..self
        }
    }
}
