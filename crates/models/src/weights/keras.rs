//! Recognition of networks in Keras' files.

use std::path::Path;

use xception_formats::{KerasConfig, KerasFile, KerasLayer, Kind, NamedTensors};

use super::WeightsError;
use super::family::KerasLayers;
use super::keras_assign::assign;
use super::layer::{self, Dialect, Part};
use super::source::Source;
use crate::ModelConfig;
use crate::preprocessing::{Preprocessing, Scaling};

/// A network found in a Keras file, with its tensors under the names of the table.
#[derive(Debug)]
pub(super) struct KerasModel {
    pub(super) tensors: NamedTensors,
    pub(super) config: ModelConfig,
    pub(super) preprocessing: Preprocessing,
    /// The reason why no network here can have the file's head; `None` if one can.
    pub(super) strange_head: Option<String>,
}

/// Finds the network that a Keras file holds.
pub(super) fn find(path: &Path, file: KerasFile) -> Result<KerasModel, WeightsError> {
    network(file.layers, file.config).map_err(|layers| WeightsError::UnknownNetwork {
        path: path.to_owned(),
        count: layers.len(),
        first: layers
            .iter()
            .take(5)
            .map(|layer| layer.label().to_owned())
            .collect(),
    })
}

/// Recognizes the network by the kinds of its layers; returns the layers as the error if there is none.
fn network(layers: Vec<KerasLayer>, keras: KerasConfig) -> Result<KerasModel, Vec<KerasLayer>> {
    let Some(mut config) = ModelConfig::find_keras(&KerasLayers::count(&layers)) else {
        return Err(layers);
    };
    let dense = dense_layers(&layers);
    let table_name = |name: &str| config.keras_table_name(name);
    let order = config.keras_order();
    let assigned = assign(layers, &config.keras_layers(), order.as_deref(), table_name);
    let mut tensors = NamedTensors::default();
    let named = assigned.by_name.into_iter();
    let left = assigned
        .left
        .into_iter()
        .map(|layer| (layer.label().to_owned(), layer));
    for (name, layer) in named.chain(left) {
        for (role, tensor) in layer.into_weights() {
            tensors.tensors.insert(format!("{name}/{role}"), tensor);
        }
    }
    config.read_keras_sizes(&tensors);
    let strange_head = strange_head(&dense, &keras, &config);
    let preprocessing = preprocessing(&config, &keras);
    Ok(KerasModel {
        tensors,
        config,
        preprocessing,
        strange_head,
    })
}

/// A dense layer of a file.
struct DenseLayer {
    /// Its name, or its path if it has none.
    label: String,
    /// Whether it has a name.
    named: bool,
}

fn dense_layers(layers: &[KerasLayer]) -> Vec<DenseLayer> {
    let dense = layers.iter().filter(|layer| layer.kind() == Kind::Dense);
    let dense = dense.map(|layer| DenseLayer {
        label: layer.label().to_owned(),
        named: !layer.name.is_empty(),
    });
    dense.collect()
}

/// Returns the reason why a head can't be loaded. It can be if it is an average pool, or a flattened map of the size
/// that the network's classifier takes, dense layers with ReLU if the network may have them, and a last dense layer.
fn strange_head(
    dense: &[DenseLayer],
    keras: &KerasConfig,
    network: &ModelConfig,
) -> Option<String> {
    if let Some(class) = &keras.unusual_pool {
        return Some(format!("it has a {class}"));
    }
    let all_pixels = keras
        .size
        .is_some_and(|size| network.takes_all_pixels(size));
    if keras.flattens && !all_pixels {
        return Some("it has a Flatten".to_owned());
    }
    let (_, before) = dense.split_last()?;
    if !before.is_empty() && !network.hidden_layers() {
        return Some(format!("it has {} dense layers", dense.len()));
    }
    let published = network.keras_hidden_layers();
    let has_published_name =
        |(layer, name): (&DenseLayer, &&str)| !layer.named || layer.label == *name;
    let is_published =
        before.len() == published.len() && before.iter().zip(published).all(has_published_name);
    before
        .iter()
        .find_map(|layer| match keras.activations.get(&layer.label) {
            Some(activation) if activation == "relu" => None,
            Some(activation) => Some(format!(
                "its dense layer {} has the activation {activation}",
                layer.label
            )),
            None if is_published => None,
            None => Some(format!(
                "it has {} dense layers, and the file doesn't say what is between them",
                dense.len()
            )),
        })
}

