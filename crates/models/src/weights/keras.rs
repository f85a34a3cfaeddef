//! Networks in Keras' files.

use std::path::Path;

use hdf5_reader::Hdf5File;

use super::archive::Archive;
use super::keras_assign::assign;
use super::keras_config::KerasConfig;
use super::keras_layer::{KerasLayer, Kind};
use super::layer::{self, Dialect, Origin, Part};
use super::layout::Layout;
use super::named_tensors::NamedTensors;
use super::names::{inception_v3_keras, resnet_keras, xception_keras};
use super::source::Source;
use super::{WeightsError, hdf5, keras_legacy, keras_saved};
use crate::preprocessing::{Preprocessing, Scaling};
use crate::width::Width;
use crate::{InceptionV3Config, ModelConfig, ResNetConfig, ResNetDepth, XceptionConfig};

/// A network in a Keras file: its tensors under the names of the table.
#[derive(Debug)]
pub(super) struct KerasModel {
    pub(super) tensors: NamedTensors,
    pub(super) config: ModelConfig,
    pub(super) preprocessing: Preprocessing,
    /// Why the head isn't one that the networks here can have, where it isn't.
    pub(super) strange_head: Option<String>,
}

/// Reads an HDF5 file, in the legacy layout or as `.weights.h5`.
pub(super) fn read_hdf5(path: &Path) -> Result<KerasModel, WeightsError> {
    let file = hdf5::open(path)?;
    let config = file
        .root_group()
        .ok()
        .and_then(|root| hdf5::strings(&root, "model_config"))
        .and_then(|texts| texts.into_iter().next());
    read(path, &file, config.as_deref())
}

/// Reads a `.keras` archive.
pub(super) fn read_archive(path: &Path) -> Result<KerasModel, WeightsError> {
    let mut archive = Archive::open(path)?;
    let config = archive.config()?;
    let file = hdf5::open_bytes(path, archive.weights()?)?;
    read(path, &file, Some(&config))
}

fn read(path: &Path, file: &Hdf5File, config: Option<&str>) -> Result<KerasModel, WeightsError> {
    let config = config
        .map(KerasConfig::parse)
        .transpose()
        .map_err(|reason| WeightsError::malformed(path, "a Keras model's configuration", reason))?;
    let layers = match keras_legacy::read(path, file)? {
        Some(layers) => Some(layers),
        None => keras_saved::read(path, file)?,
    };
    let Some(mut layers) = layers else {
        return Err(WeightsError::malformed(
            path,
            "a Keras file",
            "it has neither the attribute `layer_names` nor the group `layers`",
        ));
    };
    if let Some(config) = &config {
        for layer in layers.iter_mut().filter(|layer| layer.name.is_empty()) {
            layer.name = config.names.get(&layer.path).cloned().unwrap_or_default();
        }
    }
    network(layers, config.unwrap_or_default()).map_err(|layers| WeightsError::UnknownNetwork {
        path: path.to_owned(),
        count: layers.len(),
        first: layers
            .iter()
            .take(5)
            .map(|layer| layer.label().to_owned())
            .collect(),
    })
}

/// Tells the network by the kinds of its layers; gives the layers back where it is none.
fn network(layers: Vec<KerasLayer>, keras: KerasConfig) -> Result<KerasModel, Vec<KerasLayer>> {
    let count = |kind: Kind| layers.iter().filter(|layer| layer.kind() == kind).count();
    let (convs, separable, norms) = (
        count(Kind::Conv),
        count(Kind::SeparableConv),
        count(Kind::Norm),
    );
    let depth = ResNetDepth::ALL.into_iter().find(|depth| {
        let (convolutions, blocks) = depth.convolutions_and_blocks();
        let all = 1 + 4 + blocks.iter().sum::<usize>() * convolutions;
        convolutions == 3 && convs == all && norms >= all
    });
    let dense = dense_names(&layers);
    let strange_head = strange_head(&dense, &keras, separable > 0);
    let middle = separable.checked_sub(XCEPTION_OUTER);
    let (table, order, mut config) = if let Some(middle) = middle.filter(|m| m.is_multiple_of(3)) {
        let config = XceptionConfig {
            middle_modules: middle / 3,
            residual: convs > 2,
            fully_connected: vec![1; dense.len().saturating_sub(1)],
            ..Source::Keras.xception()
        };
        (
            xception_keras::layers(&config),
            None,
            ModelConfig::Xception(config),
        )
    } else if let Some(depth) = depth.filter(|_| separable == 0) {
        let config = ResNetConfig {
            depth,
            ..Source::Keras.resnet()
        };
        (
            resnet_keras::layers(&config),
            None,
            ModelConfig::ResNet(config),
        )
    } else if convs == inception_v3_keras::LAYER_ORDER.len() && separable == 0 {
        (
            inception_v3_keras::layers(),
            Some(&inception_v3_keras::LAYER_ORDER[..]),
            ModelConfig::InceptionV3(Source::Keras.inception_v3()),
        )
    } else {
        return Err(layers);
    };

    let assigned = assign(layers, &table, order);
    let mut tensors = NamedTensors::default();
    let named = assigned.by_name.into_iter();
    let left = assigned
        .left
        .into_iter()
        .map(|layer| (layer.label().to_owned(), layer));
    for (name, layer) in named.chain(left) {
        for (role, tensor) in layer.weights {
            tensors.tensors.insert(format!("{name}/{role}"), tensor);
        }
    }
    read_sizes(&mut config, &tensors);
    let preprocessing = preprocessing(&config, &keras);
    Ok(KerasModel {
        tensors,
        config,
        preprocessing,
        strange_head,
    })
}

