//! The bytes that a step moves between the device's memory and its processors, by a model.

use xception::models::layers::{Activation, OperationKind};
use xception::models::{Graph, GraphStage, StageKind};

/// The form of a network whose step is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A forward pass whose normalizations, activations and additions are part of the operation before them.
    Fused,
    /// A forward pass of single operations.
    Unfused,
    /// A training step.
    Training,
}

/// The bytes that a step moves at least, if each kernel reads its inputs once for each pass that it has to make over them and writes
/// its output once, and nothing stays in a cache from one kernel to the next.
#[derive(Debug, Clone, Copy)]
pub struct Traffic<'a> {
    /// The network's operations on one image.
    pub graph: &'a Graph,
    /// What a step is.
    pub form: Form,
    /// Images of a step.
    pub batch: usize,
    /// Bytes of a number of a feature map.
    pub number: u64,
}

/// Bytes of a weight where it is stored.
const WEIGHT: u64 = 4;

/// What reading and writing a map once counts, for each of an operation's inputs and its output.
#[derive(Debug, Clone, Copy)]
struct Passes {
    inputs: u64,
    output: u64,
    weights: u64,
}

impl Traffic<'_> {
    /// Returns the bytes of a step.
    pub fn step(&self) -> u64 {
        let stages = self.graph.stages.iter().filter(|stage| self.runs(stage));
        let maps: u64 = stages.map(|stage| self.stage(stage)).sum();
        match self.form {
            // The step of the optimizer reads weight, gradient and velocity, and writes weight and velocity.
            Form::Training => maps + 5 * WEIGHT * self.parameters(),
            _ => maps,
        }
    }

    /// Returns the bytes of a stage.
    pub fn stage(&self, stage: &GraphStage) -> u64 {
        let range = stage.operations.clone();
        range.map(|index| self.operation(index)).sum()
    }

    fn runs(&self, stage: &GraphStage) -> bool {
        self.form == Form::Training || stage.kind != StageKind::AuxiliaryClassifier
    }

    fn parameters(&self) -> u64 {
        let operations = self.graph.operations.iter();
        operations.map(|operation| operation.parameters).sum()
    }

    fn operation(&self, index: usize) -> u64 {
        let operation = &self.graph.operations[index];
        let passes = self.passes(index);
        let [height, width] = self.graph.image_size;
        let values = |input: &Option<usize>| match input {
            Some(input) => self.graph.operations[*input].outputs(),
            None => 3 * (height * width) as u64,
        };
        let inputs: u64 = operation.inputs.iter().map(values).sum();
        let maps = passes.inputs * inputs + passes.output * operation.outputs();
        self.number * self.batch as u64 * maps + WEIGHT * passes.weights * operation.parameters
    }

    fn passes(&self, index: usize) -> Passes {
        let operation = &self.graph.operations[index];
        let passes = |inputs, output, weights| Passes {
            inputs,
            output,
            weights,
        };
        let of_forward = match operation.kind {
            OperationKind::Flattening => passes(0, 0, 0), // a view
            _ => passes(1, 1, 1),
        };
        match (self.form, operation.kind) {
            // Part of the operation before; of an addition the other map is read.
            (Form::Fused, OperationKind::Normalization | OperationKind::Activation(_)) => {
                passes(0, 0, 1)
            }
            (Form::Fused, OperationKind::Addition) => passes(0, 1, 0),
            (Form::Fused | Form::Unfused, _) => of_forward,
            // Backward: input and gradient of the output for the weight's gradient, the latter for that of the input, which is
            // written. Weights are read twice, and their gradients written.
            (
                Form::Training,
                OperationKind::Convolution { .. }
                | OperationKind::TransposedConvolution { .. }
                | OperationKind::Linear,
            ) => passes(3, 3, 3),
            // Input read for the statistics and for the output; backward both with the gradient, and the input's gradient.
            (Form::Training, OperationKind::Normalization) => passes(5, 3, 3),
            // Part of the normalization before it, in both directions.
            (Form::Training, OperationKind::Activation(Activation::Relu))
                if self.follows_normalization(index) =>
            {
                passes(0, 0, 0)
            }
            (Form::Training, OperationKind::Activation(_)) => passes(3, 2, 0),
            // The gradient of both is that of the sum.
            (Form::Training, OperationKind::Addition) => passes(1, 1, 0),
            (Form::Training, _) => passes(2 * of_forward.inputs, 2 * of_forward.output, 0),
        }
    }

    fn follows_normalization(&self, index: usize) -> bool {
        let operations = &self.graph.operations;
        let inputs = operations[index].inputs.iter().flatten();
        inputs
            .clone()
            .any(|&input| operations[input].kind == OperationKind::Normalization)
    }
}

