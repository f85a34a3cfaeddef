//! Which layer of a Keras file is which layer of a network.

use std::collections::{BTreeMap, HashMap};

use super::layer::Layer;
use xception_formats::{KerasLayer, Kind, number};

/// The layers of a file by the names of the table, and those that the table doesn't have.
pub(super) struct Assigned {
    pub(super) by_name: BTreeMap<String, KerasLayer>,
    pub(super) left: Vec<KerasLayer>,
}

/// Assigns the layers of a file to those of a table.
///
/// For each kind of layer: where a file's layer has a name of the table, it is that one. The names
/// left in the table are for layers that Keras numbers: they take the file's numbered layers in the
/// order of their numbers. Where a file has no names, its layers come in the order of the model's
/// list, and the one at place `I` is the table's `layer_order[I]`.
///
/// `modern` gives the present names of layers that early releases of Keras called otherwise.
///
/// Dense layers are the head's, whatever their names: the file's last ones take the table's.
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

/// The names of a layer's parts that are layers in Keras.
fn names(layer: &Layer) -> Vec<(Kind, String)> {
    match layer {
        Layer::ConvNorm { conv, norm, .. } => {
            vec![(Kind::Conv, conv.clone()), (Kind::Norm, norm.clone())]
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
