//! Recognition, names and preprocessing of published weights for Inception V3.

use super::{InceptionV3Config, keras_names, torchvision_names};
use crate::limits;
use crate::preprocessing::{Preprocessing, Preset};
use crate::weights::family::{
    FamilyWeights, KerasLayers, fitting_width, keras_outputs, torch_outputs,
};
use crate::weights::layer::Layer;
use crate::weights::{NamedTensors, Source};

/// Layers whose numbers of outputs determine the width: the published number, and the name in torchvision, which the
/// tables for Keras use too.
const WIDTHS: [(usize, &str); 5] = [
    (32, "Conv2d_1a_3x3"),
    (80, "Conv2d_3b_1x1"),
    (192, "Conv2d_4a_3x3"),
    (160, "Mixed_6c.branch7x7_1"),
    (448, "Mixed_7c.branch3x3dbl_1"),
];

impl FamilyWeights for InceptionV3Config {
    const TORCH_ANCHOR: &'static str = torchvision_names::ANCHOR;
    const EXPORT: Source = Source::Torchvision;

    fn of_source(source: Source) -> Self {
        Self {
            count_include_pad: source != Source::Keras,
            ..Self::default()
        }
    }

    fn preprocessing(source: Source) -> Preprocessing {
        match source {
            Source::Keras => Preset::KerasInceptionV3.preprocessing(),
            _ => Preset::TorchvisionInceptionV3.preprocessing(),
        }
    }

    fn find_torch(tensors: &NamedTensors) -> Option<(Source, Self)> {
        let source = Source::Torchvision;
        let base = Self::of_source(source);
        let outputs = |name: &str| torch_outputs(tensors, name);
        let head = format!("{}.weight", torchvision_names::HEAD);
        let hidden = |index| format!("{}.weight", torchvision_names::fully_connected(index));
        let config = Self {
            classes: outputs(&head).unwrap_or(base.classes),
            width: fitting_width(&WIDTHS.map(|(published, name)| {
                let name = format!("{name}.conv.weight");
                (published, outputs(&name))
            })),
            fully_connected: (0..).map_while(|index| outputs(&hidden(index))).collect(),
            auxiliary: tensors.names().any(|name| name.starts_with("AuxLogits.")),
            ..base
        };
        Some((source, config))
    }

    fn torch_layers(&self, _source: Source) -> Vec<Layer> {
        torchvision_names::layers(self)
    }

    fn find_keras(layers: &KerasLayers) -> Option<Self> {
        let fits = layers.convolutions == keras_names::LAYER_ORDER.len()
            && layers.separable == 0
            && layers.depthwise == 0;
        fits.then(|| Self::of_source(Source::Keras))
    }

    fn keras_layers(&self) -> Vec<Layer> {
        keras_names::layers()
    }

    fn keras_order(&self) -> Option<Vec<usize>> {
        Some(keras_names::LAYER_ORDER.to_vec())
    }

    fn read_keras_sizes(&mut self, tensors: &NamedTensors) {
        let outputs = |name: &str| keras_outputs(tensors, &format!("{name}/kernel"));
        self.classes = outputs(keras_names::HEAD).unwrap_or(self.classes);
        self.width = fitting_width(&WIDTHS.map(|(published, name)| (published, outputs(name))));
    }

    fn with_new_head(self) -> Self {
        Self {
            fully_connected: Vec::new(),
            ..self
        }
    }

    fn claims(&self, _tensors: usize) -> Vec<(&'static str, usize, usize)> {
        let layers = self.fully_connected.len();
        let mut claims = vec![("fully connected layers", layers, limits::FULLY_CONNECTED)];
        let units = self.fully_connected.iter();
        claims.extend(units.map(|&units| ("units in a layer", units, limits::UNITS)));
        claims
    }
}