/// Separable convolutions of an Xception without its middle flow.
const XCEPTION_OUTER: usize = 10;

fn dense_names(layers: &[KerasLayer]) -> Vec<String> {
    let dense = layers.iter().filter(|layer| layer.kind() == Kind::Dense);
    dense.map(|layer| layer.label().to_owned()).collect()
}

/// Why a head isn't an average, dense layers with ReLU where the network may have them, and a last
/// dense layer.
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

/// The parameters of a network, and their origins under the names of the table.
pub(super) fn parts(config: &ModelConfig, tensors: &NamedTensors) -> Vec<Part> {
    let layers = match config {
        ModelConfig::Xception(config) => xception_keras::layers(config),
        ModelConfig::InceptionV3(_) => inception_v3_keras::layers(),
        ModelConfig::ResNet(config) => resnet_keras::layers(config),
    };
    let dialect = Dialect::Keras {
        scale: tensors.names().any(|name| name.ends_with("/gamma")),
        conv_bias: tensors.contains("conv1_conv/bias"),
    };
    let mut parts = layer::parts(&layers, dialect);
    if matches!(config, ModelConfig::ResNet(_)) {
        for part in &mut parts {
            if let Origin::Tensor { layout, .. } = &mut part.origin
                && part.parameter == resnet_keras::FIRST
            {
                *layout = Layout::HeightWidthBgrOut;
            }
        }
    }
    parts
}

/// The last dimension of a tensor: of a kernel its outputs.
fn outputs(tensors: &NamedTensors, name: &str) -> Option<usize> {
    tensors.shape(name)?.last().copied()
}

/// Takes classes, units and the width from the shapes.
fn read_sizes(config: &mut ModelConfig, tensors: &NamedTensors) {
    let width = |published: &[(usize, &str)]| {
        let pairs: Option<Vec<_>> = published
            .iter()
            .map(|&(published, name)| Some((published, outputs(tensors, name)?)))
            .collect();
        pairs
            .and_then(|pairs| Width::fitting(&pairs))
            .unwrap_or(1.0)
    };
    let classes = |default: usize| {
        outputs(tensors, &format!("{}/kernel", xception_keras::HEAD)).unwrap_or(default)
    };
    match config {
        ModelConfig::Xception(config) => {
            let last = config.middle_modules + 6;
            config.classes = classes(config.classes);
            config.width = width(&[
                (32, "block1_conv1/kernel"),
                (64, "block1_conv2/kernel"),
                (128, "block2_sepconv1/pointwise_kernel"),
                (256, "block3_sepconv1/pointwise_kernel"),
                (728, "block4_sepconv1/pointwise_kernel"),
                (1536, &format!("block{last}_sepconv1/pointwise_kernel")),
                (2048, &format!("block{last}_sepconv2/pointwise_kernel")),
            ]);
            for (index, units) in config.fully_connected.iter_mut().enumerate() {
                let name = super::names::xception_torch::fully_connected(index);
                *units = outputs(tensors, &format!("{name}/kernel")).unwrap_or(*units);
            }
        }
        ModelConfig::InceptionV3(config) => {
            inception_sizes(config, classes(config.classes), width);
        }
        ModelConfig::ResNet(config) => {
            config.classes = classes(config.classes);
            config.width = width(&[
                (64, "conv1_conv/kernel"),
                (128, "conv3_block1_1_conv/kernel"),
                (256, "conv4_block1_1_conv/kernel"),
                (512, "conv5_block1_1_conv/kernel"),
            ]);
        }
    }
}

fn inception_sizes(
    config: &mut InceptionV3Config,
    classes: usize,
    width: impl Fn(&[(usize, &str)]) -> f64,
) {
    config.classes = classes;
    config.width = width(&[
        (32, "Conv2d_1a_3x3/kernel"),
        (80, "Conv2d_3b_1x1/kernel"),
        (192, "Conv2d_4a_3x3/kernel"),
        (160, "Mixed_6c.branch7x7_1/kernel"),
        (448, "Mixed_7c.branch3x3dbl_1/kernel"),
    ]);
}

/// The source's preprocessing, with the size and the scaling that the model's configuration has.
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
