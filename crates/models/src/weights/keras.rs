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
    let strange_head = strange_head(&dense_names(&layers), &keras, config.hidden_layers());
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
    let preprocessing = preprocessing(&config, &keras);
    Ok(KerasModel {
        tensors,
        config,
        preprocessing,
        strange_head,
    })
}

fn dense_names(layers: &[KerasLayer]) -> Vec<String> {
    let dense = layers.iter().filter(|layer| layer.kind() == Kind::Dense);
    dense.map(|layer| layer.label().to_owned()).collect()
}

/// Returns the reason why a head can't be loaded. It can be if it is an average pool, dense layers with ReLU if the
/// network may have them, and a last dense layer.
fn strange_head(dense: &[String], keras: &KerasConfig, may_have_several: bool) -> Option<String> {
    if let Some(class) = &keras.unusual_pool {
        return Some(format!("it has a {class}"));
    }
    let (_, before) = dense.split_last()?;
    if !before.is_empty() && !may_have_several {
        return Some(format!("it has {} dense layers", dense.len()));
    }
    before
        .iter()
        .find_map(|name| match keras.activations.get(name) {
            Some(activation) if activation == "relu" => None,
            Some(activation) => Some(format!(
                "its dense layer {name} has the activation {activation}"
            )),
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