#[cfg(test)]
mod tests {
    use burn::prelude::*;
    use xception::models::{ModelConfig, Network};

    use super::*;

    fn graph(name: &str, size: usize) -> (Graph, u64) {
        let config = ModelConfig::named(name).unwrap();
        let network = config.init(&Device::flex()).unwrap();
        let parameters = network.trainable_parameters() as u64;
        (Graph::new(&network, [size, size]).unwrap(), parameters)
    }

    fn traffic(graph: &Graph, form: Form) -> Traffic<'_> {
        Traffic {
            graph,
            form,
            batch: 2,
            number: 4,
        }
    }

    #[test]
    fn stages_add_up_and_a_fused_network_moves_least() {
        for name in ["xception", "inception_v3", "resnet50"] {
            let (graph, parameters) = graph(name, 128);
            let forms = [Form::Fused, Form::Unfused, Form::Training];
            let bytes = forms.map(|form| traffic(&graph, form).step());
            assert!(
                bytes.is_sorted() && bytes[0] > 4 * parameters,
                "{name}: {bytes:?}"
            );
            // Convolutions move three times what a forward pass does, normalizations four times, and ReLU after one nothing. With many
            // images the optimizer doesn't count.
            let [unfused, training] = [Form::Unfused, Form::Training].map(|form| {
                let many = Traffic {
                    batch: 1000,
                    ..traffic(&graph, form)
                };
                many.step() as f64
            });
            let ratio = training / unfused;
            assert!((1.5..4.5).contains(&ratio), "{name}: {ratio}");

            let fused = traffic(&graph, Form::Fused);
            let stages = graph.stages.iter();
            let stages = stages.filter(|stage| stage.kind != StageKind::AuxiliaryClassifier);
            assert_eq!(
                stages.map(|stage| fused.stage(stage)).sum::<u64>(),
                fused.step()
            );
        }
    }

    #[test]
    fn half_precision_halves_the_maps_and_not_the_weights() {
        let (graph, parameters) = graph("resnet18", 64);
        let full = traffic(&graph, Form::Unfused);
        let half = Traffic { number: 2, ..full };
        assert_eq!(2 * half.step(), full.step() + 4 * parameters);
    }

    #[test]
    fn the_first_layer_is_counted_by_hand() {
        let (graph, _) = graph("vgg16", 32);
        let first = &graph.stages[0];
        // 3 channels to 64, with a bias; then ReLU.
        let (input, output, weights) = (3 * 32 * 32, 64 * 32 * 32, 64 * 3 * 9 + 64);
        let convolution = 4 * 2 * (input + output) + 4 * weights;
        let mut operations = graph.operations_of(first).iter();
        assert_eq!(operations.next().unwrap().parameters, weights);
        assert_eq!(traffic(&graph, Form::Fused).operation(0), convolution);
        assert_eq!(
            traffic(&graph, Form::Unfused).operation(1),
            4 * 2 * 2 * output
        );
        let training = 3 * 4 * 2 * (input + output) + 3 * 4 * weights;
        assert_eq!(traffic(&graph, Form::Training).operation(0), training);
    }
}
