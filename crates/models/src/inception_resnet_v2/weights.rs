//! Recognition, names and preprocessing of published weights for Inception-ResNet V2.

use std::collections::BTreeMap;

use super::names::{Convolution, Names};
use super::{InceptionResNetV2Config, keras_names, timm_names};
use crate::limits;
use crate::preprocessing::{Filter, Preprocessing, Preset};
use crate::weights::family::{
    FamilyWeights, KerasLayers, fitting_width, keras_outputs, torch_outputs,
};
use crate::weights::layer::Layer;
use crate::weights::{NamedTensors, Source};

/// Returns the name of the last layer.
fn torch_head(source: Source) -> &'static str {
    match source {
        Source::Cadene => timm_names::CADENE_HEAD,
        _ => timm_names::HEAD,
    }
}

impl InceptionResNetV2Config {
    /// Returns the width that gives the layers in a file their numbers of outputs.
    fn width_of(&self, outputs: impl Fn(&Convolution) -> Option<usize>) -> f64 {
        let convolutions = Names::new(self).convolutions;
        let pair = |convolution: &Convolution| Some((convolution.channels?, outputs(convolution)));
        // One pair for each published number.
        let pairs: BTreeMap<_, _> = convolutions.iter().filter_map(pair).collect();
        fitting_width(&pairs.into_iter().collect::<Vec<_>>())
    }
}

impl FamilyWeights for InceptionResNetV2Config {
    const TORCH_ANCHOR: &'static str = timm_names::ANCHOR;
    const EXPORT: Source = Source::Timm;
    const BACKGROUND_CLASS: bool = true;

    fn of_source(_source: Source) -> Self {
        Self::default()
    }

    /// Returns timm's or Keras' preprocessing; or Cadene's (pretrainedmodels/models/inceptionresnetv2.py: 299, the
    /// default `scale` of 0.875, mean and standard deviation 0.5).
    fn preprocessing(source: Source) -> Preprocessing {
        match source {
            Source::Keras => Preset::KerasInceptionResnetV2.preprocessing(),
            Source::Cadene => {
                let scaling = Preset::TimmInceptionResnetV2.preprocessing().scaling;
                Preprocessing::cropped(299, 0.875, Filter::Bilinear, scaling)
            }
            _ => Preset::TimmInceptionResnetV2.preprocessing(),
        }
    }

    fn find_torch(tensors: &NamedTensors) -> Option<(Source, Self)> {
        let cadene = |name: &str| name.starts_with(timm_names::CADENE_HEAD);
        let source = match tensors.names().any(cadene) {
            true => Source::Cadene,
            false => Source::Timm,
        };
        let base = Self::of_source(source);
        let outputs = |name: &str| torch_outputs(tensors, &format!("{name}.weight"));
        let has_block = |block: &str| tensors.contains(&format!("{block}.conv2d.weight"));
        let blocks = |repeat: &str| {
            let blocks = (0..).take_while(|index| has_block(&format!("{repeat}.{index}")));
            blocks.count()
        };
        let mut config = Self {
            classes: outputs(torch_head(source)).unwrap_or(base.classes),
            block35: blocks("repeat"),
            block17: blocks("repeat_1"),
            block8: blocks("repeat_2") + usize::from(has_block("block8")),
            ..base
        };
        config.width =
            config.width_of(|convolution| outputs(&format!("{}.conv", convolution.timm)));
        Some((source, config))
    }

    fn torch_layers(&self, source: Source) -> Vec<Layer> {
        timm_names::layers(self, torch_head(source))
    }

    fn find_keras(layers: &KerasLayers) -> Option<Self> {
        let config = Self::of_source(Source::Keras);
        let fits = layers.convolutions == Names::new(&config).convolutions.len()
            && layers.separable == 0
            && layers.depthwise == 0;
        fits.then_some(config)
    }

    fn keras_layers(&self) -> Vec<Layer> {
        keras_names::layers(self)
    }

    fn keras_order(&self) -> Option<Vec<usize>> {
        Some(Names::new(self).keras_order)
    }

    fn read_keras_sizes(&mut self, tensors: &NamedTensors) {
        let outputs = |name: &str| keras_outputs(tensors, &format!("{name}/kernel"));
        self.classes = outputs(keras_names::HEAD).unwrap_or(self.classes);
        self.width = self.width_of(|convolution| outputs(&convolution.slim));
    }

    fn keras_table_name(name: &str) -> Option<String> {
        keras_names::published(name)
    }

    fn claims(&self, tensors: usize) -> Vec<(&'static str, usize, usize)> {
        let most = tensors.min(limits::BLOCKS);
        vec![
            ("blocks at 35 x 35", self.block35, most),
            ("blocks at 17 x 17", self.block17, most),
            ("blocks at 8 x 8", self.block8, most),
        ]
    }
}
