//! Nodes: operations that are drawn as one box, such as a convolution with its normalization and activation.

use std::ops::Range;

use crate::Graph;
use crate::layers::{Activation, Operation, OperationKind};

/// A box of the diagram.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// What the box stands for.
    pub(super) form: Form,
    /// The activation after a convolution or a linear layer that is part of the box.
    pub(super) activation: Option<Activation>,
    /// The operations that the box stands for, as indices of the graph's.
    pub(super) operations: Vec<usize>,
    /// The nodes that give its inputs; `None` for the images.
    pub(super) inputs: Vec<Option<usize>>,
    /// Batch, channels, height and width of the output.
    pub(super) output: [usize; 4],
    /// How often the box is repeated in the network, which draws it once.
    pub(super) count: usize,
}

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// A dense or grouped convolution.
    Convolution {
        kernel: [usize; 2],
        stride: [usize; 2],
        groups: usize,
        normalized: bool,
    },
    /// A convolution of each channel by itself.
    Depthwise {
        kernel: [usize; 2],
        stride: [usize; 2],
        normalized: bool,
    },
    /// A depthwise convolution, and a pointwise one on its output.
    Separable {
        kernel: [usize; 2],
        stride: [usize; 2],
        normalized: bool,
        between: Between,
    },
    /// A linear layer.
    Linear,
    /// Any other operation.
    Single(OperationKind),
}

/// What stands between the two parts of a separable convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Between {
    pub(super) normalized: bool,
    pub(super) activation: Option<Activation>,
}

impl Node {
    /// Returns whether the node adds its inputs.
    pub(super) fn is_addition(&self) -> bool {
        self.form == Form::Single(OperationKind::Addition)
    }
}

/// Divides a graph's operations into nodes, in the order in which they run. A node has operations of one stage, which follow
/// each other and whose outputs nothing else needs.
pub(super) fn nodes(graph: &Graph) -> Vec<Node> {
    let operations = Operations::new(graph);
    let folds_activations = !operations.are_activated_before();
    let mut nodes: Vec<Node> = Vec::new();
    let mut owners: Vec<Option<usize>> = vec![None; graph.operations.len()];
    for first in 0..graph.operations.len() {
        if owners[first].is_some() {
            continue;
        }
        let (form, activation, members) = operations.fold(first, folds_activations);
        let last = &graph.operations[members.last().copied().unwrap_or(first)];
        for &member in &members {
            owners[member] = Some(nodes.len());
        }
        let inputs = graph.operations[first].inputs.iter();
        nodes.push(Node {
            form,
            activation,
            inputs: inputs
                .map(|input| input.and_then(|index| owners[index]))
                .collect(),
            output: last.output,
            count: 1,
            operations: members,
        });
    }
    nodes
}

/// The operations of a graph, and what follows each.
struct Operations<'a> {
    all: &'a [Operation],
    /// The stage of each operation.
    stages: Vec<usize>,
    /// The operations that use each operation's output.
    consumers: Vec<Vec<usize>>,
}

impl<'a> Operations<'a> {
    fn new(graph: &'a Graph) -> Self {
        let all = &graph.operations;
        let mut stages = vec![0; all.len()];
        for (index, stage) in graph.stages.iter().enumerate() {
            let Range { start, end } = stage.operations;
            stages[start..end].fill(index);
        }
        let mut consumers = vec![Vec::new(); all.len()];
        for (index, operation) in all.iter().enumerate() {
            for input in operation.inputs.iter().flatten() {
                consumers[*input].push(index);
            }
        }
        Self {
            all,
            stages,
            consumers,
        }
    }

    /// Returns whether activations stand before the convolutions that they belong to, as in Xception, so that a reader
    /// expects them as boxes of their own: there is one on a map that others need too, or after a pool.
    fn are_activated_before(&self) -> bool {
        self.all.iter().any(|operation| {
            let activates = matches!(
                operation.kind,
                OperationKind::Activation(_) | OperationKind::Normalization
            );
            let [Some(input)] = operation.inputs[..] else {
                return false;
            };
            let is_pool = matches!(
                self.all[input].kind,
                OperationKind::MaxPool { .. } | OperationKind::AveragePool { .. }
            );
            activates && (is_pool || self.consumers[input].len() > 1)
        })
    }

    /// Returns the operation that follows, if it is the only one that needs the output, needs nothing else, and belongs to
    /// the same stage.
    fn next(&self, index: usize) -> Option<(usize, OperationKind)> {
        let [next] = self.consumers[index][..] else {
            return None;
        };
        let same = self.all[next].inputs.len() == 1 && self.stages[next] == self.stages[index];
        same.then_some((next, self.all[next].kind))
    }

    /// Adds the normalization that follows, and returns whether there is one.
    fn normalization(&self, members: &mut Vec<usize>) -> bool {
        let next = members.last().and_then(|last| self.next(*last));
        let Some((next, OperationKind::Normalization)) = next else {
            return false;
        };
        members.push(next);
        true
    }

    /// Adds the activation that follows, and returns it.
    fn activation(&self, members: &mut Vec<usize>) -> Option<Activation> {
        let next = members.last().and_then(|last| self.next(*last));
        let Some((next, OperationKind::Activation(activation))) = next else {
            return None;
        };
        members.push(next);
        Some(activation)
    }

    /// Returns what the box that begins with this operation stands for, its activation, and its operations.
    fn fold(&self, first: usize, folds: bool) -> (Form, Option<Activation>, Vec<usize>) {
        let operation = &self.all[first];
        let mut members = vec![first];
        let form = match operation.kind {
            OperationKind::Convolution {
                kernel,
                stride,
                inputs,
                groups,
            } => {
                let is_depthwise = groups > 1 && groups == inputs;
                if let Some(form) = self.separable(&mut members, kernel, stride, is_depthwise) {
                    form
                } else {
                    let normalized = self.normalization(&mut members);
                    match is_depthwise {
                        true => Form::Depthwise {
                            kernel,
                            stride,
                            normalized,
                        },
                        false => Form::Convolution {
                            kernel,
                            stride,
                            groups,
                            normalized,
                        },
                    }
                }
            }
            OperationKind::Linear => Form::Linear,
            kind => return (Form::Single(kind), None, members),
        };
        let activation = folds.then(|| self.activation(&mut members)).flatten();
        (form, activation, members)
    }

    /// Adds the rest of a separable convolution, if the operation begins one.
    fn separable(
        &self,
        members: &mut Vec<usize>,
        kernel: [usize; 2],
        stride: [usize; 2],
        is_depthwise: bool,
    ) -> Option<Form> {
        if !is_depthwise {
            return None;
        }
        let mut all = members.clone();
        let between = Between {
            normalized: self.normalization(&mut all),
            activation: self.activation(&mut all),
        };
        let (pointwise, kind) = self.next(*all.last()?)?;
        let OperationKind::Convolution {
            kernel: [1, 1],
            stride: [1, 1],
            groups: 1,
            ..
        } = kind
        else {
            return None;
        };
        all.push(pointwise);
        let normalized = self.normalization(&mut all);
        *members = all;
        Some(Form::Separable {
            kernel,
            stride,
            normalized,
            between,
        })
    }
}
