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
/// names, its layers are in the order of the model's list, and the one at position `I` is the table's
/// `layer_order[I]`.
///
/// `modern` returns the present name of a layer that early releases of Keras named differently.
///
/// Dense layers form the head, whatever their names: the last ones of the file get the table's names.
pub(super) fn assign(
    layers: Vec<KerasLayer>,
    table: &[Layer],
    layer_order: Option<&[usize]>,
    modern: impl Fn(&str) -> Option<String>,
) -> Assigned {
    let mut wanted: BTreeMap<Kind, Vec<String>> = BTreeMap::new();
    for (kind, name) in table.iter().flat_map(names) {
        wanted.entry(kind).or_default().push(name);
    }
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
        if kind == Kind::Dense {
            assigned.heads(wanted, layers);
        } else if layers.iter().any(|layer| !layer.name.is_empty()) {
            assigned.by_names(wanted, layers, &modern);
        } else {
            assigned.by_order(wanted, layers, layer_order);
        }
    }
    assigned
}

/// Returns the kinds and names of the Keras layers that make up a layer.
fn names(layer: &Layer) -> Vec<(Kind, String)> {
    match layer {
        Layer::ConvNorm { conv, norm, .. } => {
            let norm = norm.iter().map(|norm| (Kind::Norm, norm.clone()));
            std::iter::once((Kind::Conv, conv.clone()))
                .chain(norm)
                .collect()
        }
        Layer::SeparableConvNorm {
            depthwise,
            depthwise_norm: None,
            norm,
            ..
        } => vec![
            (Kind::SeparableConv, depthwise.clone()),
            (Kind::Norm, norm.clone()),
        ],
        Layer::SeparableConvNorm {
            depthwise,
            depthwise_norm: Some(inner),
            pointwise,
            norm,
            ..
        } => vec![
            (Kind::DepthwiseConv, depthwise.clone()),
            (Kind::Norm, inner.clone()),
            (Kind::Conv, pointwise.clone()),
            (Kind::Norm, norm.clone()),
        ],
        Layer::SpatialBottleneck { .. } => Vec::new(),
        Layer::Linear { linear, .. } => vec![(Kind::Dense, linear.clone())],
    }
}

impl Assigned {
    fn by_names(
        &mut self,
        wanted: Vec<String>,
        layers: Vec<KerasLayer>,
        modern: impl Fn(&str) -> Option<String>,
    ) {
        let mut open: HashMap<&str, bool> = wanted.iter().map(|w| (w.as_str(), true)).collect();
        let mut numbered = Vec::new();
        for layer in layers {
            let name = match modern(&layer.name) {
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

    fn by_order(&mut self, wanted: Vec<String>, layers: Vec<KerasLayer>, order: Option<&[usize]>) {
        for (place, layer) in layers.into_iter().enumerate() {
            let index = order.map_or(Some(place), |order| order.get(place).copied());
            match index.and_then(|index| wanted.get(index)) {
                Some(name) => {
                    self.by_name.insert(name.clone(), layer);
                }
                None => self.left.push(layer),
            }
        }
    }

    fn heads(&mut self, wanted: Vec<String>, mut layers: Vec<KerasLayer>) {
        let head = layers.split_off(layers.len().saturating_sub(wanted.len()));
        let skipped = wanted.len() - head.len();
        self.by_name
            .extend(wanted.into_iter().skip(skipped).zip(head));
        self.left.extend(layers);
    }
}
