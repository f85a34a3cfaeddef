//! Recognition, names and preprocessing of published weights for VGG-16.

use super::config::{GRID, STAGES};
use super::{VggConfig, keras_names, torchvision_names};
use crate::limits;
use crate::preprocessing::{Preprocessing, Preset};
use crate::weights::bgr;
use crate::weights::family::{
    FamilyWeights, KerasLayers, fitting_width, keras_outputs, torch_outputs,
};
use crate::weights::layer::{Layer, Origin, Part};
use crate::weights::layout::Layout;
use crate::weights::{NamedTensors, Source};

impl FamilyWeights for VggConfig {
    const TORCH_ANCHOR: &'static str = torchvision_names::ANCHOR;
    const EXPORT: Source = Source::Torchvision;
    const HIDDEN_LAYERS: bool = true;
    const KERAS_HIDDEN_LAYERS: &'static [&'static str] = &keras_names::FULLY_CONNECTED;

    fn of_source(_source: Source) -> Self {
        Self::default()
    }

    fn preprocessing(source: Source) -> Preprocessing {
        match source {
            Source::Keras => bgr::preprocessing(Preset::KerasVgg16),
            _ => Preset::TorchvisionVgg16.preprocessing(),
        }
    }

    fn find_torch(tensors: &NamedTensors) -> Option<(Source, Self)> {
        // Other networks, such as AlexNet, have the first name too, but another kernel.
        let Some([_, 3, 3, 3]) = tensors.shape(torchvision_names::ANCHOR) else {
            return None;
        };
        let source = Source::Torchvision;
        let batch_norm = tensors.contains("features.1.weight");
        let mut config = Self {
            batch_norm,
            separable: tensors.contains(&torchvision_names::first_depthwise(batch_norm)),
            ..Self::of_source(source)
        };
        let outputs = |name: &str| torch_outputs(tensors, &format!("{name}.weight"));
        let linear = |index| outputs(&torchvision_names::linear_layer(index));
        let mut units: Vec<_> = (0..=limits::FULLY_CONNECTED).map_while(linear).collect();
        if let Some(classes) = units.pop() {
            config.classes = classes;
            config.fully_connected = units;
        }
        let channels = channels(&config.torch_layers(source), outputs);
        config.width = fitting_width(&channels);
        let first = tensors.shape(&format!("{}.weight", torchvision_names::linear_layer(0)));
        if let (Some(&(_, Some(channels))), Some(&[_, features])) = (channels.last(), first) {
            config.grid = grid(features, channels);
        }
        Some((source, config))
    }

    fn torch_layers(&self, _source: Source) -> Vec<Layer> {
        torchvision_names::layers(self)
    }

    /// Recognizes the network by its convolutions. Without dense layers, which take the pixels of the map in some
    /// number, its head will be an average pool and a single layer.
    fn find_keras(layers: &KerasLayers) -> Option<Self> {
        let convolutions = STAGES.concat().len();
        // A head may have normalizations, but not as many as there are convolutions.
        let fits = layers.convolutions == convolutions
            && layers.norms < convolutions
            && layers.separable == 0
            && layers.depthwise == 0;
        fits.then(|| Self {
            fully_connected: vec![1; layers.dense.saturating_sub(1)],
            grid: Some(1),
            ..Self::of_source(Source::Keras)
        })
    }

    fn keras_layers(&self) -> Vec<Layer> {
        keras_names::layers(self)
    }

    fn read_keras_sizes(&mut self, tensors: &NamedTensors) {
        let kernel = |name: &str| format!("{name}/kernel");
        let outputs = |name: &str| keras_outputs(tensors, &kernel(name));
        self.classes = outputs(keras_names::HEAD).unwrap_or(self.classes);
        for (index, units) in self.fully_connected.iter_mut().enumerate() {
            *units = outputs(&keras_names::fully_connected(index)).unwrap_or(*units);
        }
        let first = match self.fully_connected.is_empty() {
            true => keras_names::HEAD.to_owned(),
            false => keras_names::fully_connected(0),
        };
        let first = tensors.shape(&kernel(&first));
        let channels = channels(&self.keras_layers(), outputs);
        self.width = fitting_width(&channels);
        if let (Some(&(_, Some(channels))), Some(&[features, _])) = (channels.last(), first) {
            self.grid = grid(features, channels);
        }
    }

    /// Reverses the input channels of the first convolution, which in Keras are blue, green, red, and reorders the
    /// inputs of the first linear layer.
    fn adjust_keras(&self, parts: &mut [Part]) {
        bgr::reverse_inputs(parts, keras_names::FIRST);
        let is_linear = |part: &&mut Part| {
            part.parameter.starts_with("classifier.") && part.parameter.ends_with(".weight")
        };
        let first = parts.iter_mut().find(is_linear);
        if let Some(Part {
            origin: Origin::Tensor { layout, .. },
            ..
        }) = first
        {
            *layout = Layout::PixelsOut { side: self.grid() };
        }
    }

    /// Compares the grid with the last map, which five pools have made.
    fn takes_all_pixels(&self, image_size: usize) -> bool {
        image_size >> STAGES.len() == self.grid()
    }

    /// Returns the configuration with an average pool and a single layer, in place of a grid and the fully connected
    /// layers that are made for it.
    fn with_new_head(self) -> Self {
        Self {
            fully_connected: Vec::new(),
            grid: Some(1),
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

/// Pairs each convolution's published number of outputs with that in a file, which `outputs` reads by the convolution's
/// name.
fn channels(
    layers: &[Layer],
    outputs: impl Fn(&str) -> Option<usize>,
) -> Vec<(usize, Option<usize>)> {
    let names = layers.iter().filter_map(|layer| match layer {
        Layer::ConvNorm { conv, .. } => Some(conv),
        Layer::SegmentedConvNorm { pointwise, .. } => Some(pointwise),
        Layer::PreNorm { .. } | Layer::SpatialBottleneck { .. } | Layer::Linear { .. } => None,
    });
    let found = names.map(|name| outputs(name));
    STAGES.concat().into_iter().zip(found).collect()
}

/// Returns the side of the grid whose cells have this many channels each, and this many features in all; `None` if it
/// is the published one, or there is none.
fn grid(features: usize, channels: usize) -> Option<usize> {
    (1..=limits::GRID)
        .find(|side| side * side * channels == features)
        .filter(|side| *side != GRID)
}