/// Lists the parameters of a network, with their origins under the names of the table.
pub(super) fn parts(config: &ModelConfig, tensors: &NamedTensors) -> Vec<Part> {
    let dialect = Dialect::Keras {
        scale: tensors.names().any(|name| name.ends_with("/gamma")),
        conv_bias: config.keras_conv_bias(),
    };
    let mut parts = layer::parts(&config.keras_layers(), dialect);
    config.adjust_keras(&mut parts);
    parts
}

/// Returns the source's preprocessing, with the size and the scaling that the model's configuration specifies.
fn preprocessing(config: &ModelConfig, keras: &KerasConfig) -> Preprocessing {
    let mut preprocessing = Source::Keras.preprocessing(config);
    if let Some(size) = keras.size {
        preprocessing.size = [size, size];
    }
    if let Some((scale, offset)) = keras.rescaling {
        let near = |number: f64, expected: f64| (number - expected).abs() < 1e-6;
        if near(scale, 1.0 / 255.0) && near(offset, 0.0) {
            preprocessing.scaling = Scaling::MeanStd {
                mean: [0.0; 3],
                std: [1.0; 3],
            };
        } else if near(scale, 1.0 / 127.5) && near(offset, -1.0) {
            preprocessing.scaling = Scaling::MinusOneToOne;
        }
    }
    preprocessing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VggConfig, XceptionConfig};

    fn dense(names: &[&str]) -> Vec<DenseLayer> {
        let layer = |name: &&str| DenseLayer {
            label: (*name).to_owned(),
            named: !name.contains('/'),
        };
        names.iter().map(layer).collect()
    }

    fn vgg(grid: usize) -> ModelConfig {
        ModelConfig::Vgg(VggConfig::default().with_grid(Some(grid)))
    }

    #[test]
    fn layers_between_are_known_in_the_published_head_alone() {
        let nothing = KerasConfig::default();
        for (names, readable) in [
            (&["fc1", "fc2", "predictions"][..], true),
            (&["layers/dense", "layers/dense_1", "layers/dense_2"], true),
            (&["predictions"], true),
            (&["fc1", "predictions"], false),
            (&["dense", "dense_1", "dense_2"], false),
            (&["layers/dense", "layers/dense_1"], false),
        ] {
            let reason = strange_head(&dense(names), &nothing, &vgg(7));
            assert_eq!(reason.is_none(), readable, "{names:?}: {reason:?}");
        }
        let mut told = KerasConfig::default();
        let activations = [("fc1", "relu"), ("fc2", "tanh")];
        told.activations = activations
            .map(|(name, of)| (name.to_owned(), of.to_owned()))
            .into();
        let reason = strange_head(&dense(&["fc1", "fc2", "predictions"]), &told, &vgg(7));
        assert_eq!(
            reason.unwrap(),
            "its dense layer fc2 has the activation tanh"
        );
    }

    #[test]
    fn a_flattened_map_has_to_be_the_last_one() {
        let flattened = |size| KerasConfig {
            flattens: true,
            size,
            ..KerasConfig::default()
        };
        let head = dense(&["predictions"]);
        for (size, grid, readable) in [
            (Some(224), 7, true),
            (Some(150), 4, true),
            // A pool between the map and the head leaves a smaller grid.
            (Some(224), 3, false),
            (Some(224), 1, false),
            (None, 7, false),
        ] {
            let reason = strange_head(&head, &flattened(size), &vgg(grid));
            assert_eq!(reason.is_none(), readable, "{size:?} {grid}: {reason:?}");
        }
        let xception = ModelConfig::Xception(XceptionConfig::default());
        let reason = strange_head(&head, &flattened(Some(299)), &xception);
        assert_eq!(reason.unwrap(), "it has a Flatten");
        let pooled = KerasConfig {
            unusual_pool: Some("GlobalMaxPooling2D".to_owned()),
            ..flattened(Some(32))
        };
        let reason = strange_head(&head, &pooled, &vgg(1));
        assert_eq!(reason.unwrap(), "it has a GlobalMaxPooling2D");
    }
}
