//! Recognition, names and preprocessing of published weights for Xception.

use super::{XceptionConfig, keras_names, timm_names};
use crate::layers::{Order, Padding, Segments};
use crate::limits;
use crate::preprocessing::{Filter, Preprocessing, Preset};
use crate::weights::family::{
    FamilyWeights, KerasLayers, fitting_width, keras_outputs, torch_outputs,
};
use crate::weights::layer::Layer;
use crate::weights::{NamedTensors, Source};

/// Number of separable convolutions in an Xception without its middle flow.
const OUTER_CONVOLUTIONS: usize = 10;

/// Returns the name of the last layer.
fn torch_head(source: Source) -> &'static str {
    match source {
        Source::Cadene => timm_names::CADENE_HEAD,
        _ => timm_names::HEAD,
    }
}

/// Returns the number of segments, from the shape of the last spatial convolution, `[channels, of a segment, 3, 3]`.
fn segments(tensors: &NamedTensors) -> Segments {
    match tensors.shape("conv4.conv1.weight") {
        Some(&[channels, of_a_segment, ..]) if of_a_segment > 1 => {
            Segments::Number(channels / of_a_segment)
        }
        _ => Segments::Channels,
    }
}

/// Returns the order of the two parts, from the first separable convolution, which has more outputs than inputs: the part
/// that comes first has as many inputs as the convolution.
fn order(tensors: &NamedTensors) -> Order {
    let shape = |part: &str| tensors.shape(&format!("block1.rep.0.{part}.weight"));
    match (shape("conv1"), shape("pointwise")) {
        (Some(&[spatial, ..]), Some(&[outputs, inputs, ..]))
            if spatial == outputs && inputs != outputs =>
        {
            Order::PointwiseFirst
        }
        _ => Order::DepthwiseFirst,
    }
}

impl FamilyWeights for XceptionConfig {
    const TORCH_ANCHOR: &'static str = timm_names::ANCHOR;
    const EXPORT: Source = Source::Timm;
    const HIDDEN_LAYERS: bool = true;

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

    fn preprocessing(source: Source) -> Preprocessing {
        match source {
            Source::Keras => Preset::KerasXception.preprocessing(),
            Source::Cadene => Preset::TimmXception
                .preprocessing()
                .with_filter(Filter::Bilinear),
            _ => Preset::TimmXception.preprocessing(),
        }
    }

    fn find_torch(tensors: &NamedTensors) -> Option<(Source, Self)> {
        let cadene = |name: &str| name.starts_with(timm_names::CADENE_HEAD);
        let source = match tensors.names().any(cadene) {
            true => Source::Cadene,
            false => Source::Timm,
        };
        let base = Self::of_source(source);
        let outputs = |name: &str| torch_outputs(tensors, name);
        let blocks = (1..)
            .take_while(|block| {
                let start = format!("block{block}.rep.");
                let first = tensors.tensors.range(start.clone()..).next();
                first.is_some_and(|(name, _)| name.starts_with(&start))
            })
            .count();
        let fully_connected = (0..)
            .map_while(|index| outputs(&format!("{}.weight", timm_names::fully_connected(index))));
        let config = Self {
            classes: outputs(&format!("{}.weight", torch_head(source))).unwrap_or(base.classes),
            width: fitting_width(&[
                (32, outputs("conv1.weight")),
                (64, outputs("conv2.weight")),
                (128, outputs("block1.rep.1.weight")),
                (256, outputs("block2.rep.2.weight")),
                (728, outputs("block3.rep.2.weight")),
                (1536, outputs("bn3.weight")),
                (2048, outputs("bn4.weight")),
            ]),
            middle_modules: blocks.saturating_sub(timm_names::ENTRY_MODULES + 1),
            residual: tensors.contains("block1.skip.weight")
                || tensors.contains("block2.skip.weight"),
            segments: segments(tensors),
            order: order(tensors),
            norm_between: tensors.contains("block1.rep.0.bn1.weight"),
            fully_connected: fully_connected.collect(),
            ..base
        };
        Some((source, config))
    }

    fn torch_layers(&self, source: Source) -> Vec<Layer> {
        timm_names::layers(self, torch_head(source))
    }

    fn find_keras(layers: &KerasLayers) -> Option<Self> {
        let middle = layers.separable.checked_sub(OUTER_CONVOLUTIONS)?;
        middle.is_multiple_of(3).then(|| Self {
            middle_modules: middle / 3,
            residual: layers.convolutions > 2,
            fully_connected: vec![1; layers.dense.saturating_sub(1)],
            ..Self::of_source(Source::Keras)
        })
    }

    fn keras_layers(&self) -> Vec<Layer> {
        keras_names::layers(self)
    }

    fn read_keras_sizes(&mut self, tensors: &NamedTensors) {
        let outputs = |name: &str| keras_outputs(tensors, name);
        let pointwise = |block: usize, index: usize| {
            outputs(&format!("block{block}_sepconv{index}/pointwise_kernel"))
        };
        let last = self.middle_modules + 6;
        self.classes = outputs(&format!("{}/kernel", keras_names::HEAD)).unwrap_or(self.classes);
        self.width = fitting_width(&[
            (32, outputs("block1_conv1/kernel")),
            (64, outputs("block1_conv2/kernel")),
            (128, pointwise(2, 1)),
            (256, pointwise(3, 1)),
            (728, pointwise(4, 1)),
            (1536, pointwise(last, 1)),
            (2048, pointwise(last, 2)),
        ]);
        for (index, units) in self.fully_connected.iter_mut().enumerate() {
            let name = timm_names::fully_connected(index);
            *units = outputs(&format!("{name}/kernel")).unwrap_or(*units);
        }
    }

    fn with_new_head(self) -> Self {
        Self {
            fully_connected: Vec::new(),
            ..self
        }
    }

    fn claims(&self, tensors: usize) -> Vec<(&'static str, usize, usize)> {
        let modules = tensors.min(limits::MIDDLE_MODULES);
        let layers = self.fully_connected.len();
        let mut claims = vec![
            ("modules in the middle flow", self.middle_modules, modules),
            ("fully connected layers", layers, limits::FULLY_CONNECTED),
        ];
        let units = self.fully_connected.iter();
        claims.extend(units.map(|&units| ("units in a layer", units, limits::UNITS)));
        claims
    }
}
