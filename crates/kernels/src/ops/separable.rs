//! Depthwise separable convolution for training as an operation with gradients of its own.

#[cfg(feature = "flex")]
use burn::backend::Flex;
#[cfg(feature = "ndarray")]
use burn::backend::NdArray;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, TensorMetadata, backend_extension};

use super::host::HostBackend;
use crate::cpu::separable::{InputNorm, Operands, Separable};

/// Sizes of a separable convolution, and the epsilon of its input's normalization.
#[derive(Debug, Clone)]
pub struct SeparablePlan {
    pub(crate) kernel: Separable,
    pub(crate) epsilon: f64,
}

/// The output, and the mean and the biased variance of each of its channels.
type Output<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

/// The tensors that a separable convolution is made of.
struct Inputs<B: HostBackend> {
    input: FloatTensor<B>,
    /// Gamma, beta, mean and variance.
    norm: Option<[FloatTensor<B>; 4]>,
    /// The weights of the depthwise and of the pointwise convolution.
    weights: [FloatTensor<B>; 2],
}

impl SeparablePlan {
    /// Calls `work` with the values of the operands.
    fn with_operands<B: HostBackend, R>(
        &self,
        inputs: Inputs<B>,
        work: impl FnOnce(&Operands) -> R,
    ) -> R {
        let input = B::values(inputs.input);
        let norm = inputs.norm.map(|norm| norm.map(B::values));
        let [depthwise, pointwise] = inputs.weights.map(B::values);
        work(&Operands {
            input: &input,
            norm: norm
                .as_ref()
                .map(|[gamma, beta, mean, variance]| InputNorm {
                    gamma,
                    beta,
                    mean,
                    variance,
                    epsilon: self.epsilon,
                }),
            depthwise: &depthwise,
            pointwise: &pointwise,
        })
    }

    /// Computes the output with its statistics, and the input of the pointwise convolution.
    fn forward<B: HostBackend>(&self, inputs: Inputs<B>) -> (Output<B>, FloatTensor<B>) {
        let device = inputs.input.device();
        let result = self.with_operands(inputs, |operands| self.kernel.forward(operands));
        let Separable {
            batch,
            inputs,
            outputs,
            size: [height, width],
            ..
        } = self.kernel;
        let output = B::from_values(result.output, [batch, outputs, height, width], &device);
        let mean = B::from_values(result.mean, [outputs], &device);
        let variance = B::from_values(result.variance, [outputs], &device);
        let inner = B::from_values(result.inner, [batch, inputs, height, width], &device);
        ((output, mean, variance), inner)
    }

    /// Registers the gradients of the input, gamma and beta if there are, and both weights.
    fn backward<B: HostBackend>(
        &self,
        inputs: Inputs<B>,
        inner: FloatTensor<B>,
        gradient: FloatTensor<B>,
        nodes: impl Iterator<Item = Option<NodeId>>,
        gradients: &mut Gradients,
    ) {
        let device = gradient.device();
        let shapes = [
            inputs.input.shape(),
            inputs.weights[0].shape(),
            inputs.weights[1].shape(),
        ];
        let (inner, gradient) = (B::values(inner), B::values(gradient));
        let result = self.with_operands(inputs, |operands| {
            self.kernel.backward(operands, &inner, &gradient)
        });
        let [input, depthwise, pointwise] = shapes;
        let channels = [self.kernel.inputs];
        let tensor = |values, shape: burn::tensor::Shape| B::from_values(values, shape, &device);
        let mut results = vec![tensor(result.input, input)];
        for values in result.norm.into_iter().flatten() {
            results.push(tensor(values, channels.into()));
        }
        results.push(tensor(result.depthwise, depthwise));
        results.push(tensor(result.pointwise, pointwise));
        for (node, result) in nodes.zip(results) {
            if let Some(node) = node {
                gradients.register::<B>(node, result);
            }
        }
    }
}

