//! Comparison of the tensors that a network requires with those of a file.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{Mismatch, Misshapen};
use super::layer::{Origin, Part};
use super::layout::Layout;
use xception_formats::NamedTensors;

/// Returns whether a parameter belongs to a classifier, auxiliary or not, so that a new head replaces it. Of an
/// auxiliary classifier only the last layer does; its convolutions are kept.
pub(super) fn is_head(parameter: &str) -> bool {
    let auxiliary = parameter.starts_with("auxiliary.");
    parameter.starts_with("classifier.") || (auxiliary && parameter.contains(".classifier.logits."))
}

/// Compares the parts of a network with the tensors of a file.
///
/// `ignored` selects names that may be in the file although no part uses them.
pub(super) fn compare(
    parts: &[Part],
    shapes: &BTreeMap<String, Vec<usize>>,
    tensors: &NamedTensors,
    ignored: impl Fn(&str) -> bool,
) -> Mismatch {
    let mut mismatch = Mismatch::default();
    let mut used = BTreeSet::new();
    let mut of_the_body = 0;
    for part in parts {
        let shape = shapes.get(&part.parameter).map_or(&[][..], Vec::as_slice);
        for (name, layout) in part.origin.tensors() {
            let expected = layout.shape_in_file(shape);
            match tensors.shape(name) {
                None => {
                    of_the_body += usize::from(!is_head(&part.parameter));
                    mismatch.missing.push(name.to_owned());
                }
                Some(found) if !fits(found, &expected) => mismatch.misshapen.push(Misshapen {
                    name: name.to_owned(),
                    found: found.to_vec(),
                    expected,
                }),
                Some(_) => {}
            }
            used.insert(name);
        }
    }
    let unused = tensors
        .names()
        .filter(|name| !used.contains(name) && !ignored(name))
        .map(str::to_owned);
    mismatch.unused = unused.collect();
    mismatch.only_the_head_is_missing =
        !mismatch.missing.is_empty() && of_the_body == 0 && mismatch.misshapen.is_empty();
    mismatch
}

/// Returns whether a tensor has the expected shape. A 1x1 convolution may be stored as a matrix, as in some older
/// files with Cadene's names, and a linear layer as a 1x1 convolution, as the last layer of Keras' MobileNet.
fn fits(found: &[usize], expected: &[usize]) -> bool {
    match (found, expected) {
        (&[out, input], expected) if expected.len() == 4 => expected == [out, input, 1, 1],
        (&[1, 1, input, out], expected) if expected.len() == 2 => expected == [input, out],
        _ => found == expected,
    }
}

impl Origin {
    /// Lists the tensors that make up the parameter, with their layouts.
    pub(super) fn tensors(&self) -> Vec<(&str, Layout)> {
        match self {
            Self::Tensor { name, layout } => vec![(name, *layout)],
            Self::Difference { name, minus } => {
                vec![(name, Layout::Same), (minus, Layout::Same)]
            }
            Self::Ones => Vec::new(),
        }
    }
}
