//! Keras' legacy HDF5 layout, which keras-applications publishes.
//!
//! The root, or the group `model_weights` in a file with a whole model, has the attribute
//! `layer_names`; each of these names is a group with the attribute `weight_names`; each of these
//! names is a path to a dataset inside of the group. The last part of that path is the weight's role
//! (`kernel:0` in older releases, `kernel` in newer), the part before it is the layer's name: of a
//! layer inside of a nested model that isn't the group's. In files of Keras 1, of which VGG-16 is one,
//! the role follows the layer's name: `fc1_W_1:0` is the kernel of `fc1`.

use std::collections::HashMap;
use std::path::Path;

use hdf5_reader::Hdf5File;
use hdf5_reader::group::Group;

use super::FormatError;
use super::hdf5::{self, FORMAT, MAX_OBJECTS};
use super::keras_layer::KerasLayer;

/// The group that holds the weights of a whole model.
const MODEL_WEIGHTS: &str = "model_weights";

/// Returns the layers of a file in this layout, in its order; `None` if it has another.
pub(crate) fn read(path: &Path, file: &Hdf5File) -> Result<Option<Vec<KerasLayer>>, FormatError> {
    let malformed = |reason: String| FormatError::malformed(path, FORMAT, reason);
    let root = file
        .root_group()
        .map_err(|error| malformed(error.to_string()))?;
    let group = root.group(MODEL_WEIGHTS).unwrap_or(root);
    let Some(layer_names) = hdf5::cut_strings(&group, "layer_names") else {
        return Ok(None);
    };
    if layer_names.len() > MAX_OBJECTS {
        return Err(malformed(format!("it names {} layers", layer_names.len())));
    }
    let mut layers = Layers::default();
    for layer_name in &layer_names {
        let layer = group
            .group(layer_name)
            .map_err(|error| malformed(format!("layer {layer_name}: {error}")))?;
        for weight in hdf5::cut_strings(&layer, "weight_names").unwrap_or_default() {
            layers
                .add(layer_name, &layer, &weight)
                .map_err(|error| malformed(format!("{layer_name}, {weight}: {error}")))?;
        }
    }
    Ok(Some(layers.layers))
}

/// The layers so far, and where each is.
#[derive(Default)]
struct Layers {
    layers: Vec<KerasLayer>,
    places: HashMap<(String, String), usize>,
    weights: usize,
}

impl Layers {
    /// Adds the weight at this path inside of a group.
    fn add(&mut self, group_name: &str, group: &Group, weight: &str) -> Result<(), String> {
        self.weights += 1;
        if self.weights > MAX_OBJECTS {
            return Err("there are too many weights".to_owned());
        }
        let parts: Vec<&str> = weight.split('/').filter(|part| !part.is_empty()).collect();
        let Some((last, parents)) = parts.split_last() else {
            return Err("the name is empty".to_owned());
        };
        let mut inner = group.clone();
        for parent in parents {
            inner = inner.group(parent).map_err(|error| error.to_string())?;
        }
        let dataset = inner.dataset(last).map_err(|error| error.to_string())?;
        let name = (*parents.last().unwrap_or(&group_name)).to_owned();
        let role = role(last.split(':').next().unwrap_or(last), &name).to_owned();
        let place = *self
            .places
            .entry((group_name.to_owned(), parents.join("/")))
            .or_insert_with(|| {
                self.layers.push(KerasLayer {
                    path: format!("{group_name}/{}", parents.join("/")),
                    name,
                    weights: Default::default(),
                    is_head: false,
                });
                self.layers.len() - 1
            });
        self.layers[place]
            .weights
            .insert(role, hdf5::tensor(dataset)?);
        Ok(())
    }
}

/// Returns the role of a layer's weight. Keras 1 names the kernel and the bias of a layer `conv` `conv_W` and `conv_b`,
/// with a number behind that if a backend has made the name unique.
fn role<'a>(weight: &'a str, layer: &str) -> &'a str {
    let rest = weight.strip_prefix(layer);
    let Some(rest) = rest.and_then(|rest| rest.strip_prefix('_')) else {
        return weight;
    };
    let (letter, number) = rest.split_once('_').unwrap_or((rest, ""));
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return weight;
    }
    match letter {
        "W" => "kernel",
        "b" => "bias",
        _ => weight,
    }
}

#[cfg(test)]
mod tests {
    use super::role;

    #[test]
    fn roles_of_keras_1_follow_the_layers_name() {
        for (weight, layer, expected) in [
            ("block1_conv1_W_1", "block1_conv1", "kernel"),
            ("block1_conv1_b_1", "block1_conv1", "bias"),
            ("fc1_W", "fc1", "kernel"),
            ("kernel", "fc1", "kernel"),
            ("fc1_W_x", "fc1", "fc1_W_x"),
            ("fc1_gamma_1", "fc1", "fc1_gamma_1"),
            ("fc10_W_1", "fc1", "fc10_W_1"),
            ("W_1", "fc1", "W_1"),
        ] {
            assert_eq!(role(weight, layer), expected, "{weight} of {layer}");
        }
    }
}
