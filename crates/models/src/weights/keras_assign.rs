//! Matching of a Keras file's layers with those of a network.

use std::collections::{BTreeMap, HashMap};

use super::layer::Layer;
use xception_formats::{KerasLayer, Kind, number};

/// Layers of a file under the names of the table, and those that the table lacks.
pub(super) struct Assigned {
    pub(super) by_name: BTreeMap<String, KerasLayer>,
    pub(super) left: Vec<KerasLayer>,
}

/// Assigns the layers of a file to those of a table, kind by kind.
///
/// A layer of the file whose name is in the table is assigned to that name. The remaining names of the table are for
/// layers that Keras numbers: they get the file's other layers in the order of their numbers. If the file has no
/// names, its layers are in the order of the model's list: `file_order` has the place in the table of each, or the two
/// orders are the same.
///
/// `table_name` returns the table's name of a layer that other files name differently.
///
/// Dense layers form the head, whatever their names: the last ones of the file get the table's names.
pub(super) fn assign(
    layers: Vec<KerasLayer>,
    table: &[Layer],
    file_order: Option<&[usize]>,
    table_name: impl Fn(&str) -> Option<String>,
) -> Assigned {
    let mut wanted = by_kind(table);
    let mut in_file_order = match file_order {
        Some(order) => by_kind(order.iter().filter_map(|&place| table.get(place))),
        None => wanted.clone(),
    };
    let mut found: BTreeMap<Kind, Vec<KerasLayer>> = BTreeMap::new();
    for layer in layers {
        found.entry(layer.kind()).or_default().push(layer);
    }
    let mut assigned = Assigned {
        by_name: BTreeMap::new(),
        left: Vec::new(),
    };
    for (kind, layers) in found {
        let wanted = wanted.remove(&kind).unwrap_or_default();
        let in_file_order = in_file_order.remove(&kind).unwrap_or_default();
        if kind == Kind::Dense {
            assigned.heads(wanted, layers);
        } else if layers.iter().any(|layer| !layer.name.is_empty()) {
            assigned.by_names(wanted, layers, &table_name);
        } else {
            assigned.by_order(in_file_order, layers);
        }
    }
    assigned
}

/// Lists the names of the Keras layers of each kind.
fn by_kind<'a>(layers: impl IntoIterator<Item = &'a Layer>) -> BTreeMap<Kind, Vec<String>> {
    let mut by_kind: BTreeMap<Kind, Vec<String>> = BTreeMap::new();
    for (kind, name) in layers.into_iter().flat_map(names) {
        by_kind.entry(kind).or_default().push(name);
    }
    by_kind
}

/// Returns the kinds and names of the Keras layers that make up a layer.
fn names(layer: &Layer) -> Vec<(Kind, String)> {
    let normalization = |norm: &Option<String>| norm.clone().map(|norm| (Kind::Norm, norm));
    match layer {
        Layer::ConvNorm { conv, norm, .. } => std::iter::once((Kind::Conv, conv.clone()))
            .chain(normalization(norm))
            .collect(),
        Layer::SegmentedConvNorm {
            spatial,
            norm_between: None,
            norm,
            ..
        } => std::iter::once((Kind::SeparableConv, spatial.clone()))
            .chain(normalization(norm))
            .collect(),
        Layer::SegmentedConvNorm {
            spatial,
            norm_between: Some(inner),
            pointwise,
            norm,
            ..
        } => [
            (Kind::DepthwiseConv, spatial.clone()),
            (Kind::Norm, inner.clone()),
            (Kind::Conv, pointwise.clone()),
        ]
        .into_iter()
        .chain(normalization(norm))
        .collect(),
        Layer::PreNorm { norm, .. } => vec![(Kind::Norm, norm.clone())],
        Layer::SpatialBottleneck { .. } => Vec::new(),
        Layer::Linear { linear, .. } => vec![(Kind::Dense, linear.clone())],
    }
}

impl Assigned {
    fn by_names(
        &mut self,
        wanted: Vec<String>,
        layers: Vec<KerasLayer>,
        table_name: impl Fn(&str) -> Option<String>,
    ) {
        let mut open: HashMap<&str, bool> = wanted.iter().map(|w| (w.as_str(), true)).collect();
        let mut numbered = Vec::new();
        for layer in layers {
            let name = match table_name(&layer.name) {
                Some(name) if open.contains_key(name.as_str()) => name,
                _ => layer.name.clone(),
            };
            match open.get_mut(name.as_str()) {
                Some(open) if *open => {
                    *open = false;
                    self.by_name.insert(name, layer);
                }
                _ => numbered.push(layer),
            }
        }
        numbered.sort_by_key(|layer| number(&layer.name));
        let still_open = wanted.iter().filter(|name| open[name.as_str()]);
        let mut numbered = numbered.into_iter();
        for (name, layer) in still_open.zip(numbered.by_ref()) {
            self.by_name.insert(name.clone(), layer);
        }
        self.left.extend(numbered);
    }

    fn by_order(&mut self, wanted: Vec<String>, layers: Vec<KerasLayer>) {
        let mut layers = layers.into_iter();
        self.by_name.extend(wanted.into_iter().zip(layers.by_ref()));
        self.left.extend(layers);
    }

    fn heads(&mut self, wanted: Vec<String>, mut layers: Vec<KerasLayer>) {
        let head = layers.split_off(layers.len().saturating_sub(wanted.len()));
        let skipped = wanted.len() - head.len();
        self.by_name
            .extend(wanted.into_iter().skip(skipped).zip(head));
        self.left.extend(layers);
    }
}
