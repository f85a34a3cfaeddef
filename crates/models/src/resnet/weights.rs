//! Recognition, names and preprocessing of published weights for ResNets and ResNeXts.

use super::block::BlockKind;
use super::cardinality::Cardinality;
use super::config::STAGES;
use super::{ResNetConfig, ResNetDepth, keras_names, torchvision_names};
use crate::layers::Stem;
use crate::preprocessing::{Preprocessing, Preset};
use crate::weights::bgr;
use crate::weights::family::{
    FamilyWeights, KerasLayers, fitting_width, keras_outputs, torch_outputs,
};
use crate::weights::layer::{Layer, Part};
use crate::weights::{NamedTensors, Source};

/// Reads the groups of the bottlenecks from the shapes of their 3x3 convolutions; `None` if the shapes are not those of a
/// network here.
fn find_cardinality(tensors: &NamedTensors, width: f64) -> Option<Cardinality> {
    let shape = |stage: usize| tensors.shape(&format!("layer{stage}.0.conv2.weight"));
    let &[inner, of_a_group, ..] = shape(1)? else {
        return None;
    };
    let groups = inner.checked_div(of_a_group)?;
    let stages = (1..).zip(STAGES);
    let inner = stages.map(|(stage, (channels, _))| Some((channels, *shape(stage)?.first()?)));
    let inner: Option<Vec<_>> = inner.collect();
    Cardinality::fitting(groups, width, &inner?)
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
            Source::Keras => bgr::preprocessing(Preset::KerasResnet50),
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
        let (kind, _) = depth.blocks();
        let of_stage = |stage: usize| {
            let outputs = outputs(&format!("layer{stage}.0.conv{convolutions}.weight"));
            outputs.map(|outputs| outputs / kind.expansion())
        };
        let width = fitting_width(&[
            (64, outputs("conv1.weight")),
            (128, of_stage(2)),
            (256, of_stage(3)),
            (512, of_stage(4)),
        ]);
        let cardinality = match kind {
            BlockKind::Basic => None,
            BlockKind::Bottleneck => find_cardinality(tensors, width),
        };
        let cardinality = cardinality.unwrap_or(Cardinality::RESNET);
        let config = Self {
            depth,
            groups: cardinality.groups,
            width_per_group: cardinality.width_per_group,
            classes: outputs(&head).unwrap_or(base.classes),
            width,
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
    fn adjust_keras(&self, parts: &mut [Part]) {
        bgr::reverse_inputs(parts, keras_names::FIRST);
    }

    fn keras_table_name(name: &str) -> Option<String> {
        keras_names::modern(name)
    }
}
