//! What follows the convolutions of a network, said once below the diagram instead of in every box.

use super::label::activation_name;
use super::nodes::{Between, Form, Node};
use crate::layers::Activation;

/// The activation of most convolutions is a convention if this share of them has it.
const MOST: f64 = 0.75;

/// What follows the convolutions of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Conventions {
    /// Number of convolutions, and of those that are normalized.
    convolutions: usize,
    normalized: usize,
    /// The activation of most of them, if these are as good as all, and whether all have it.
    activation: Option<(Activation, bool)>,
    /// Whether the two parts of every separable convolution are followed by the same as any other convolution.
    in_parts: bool,
}

/// What a convolution lacks of the [`Conventions`], or has beyond them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Deviations {
    /// Whether it is normalized, if most are not, or not, if most are.
    pub(super) normalized: Option<bool>,
    /// The activation that it lacks.
    pub(super) without: Option<Activation>,
    /// The activation that it has.
    pub(super) with: Option<Activation>,
    /// What stands between the parts of a separable convolution.
    pub(super) between: Option<Between>,
}

impl Conventions {
    /// Finds what the convolutions among these nodes have in common.
    pub(super) fn new(nodes: &[Node]) -> Self {
        let all: Vec<(&Node, bool)> = nodes
            .iter()
            .filter_map(|node| Some((node, is_normalized(node)?)))
            .collect();
        let mut activations: Vec<(Activation, usize)> = Vec::new();
        for activation in all.iter().filter_map(|(node, _)| node.activation) {
            match activations
                .iter_mut()
                .find(|(known, _)| *known == activation)
            {
                Some((_, count)) => *count += 1,
                None => activations.push((activation, 1)),
            }
        }
        let most = activations.into_iter().max_by_key(|(_, count)| *count);
        let most = most.filter(|(_, count)| *count as f64 >= MOST * all.len() as f64);
        let mut conventions = Self {
            convolutions: all.len(),
            normalized: all.iter().filter(|(_, normalized)| *normalized).count(),
            activation: most.map(|(activation, count)| (activation, count == all.len())),
            in_parts: false,
        };
        let mut parts = nodes.iter().filter_map(between).peekable();
        conventions.in_parts = parts.peek().is_some()
            && parts.all(|between| {
                let Between {
                    normalized,
                    activation,
                } = between;
                normalized == conventions.normalizes()
                    && activation == conventions.activation.map(|(activation, _)| activation)
            });
        conventions
    }

    /// Returns whether most convolutions are normalized.
    fn normalizes(&self) -> bool {
        self.normalized > 0 && 2 * self.normalized >= self.convolutions
    }

    /// Returns what a node has beside its own operation; nothing, if that is what all convolutions have.
    pub(super) fn deviations(&self, node: &Node) -> Deviations {
        let Some(normalized) = is_normalized(node) else {
            return Deviations {
                with: node.activation,
                ..Deviations::default()
            };
        };
        let usual = self.activation.map(|(activation, _)| activation);
        let differs = node.activation != usual;
        let plain = Between {
            normalized: false,
            activation: None,
        };
        let between = between(node).filter(|between| *between != plain && !self.in_parts);
        Deviations {
            normalized: Some(normalized).filter(|normalized| *normalized != self.normalizes()),
            without: usual.filter(|_| differs && node.activation.is_none()),
            with: node.activation.filter(|_| differs),
            between,
        }
    }

    /// Says what the convolutions have that their boxes don't show; `None` if there is no convolution.
    pub(super) fn note(&self) -> Option<String> {
        if self.convolutions == 0 {
            return None;
        }
        let activation = self
            .activation
            .map(|(activation, _)| activation_name(activation));
        let is_marked = (1..self.convolutions).contains(&self.normalized)
            || self.activation.is_some_and(|(_, all)| !all);
        let which = match (is_marked, self.in_parts) {
            (true, _) => "every convolution that isn't marked otherwise",
            (false, true) => "every convolution, depthwise and pointwise",
            (false, false) => "every convolution",
        };
        let note = match (self.normalizes(), activation) {
            (true, Some(name)) => format!("Batch normalization and {name} follow {which}."),
            (true, None) => format!("Batch normalization follows {which}."),
            (false, Some(name)) => format!("{name} follows {which}."),
            (false, None) => String::new(),
        };
        let exceptions = match (self.normalizes(), self.normalized) {
            (true, _) => "",
            (false, 0) => "There is no normalization.",
            (false, _) => "Convolutions are normalized where BN is marked.",
        };
        Some(format!("{note} {exceptions}").trim().to_owned())
    }
}

/// Returns whether normalization follows a convolution; `None` for other nodes.
fn is_normalized(node: &Node) -> Option<bool> {
    match node.form {
        Form::Convolution { normalized, .. }
        | Form::Depthwise { normalized, .. }
        | Form::Separable { normalized, .. } => Some(normalized),
        Form::Linear | Form::Single(_) => None,
    }
}

/// Returns what stands between the parts of a separable convolution.
fn between(node: &Node) -> Option<Between> {
    match node.form {
        Form::Separable { between, .. } => Some(between),
        _ => None,
    }
}
