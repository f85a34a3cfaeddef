//! Graphs of any form, for tests.

use crate::layers::{Activation, Operation, OperationKind};
use crate::{Graph, GraphStage, StageKind};

/// A linear congruential generator with Knuth's constants.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    fn kind(&mut self, inputs: usize) -> OperationKind {
        let (kernel, stride) = ([3, 3], [1 + self.below(2), 1]);
        match (inputs, self.below(10)) {
            (2.., 0..5) => OperationKind::Addition,
            (2.., _) => OperationKind::Concatenation,
            (_, 0..3) => OperationKind::Convolution {
                kernel,
                stride,
                inputs: 8,
                groups: [1, 2, 8][self.below(3)],
            },
            (_, 3) => OperationKind::Convolution {
                kernel: [1, 1],
                stride: [1, 1],
                inputs: 8,
                groups: 1,
            },
            (_, 4) => OperationKind::Normalization,
            (_, 5) => OperationKind::Activation(Activation::Relu),
            (_, 6) => OperationKind::MaxPool { kernel, stride },
            (_, 7) => OperationKind::Scaling,
            (_, 8) => OperationKind::Linear,
            (_, _) => OperationKind::Other,
        }
    }

    /// Picks one of the operations from `first` to the last before `end`, the last ones more often; the source if there is
    /// none.
    fn input(&mut self, source: Option<usize>, first: usize, end: usize) -> Option<usize> {
        let back = match self.below(8) {
            0 => 1 + self.below(end - first + 1),
            1 | 2 => 1 + self.below(4),
            _ => 1,
        };
        match first + back <= end {
            true => Some(end - back),
            false => source,
        }
    }
}

/// Makes a graph whose operations have any inputs among those before, in stages that end anywhere. The features and each
/// auxiliary classifier end with the concatenation of everything that isn't used.
pub(crate) fn random_graph(seed: u64) -> Graph {
    let mut random = Random(seed);
    let mut graph = Graph {
        image_size: [32, 32],
        operations: Vec::new(),
        stages: Vec::new(),
        sections: Vec::new(),
    };
    let features = 1 + random.below(6);
    for index in 0..features {
        let start = graph.operations.len();
        for _ in 0..random.below(9) {
            add(&mut graph, &mut random, None, 0);
        }
        if index + 1 == features {
            join(&mut graph, None, 0);
        }
        push_stage(
            &mut graph,
            &format!("stage{index}"),
            StageKind::Features,
            start,
        );
    }
    let start = graph.operations.len();
    for _ in 0..1 + random.below(3) {
        add(&mut graph, &mut random, start.checked_sub(1), start);
    }
    join(&mut graph, start.checked_sub(1), start);
    push_stage(&mut graph, "classifier", StageKind::Classifier, start);
    for _ in 0..random.below(3) {
        let stage = random.below(features);
        let source = graph.stages[stage].output;
        let start = graph.operations.len();
        for _ in 0..1 + random.below(5) {
            add(&mut graph, &mut random, source, start);
        }
        join(&mut graph, source, start);
        push_stage(
            &mut graph,
            "auxiliary",
            StageKind::AuxiliaryClassifier,
            start,
        );
    }
    graph
}

/// Adds an operation on the source or on operations from `first` on.
fn add(graph: &mut Graph, random: &mut Random, source: Option<usize>, first: usize) {
    let count = match random.below(4) {
        0 => 2 + random.below(4),
        _ => 1,
    };
    let kind = random.kind(count);
    let end = graph.operations.len();
    let inputs = (0..count)
        .map(|_| random.input(source, first, end))
        .collect();
    push(graph, kind, inputs, random.below(10_000) as u64);
}

/// Concatenates the outputs, from operation `first` on, that aren't used; the source if there is none.
fn join(graph: &mut Graph, source: Option<usize>, first: usize) {
    let end = graph.operations.len();
    let is_used = |index: usize| {
        let mut operations = graph.operations.iter();
        operations.any(|operation| operation.inputs.contains(&Some(index)))
    };
    let unused = (first..end).filter(|index| !is_used(*index)).map(Some);
    let unused: Vec<Option<usize>> = unused.collect();
    match &unused[..] {
        [] => push(graph, OperationKind::Linear, vec![source], 1),
        [_] => push(graph, OperationKind::Linear, unused, 1),
        _ => push(graph, OperationKind::Concatenation, unused, 0),
    }
}

fn push(graph: &mut Graph, kind: OperationKind, inputs: Vec<Option<usize>>, parameters: u64) {
    graph.operations.push(Operation {
        kind,
        inputs,
        output: [1, 8, 4, 4],
        parameters,
        multiply_adds: 16 * parameters,
    });
}

/// Adds a stage of the operations from `start` on.
fn push_stage(graph: &mut Graph, name: &str, kind: StageKind, start: usize) {
    let end = graph.operations.len();
    graph.stages.push(GraphStage {
        name: name.to_owned(),
        kind,
        operations: start..end,
        output: end.checked_sub(1),
        shape: [1, 8, 4, 4],
    });
}