/// Separable convolution by this crate's kernel, on the backends that have it.
///
/// Two operations, because the macro that routes them takes no optional tensors.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub trait SeparableBackend: Backend {
    /// Convolves as the plan says; returns the output with the mean and the biased variance of each of its channels, which
    /// have no gradient.
    fn separable(
        input: FloatTensor<Self>,
        depthwise: FloatTensor<Self>,
        pointwise: FloatTensor<Self>,
        plan: SeparablePlan,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// Normalizes the input by the statistics that it has, and convolves as [`separable`](Self::separable) does.
    #[allow(clippy::too_many_arguments)]
    fn separable_of_normalized(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        depthwise: FloatTensor<Self>,
        pointwise: FloatTensor<Self>,
        plan: SeparablePlan,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// Implements the operations by [`SeparablePlan::forward`].
macro_rules! separable_in_memory {
    ($backend:ty) => {
        impl SeparableBackend for $backend {
            fn separable(
                input: FloatTensor<Self>,
                depthwise: FloatTensor<Self>,
                pointwise: FloatTensor<Self>,
                plan: SeparablePlan,
            ) -> Output<Self> {
                let inputs = Inputs {
                    input,
                    norm: None,
                    weights: [depthwise, pointwise],
                };
                plan.forward::<Self>(inputs).0
            }

            fn separable_of_normalized(
                input: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                mean: FloatTensor<Self>,
                variance: FloatTensor<Self>,
                depthwise: FloatTensor<Self>,
                pointwise: FloatTensor<Self>,
                plan: SeparablePlan,
            ) -> Output<Self> {
                let inputs = Inputs {
                    input,
                    norm: Some([gamma, beta, mean, variance]),
                    weights: [depthwise, pointwise],
                };
                plan.forward::<Self>(inputs).0
            }
        }
    };
}

#[cfg(feature = "flex")]
separable_in_memory!(Flex);
#[cfg(feature = "ndarray")]
separable_in_memory!(NdArray);

impl<B: HostBackend, C: CheckpointStrategy> SeparableBackend for Autodiff<B, C> {
    fn separable(
        input: FloatTensor<Self>,
        depthwise: FloatTensor<Self>,
        pointwise: FloatTensor<Self>,
        plan: SeparablePlan,
    ) -> Output<Self> {
        let nodes = [input.node(), depthwise.node(), pointwise.node()];
        let prepared = SeparableBackward.prepare::<C>(nodes).compute_bound();
        let constant = <Self as AutodiffBackend>::from_inner;
        let inputs = Inputs::<B> {
            input: input.clone().into_primitive(),
            norm: None,
            weights: [
                depthwise.clone().into_primitive(),
                pointwise.clone().into_primitive(),
            ],
        };
        match prepared.stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = [&input, &depthwise, &pointwise].map(|tensor| prep.checkpoint(tensor));
                let ((output, mean, variance), inner) = plan.forward::<B>(inputs);
                let output = prep.finish((saved, inner, plan), output);
                (output, constant(mean), constant(variance))
            }
            OpsKind::UnTracked(prep) => {
                let ((output, mean, variance), _) = plan.forward::<B>(inputs);
                (prep.finish(output), constant(mean), constant(variance))
            }
        }
    }

    fn separable_of_normalized(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        depthwise: FloatTensor<Self>,
        pointwise: FloatTensor<Self>,
        plan: SeparablePlan,
    ) -> Output<Self> {
        let tensors = [&input, &gamma, &beta, &depthwise, &pointwise];
        let nodes = tensors.map(|tensor| tensor.node());
        let prepared = NormalizedBackward.prepare::<C>(nodes).compute_bound();
        let constant = <Self as AutodiffBackend>::from_inner;
        let statistics = [mean.into_primitive(), variance.into_primitive()];
        let [mean, variance] = statistics.clone();
        let inputs = Inputs::<B> {
            input: input.clone().into_primitive(),
            norm: Some([
                gamma.clone().into_primitive(),
                beta.clone().into_primitive(),
                mean,
                variance,
            ]),
            weights: [
                depthwise.clone().into_primitive(),
                pointwise.clone().into_primitive(),
            ],
        };
        match prepared.stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = tensors.map(|tensor| prep.checkpoint(tensor));
                let ((output, mean, variance), inner) = plan.forward::<B>(inputs);
                let output = prep.finish((saved, statistics, inner, plan), output);
                (output, constant(mean), constant(variance))
            }
            OpsKind::UnTracked(prep) => {
                let ((output, mean, variance), _) = plan.forward::<B>(inputs);
                (prep.finish(output), constant(mean), constant(variance))
            }
        }
    }
}

/// The backward pass, to input and weights.
#[derive(Debug)]
struct SeparableBackward;

impl<B: HostBackend> Backward<B, 3> for SeparableBackward {
    /// Input and weights; the input of the pointwise convolution; the plan.
    type State = ([NodeId; 3], FloatTensor<B>, SeparablePlan);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (saved, inner, plan) = ops.state;
        let [input, depthwise, pointwise] =
            saved.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let inputs = Inputs::<B> {
            input,
            norm: None,
            weights: [depthwise, pointwise],
        };
        let nodes = ops.parents.into_iter().map(|node| node.map(|node| node.id));
        plan.backward::<B>(inputs, inner, gradient, nodes, gradients);
    }
}

/// The backward pass, to input, gamma, beta and weights.
#[derive(Debug)]
struct NormalizedBackward;

impl<B: HostBackend> Backward<B, 5> for NormalizedBackward {
    /// Input, gamma, beta and weights; mean and variance; the input of the pointwise convolution; the plan.
    type State = (
        [NodeId; 5],
        [FloatTensor<B>; 2],
        FloatTensor<B>,
        SeparablePlan,
    );

    fn backward(
        self,
        ops: Ops<Self::State, 5>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (saved, [mean, variance], inner, plan) = ops.state;
        let [input, gamma, beta, depthwise, pointwise] =
            saved.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let inputs = Inputs::<B> {
            input,
            norm: Some([gamma, beta, mean, variance]),
            weights: [depthwise, pointwise],
        };
        let nodes = ops.parents.into_iter().map(|node| node.map(|node| node.id));
        plan.backward::<B>(inputs, inner, gradient, nodes, gradients);
    }
}
