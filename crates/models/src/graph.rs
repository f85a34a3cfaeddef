//! The graph of a network's operations.

use std::ops::Range;

use crate::layers::trace::Trace;
use crate::layers::{FeatureMap, Operation};
use crate::network::device_of;
use crate::{ModelError, Network, Section};

/// The operations of a network's forward pass, in the order in which they run, and the stages that they belong to.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// Height and width of the image, in pixels.
    pub image_size: [usize; 2],
    /// The operations, for a batch of one image. Their inputs are indices of this list.
    pub operations: Vec<Operation>,
    /// Stages from the input to the classifier, and the auxiliary classifiers last.
    pub stages: Vec<GraphStage>,
    /// Sections of the network, in order; none if its paper makes no such division.
    pub sections: Vec<GraphSection>,
}

/// A section of a [`Graph`], such as Xception's entry flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphSection {
    /// Name of the section.
    pub name: String,
    /// The stages of the section, as a range of the graph's; the last one has the classifier too.
    pub stages: Range<usize>,
}

/// A stage of a [`Graph`].
#[derive(Debug, Clone, PartialEq)]
pub struct GraphStage {
    /// Name of the stage: that of the network, or `classifier` or `auxiliary`.
    pub name: String,
    /// Purpose of the stage.
    pub kind: StageKind,
    /// The operations of the stage, as a range of the graph's.
    pub operations: Range<usize>,
    /// Index of the operation that makes the stage's output; `None` if it is the network's input.
    pub output: Option<usize>,
    /// Batch, channels, height and width of the output.
    pub shape: [usize; 4],
}

/// The purpose of a [`GraphStage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageKind {
    /// Makes features.
    Features,
    /// Pools the last features, and turns them into logits.
    Classifier,
    /// Turns the features of an intermediate stage into logits, in training only.
    AuxiliaryClassifier,
}

impl Graph {
    /// Passes the shape of one image of this height and width through the network. Nothing is computed, and no weight is
    /// drawn.
    ///
    /// # Errors
    ///
    /// If the image is too small for the network.
    pub fn new(network: &impl Network, image_size: [usize; 2]) -> Result<Self, ModelError> {
        network.check_size(image_size)?;
        let [height, width] = image_size;
        let trace = Trace::recording(&device_of(network));
        let mut graph = Self {
            image_size,
            operations: Vec::new(),
            stages: Vec::new(),
            sections: Vec::new(),
        };
        let heads = network.auxiliary_classifiers();
        let mut inputs = Vec::new();
        let images = FeatureMap::traced([1, 3, height, width], &trace);
        let features = network.stages(images, &mut |name, output| {
            graph.push(name, StageKind::Features, output, &trace);
            let here = heads.iter().filter(|at| at.stage == name);
            inputs.extend(here.map(|at| (at.head, output.clone())));
        });
        let logits = network.classifier().forward(network.pool_map(features));
        graph.push("classifier", StageKind::Classifier, &logits, &trace);
        graph.divide(&network.sections());
        for (head, input) in inputs {
            let kind = StageKind::AuxiliaryClassifier;
            graph.push("auxiliary", kind, &head.forward(input), &trace);
        }
        Ok(graph)
    }

    /// Adds a stage of the operations reported since the last one.
    fn push(&mut self, name: &str, kind: StageKind, output: &FeatureMap, trace: &Trace) {
        let first = self.operations.len();
        self.operations.extend(trace.take().operations);
        self.stages.push(GraphStage {
            name: name.to_owned(),
            kind,
            operations: first..self.operations.len(),
            output: output.as_traced().and_then(|traced| traced.origin()),
            shape: output.dims(),
        });
    }

    /// Divides the stages so far into sections. A section whose first stage isn't there is left out.
    fn divide(&mut self, sections: &[Section]) {
        let mut end = self.stages.len();
        for section in sections.iter().rev() {
            let mut stages = self.stages[..end].iter();
            let first = stages.position(|stage| stage.name == section.first_stage);
            if let Some(first) = first {
                self.sections.push(GraphSection {
                    name: section.name.to_owned(),
                    stages: first..end,
                });
                end = first;
            }
        }
        self.sections.reverse();
    }

    /// Returns the operations of a stage.
    pub fn operations_of(&self, stage: &GraphStage) -> &[Operation] {
        &self.operations[stage.operations.clone()]
    }
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;

    use super::*;
    use crate::layers::OperationKind;
    use crate::{MODELS, ModelConfig, XceptionConfig};

    #[test]
    fn inputs_are_operations_before() {
        for info in MODELS.iter() {
            let config = info.config().with_width(0.1).with_classes(10);
            let network = config.init(&Device::flex()).unwrap();
            let graph = Graph::new(&network, [info.image_size; 2]).unwrap();
            for (index, operation) in graph.operations.iter().enumerate() {
                let before = |input: &Option<usize>| input.is_none_or(|input| input < index);
                assert!(operation.inputs.iter().all(before), "{}", info.name);
            }
            // All outputs but the last are used.
            let used = |index: usize| {
                let mut later = graph.operations[index + 1..].iter();
                later.any(|operation| operation.inputs.contains(&Some(index)))
            };
            let last = graph.operations.len() - 1;
            assert!((0..last).all(used), "{}", info.name);
            assert_eq!(graph.operations[last].kind, OperationKind::Linear);
        }
    }

    #[test]
    fn xceptions_sections_are_its_flows() {
        for (modules, expected) in [
            (
                8,
                vec![
                    ("Entry flow", 0..4),
                    ("Middle flow", 4..12),
                    ("Exit flow", 12..15),
                ],
            ),
            (0, vec![("Entry flow", 0..4), ("Exit flow", 4..7)]),
        ] {
            let config = XceptionConfig::new(10).with_middle_modules(modules);
            let network = config.init(&Device::flex()).unwrap();
            let graph = Graph::new(&network, [299, 299]).unwrap();
            let sections = graph.sections.iter();
            let found: Vec<_> = sections
                .map(|section| (section.name.as_str(), section.stages.clone()))
                .collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_residual_connection_starts_before_the_activation() {
        let config = ModelConfig::named("xception").unwrap();
        let network = config.init(&Device::flex()).unwrap();
        let graph = Graph::new(&network, [299, 299]).unwrap();
        let stage = |name| graph.stages.iter().find(|stage| stage.name == name);
        let (before, module) = (stage("block5").unwrap(), stage("block6").unwrap());
        let last = graph.operations_of(module).last().unwrap();
        assert_eq!(last.kind, OperationKind::Addition);
        assert_eq!(
            last.inputs,
            [Some(module.operations.end - 2), before.output]
        );
        assert_eq!(module.output, Some(module.operations.end - 1));
        assert_eq!(module.shape, [1, 728, 19, 19]);
    }
}
