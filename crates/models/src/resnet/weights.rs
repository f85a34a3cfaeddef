//! Recognition, names and preprocessing of published weights for ResNets.

use super::{ResNetConfig, ResNetDepth, keras_names, torchvision_names};
use crate::layers::Stem;
use crate::preprocessing::{CAFFE_MEAN_BGR, Preprocessing, Preset, Scaling};
use crate::weights::family::{
    FamilyWeights, KerasLayers, fitting_width, keras_outputs, torch_outputs,
};
use crate::weights::layer::{Layer, Origin, Part};
use crate::weights::layout::Layout;
use crate::weights::{NamedTensors, Source};

/// Returns Caffe's scaling with red first. On import, the input channels of the first convolution in Keras' ResNets
/// are reversed, since all networks here take images in the order red, green, blue.
fn caffe_in_rgb() -> Scaling {
    let [blue, green, red] = CAFFE_MEAN_BGR;
    Scaling::MeanStd {
        mean: [red, green, blue].map(|mean| mean / 255.0),
        std: [1.0 / 255.0; 3],
    }
}

impl FamilyWeights for ResNetConfig {
    const TORCH_ANCHOR: &'static str = torchvision_names::ANCHOR;
    const EXPORT: Source = Source::Torchvision;
    const KERAS_CONV_BIAS: bool = true;

    fn of_source(source: Source) -> Self {
        let base = Self::default();
        match source {
            Source::Keras => Self {
                first_convolution_strided: true,
                batch_norm_epsilon: 1.001e-5,
                ..base
            },
            _ => base,
        }
    }

    fn preprocessing(source: Source) -> Preprocessing {
        match source {
            Source::Keras => Preprocessing {
                scaling: caffe_in_rgb(),
                ..Preset::KerasResnet50.preprocessing()
            },
            _ => Preset::TorchvisionResnetV1.preprocessing(),
        }
    }

    fn find_torch(tensors: &NamedTensors) -> Option<(Source, Self)> {
        let source = Source::Torchvision;
        let base = Self::of_source(source);
        let stages = [1, 2, 3, 4].map(|stage| {
            (0..)
                .take_while(|block| tensors.contains(&format!("layer{stage}.{block}.conv1.weight")))
                .count()
        });
        let convolutions = 2 + usize::from(tensors.contains("layer1.0.conv3.weight"));
        let depth = ResNetDepth::ALL
            .into_iter()
            .find(|depth| depth.convolutions_and_blocks() == (convolutions, stages))?;
        let first = tensors.shape("conv1.weight");
        let kernel = first.and_then(|shape| shape.get(2).copied());
        let outputs = |name: &str| torch_outputs(tensors, name);
        let head = format!("{}.weight", torchvision_names::HEAD);
        let config = Self {
            depth,
            classes: outputs(&head).unwrap_or(base.classes),
            width: fitting_width(&[
                (64, outputs("conv1.weight")),
                (128, outputs("layer2.0.conv1.weight")),
                (256, outputs("layer3.0.conv1.weight")),
                (512, outputs("layer4.0.conv1.weight")),
            ]),
            stem: match kernel {
                Some(3) => Stem::Small,
                _ => Stem::Standard,
            },
            ..base
        };
        Some((source, config))
    }

    fn torch_layers(&self, _source: Source) -> Vec<Layer> {
        torchvision_names::layers(self)
    }

    fn find_keras(layers: &KerasLayers) -> Option<Self> {
        let depth = ResNetDepth::ALL.into_iter().find(|depth| {
            let (convolutions, blocks) = depth.convolutions_and_blocks();
            let all = 1 + 4 + blocks.iter().sum::<usize>() * convolutions;
            convolutions == 3 && layers.convolutions == all && layers.norms >= all
        });
        let depth = depth.filter(|_| layers.separable == 0 && layers.depthwise == 0)?;
        Some(Self {
            depth,
            ..Self::of_source(Source::Keras)
        })
    }

    fn keras_layers(&self) -> Vec<Layer> {
        keras_names::layers(self)
    }

    fn read_keras_sizes(&mut self, tensors: &NamedTensors) {
        let outputs = |name: &str| keras_outputs(tensors, &format!("{name}/kernel"));
        self.classes = outputs(keras_names::HEAD).unwrap_or(self.classes);
        self.width = fitting_width(&[
            (64, outputs("conv1_conv")),
            (128, outputs("conv3_block1_1_conv")),
            (256, outputs("conv4_block1_1_conv")),
            (512, outputs("conv5_block1_1_conv")),
        ]);
    }

    /// Reverses the input channels of the first convolution, which in Keras are blue, green, red.
    fn adjust_keras(parts: &mut [Part]) {
        for part in parts {
            if let Origin::Tensor { layout, .. } = &mut part.origin
                && part.parameter == keras_names::FIRST
            {
                *layout = Layout::HeightWidthBgrOut;
            }
        }
    }

    fn keras_table_name(name: &str) -> Option<String> {
        keras_names::modern(name)
    }
}
