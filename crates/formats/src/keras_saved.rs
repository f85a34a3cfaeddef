//! The layout of `.weights.h5` since Keras 3, which is also inside of `.keras` archives.
//!
//! A model is a group with the group `layers` (`_layer_checkpoint_dependencies` in tf.keras 2.13 to
//! 2.15). In it, each layer is a group named after its class and counted: `conv2d`, `conv2d_1`, in
//! the order of the model's layers. Its group `vars` has the weights `0`, `1` and so on in the order
//! that the class makes them in, and in newer releases the layer's own name as an attribute. A nested
//! model is a layer with `layers` of its own.

use std::path::Path;

use hdf5_reader::Hdf5File;
use hdf5_reader::group::Group;

use super::FormatError;
use super::hdf5::{self, FORMAT, MAX_DEPTH, MAX_OBJECTS};
use super::keras_layer::{KerasLayer, number};

/// Names of the group in which a model keeps its layers.
const LAYERS: [&str; 2] = ["layers", "_layer_checkpoint_dependencies"];

/// Returns the layers of a file in this layout, sorted by class and count; `None` if it has another.
pub(crate) fn read(path: &Path, file: &Hdf5File) -> Result<Option<Vec<KerasLayer>>, FormatError> {
    let malformed = |reason: String| FormatError::malformed(path, FORMAT, reason);
    let root = file
        .root_group()
        .map_err(|error| malformed(error.to_string()))?;
    let Some(group) = layers_of(&root) else {
        return Ok(None);
    };
    let mut walk = Walk::default();
    walk.model(&group, "", 0).map_err(malformed)?;
    Ok(Some(walk.layers))
}

fn layers_of(model: &Group) -> Option<Group> {
    LAYERS.iter().find_map(|name| model.group(name).ok())
}

#[derive(Default)]
struct Walk {
    layers: Vec<KerasLayer>,
    objects: usize,
}

impl Walk {
    fn model(&mut self, layers: &Group, path: &str, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("its models are nested too deeply".to_owned());
        }
        let mut groups = layers.groups().map_err(|error| error.to_string())?;
        self.count(groups.len())?;
        groups.sort_by_key(|group| {
            let (class, count) = class_and_count(group.name());
            (class.to_owned(), count)
        });
        for group in groups {
            let path = format!("{path}{}", group.name());
            if let Some(inner) = layers_of(&group) {
                self.model(&inner, &format!("{path}/"), depth + 1)?;
            }
            if let Ok(vars) = group.group("vars") {
                self.layer(&group, &vars, path)?;
            }
        }
        Ok(())
    }

    fn layer(&mut self, group: &Group, vars: &Group, path: String) -> Result<(), String> {
        let mut datasets = vars.datasets().map_err(|error| error.to_string())?;
        self.count(datasets.len())?;
        if datasets.is_empty() {
            return Ok(());
        }
        datasets.sort_by_key(|dataset| dataset.name().parse::<usize>().unwrap_or(usize::MAX));
        let (class, _) = class_and_count(group.name());
        let roles = roles(class, datasets.len());
        let mut weights = std::collections::BTreeMap::new();
        for (index, dataset) in datasets.into_iter().enumerate() {
            let role = match roles.get(index) {
                Some(role) => (*role).to_owned(),
                None => dataset.name().to_owned(),
            };
            weights.insert(role, hdf5::tensor(dataset)?);
        }
        let name = hdf5::strings(vars, "name").and_then(|names| names.into_iter().next());
        self.layers.push(KerasLayer {
            name: name.unwrap_or_default(),
            path,
            weights,
            is_head: false,
        });
        Ok(())
    }

    fn count(&mut self, objects: usize) -> Result<(), String> {
        self.objects += objects;
        if self.objects > MAX_OBJECTS {
            return Err("it has too many groups and datasets".to_owned());
        }
        Ok(())
    }
}

/// Splits `batch_normalization_2` into `batch_normalization` and 2. A name without a count has 0.
fn class_and_count(name: &str) -> (&str, usize) {
    match name.rsplit_once('_') {
        Some((class, count)) if count.parse::<usize>().is_ok() => (class, number(name)),
        _ => (name, 0),
    }
}

/// Returns the weights of a class in the order that it makes them in. A batch normalization without scale
/// makes three.
fn roles(class: &str, count: usize) -> &'static [&'static str] {
    match (class, count) {
        ("conv2d" | "dense", _) => &["kernel", "bias"],
        ("depthwise_conv2d", _) => &["depthwise_kernel", "bias"],
        ("separable_conv2d", _) => &["depthwise_kernel", "pointwise_kernel", "bias"],
        ("batch_normalization", 3) => &["beta", "moving_mean", "moving_variance"],
        ("batch_normalization", _) => &["gamma", "beta", "moving_mean", "moving_variance"],
        _ => &[],
    }
}
