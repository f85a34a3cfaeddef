//! Recognition, names and preprocessing of published weights for MobileNet V1.

use super::config::BLOCKS;
use super::{MobileNetV1Config, keras_names, timm_names};
use crate::layers::Padding;
use crate::preprocessing::{Filter, Preprocessing, Scaling};
use crate::weights::family::{
    FamilyWeights, KerasLayers, fitting_width, keras_outputs, torch_outputs,
};
use crate::weights::layer::Layer;
use crate::weights::{NamedTensors, Source};

impl FamilyWeights for MobileNetV1Config {
    const TORCH_ANCHOR: &'static str = timm_names::ANCHOR;
    const EXPORT: Source = Source::Timm;

    fn of_source(source: Source) -> Self {
        let base = Self::default();
        match source {
            Source::Keras => Self {
                padding: Padding::Same,
                batch_norm_epsilon: 1e-3,
                ..base
            },
            _ => base,
        }
    }

    /// Returns timm's preprocessing of `mobilenetv1_100.ra4_e3600_r224_in1k` (timm/models/efficientnet.py: 224,
    /// `crop_pct` 0.875, bicubic, mean and standard deviation 0.5), or that of Keras' `preprocess_input` in mode
    /// `tf`.
    fn preprocessing(source: Source) -> Preprocessing {
        match source {
            Source::Keras => Preprocessing::squashed(224, Scaling::MinusOneToOne),
            _ => {
                let scaling = Scaling::MeanStd {
                    mean: [0.5; 3],
                    std: [0.5; 3],
                };
                Preprocessing::cropped(224, 0.875, Filter::Bicubic, scaling)
            }
        }
    }

    fn find_torch(tensors: &NamedTensors) -> Option<(Source, Self)> {
        // Later networks of timm share the first names, but have expansion layers.
        if tensors.contains("blocks.1.0.conv_pwl.weight") {
            return None;
        }
        let source = Source::Timm;
        let base = Self::of_source(source);
        let outputs = |name: &str| torch_outputs(tensors, &format!("{name}.weight"));
        let config = Self {
            classes: outputs(timm_names::HEAD).unwrap_or(base.classes),
            width: fitting_width(&[
                (32, outputs("conv_stem")),
                (64, outputs("blocks.0.0.conv_pw")),
                (512, outputs("blocks.3.0.conv_pw")),
                (1024, outputs("blocks.4.0.conv_pw")),
            ]),
            ..base
        };
        Some((source, config))
    }

    fn torch_layers(&self, _source: Source) -> Vec<Layer> {
        timm_names::layers()
    }

    fn find_keras(layers: &KerasLayers) -> Option<Self> {
        let fits = layers.depthwise == BLOCKS.len()
            && layers.separable == 0
            && layers.convolutions == BLOCKS.len() + 1;
        fits.then(|| Self::of_source(Source::Keras))
    }

    fn keras_layers(&self) -> Vec<Layer> {
        keras_names::layers()
    }

    fn read_keras_sizes(&mut self, tensors: &NamedTensors) {
        let outputs = |name: &str| keras_outputs(tensors, &format!("{name}/kernel"));
        self.classes = outputs(keras_names::HEAD).unwrap_or(self.classes);
        self.width = fitting_width(&[
            (32, outputs("conv1")),
            (64, outputs("conv_pw_1")),
            (512, outputs("conv_pw_6")),
            (1024, outputs("conv_pw_12")),
        ]);
    }
}
