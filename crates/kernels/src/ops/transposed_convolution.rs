//! Transposed convolution as an operation with gradients of its own.

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
use burn::backend::{Autodiff, Backend, backend_extension};

use super::convolution::Plan;
use super::host::HostBackend;

/// Transposed convolution by this crate's kernels, on the backends that have them.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub trait TransposedConvolutionBackend: Backend {
    /// Applies the transpose of the plan's convolution: to what has the shape of its output.
    fn convolve_transposed(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        plan: Plan,
    ) -> FloatTensor<Self>;
}

/// Implements the operation by [`Plan::input_gradient`]: the gradient of a linear function is its transpose.
macro_rules! convolve_transposed_in_memory {
    ($backend:ty) => {
        impl TransposedConvolutionBackend for $backend {
            fn convolve_transposed(
                input: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                plan: Plan,
            ) -> FloatTensor<Self> {
                plan.input_gradient::<Self>(weight, input)
            }
        }
    };
}

#[cfg(feature = "flex")]
convolve_transposed_in_memory!(Flex);
#[cfg(feature = "ndarray")]
convolve_transposed_in_memory!(NdArray);

impl<B: HostBackend, C: CheckpointStrategy> TransposedConvolutionBackend for Autodiff<B, C> {
    fn convolve_transposed(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        plan: Plan,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), weight.node()];
        let prepared = TransposedBackward.prepare::<C>(nodes).compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = [prep.checkpoint(&input), prep.checkpoint(&weight)];
                let (input, weight) = (input.into_primitive(), weight.into_primitive());
                let output = plan.input_gradient::<B>(weight, input);
                prep.finish((saved, plan), output)
            }
            OpsKind::UnTracked(prep) => {
                let (input, weight) = (input.into_primitive(), weight.into_primitive());
                prep.finish(plan.input_gradient::<B>(weight, input))
            }
        }
    }
}

/// The backward pass, to input and weight.
#[derive(Debug)]
struct TransposedBackward;

impl<B: HostBackend> Backward<B, 2> for TransposedBackward {
    /// Input and weight, and the plan of the convolution that is transposed.
    type State = ([NodeId; 2], Plan);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let ([input, weight], plan) = ops.state;
        let input = checkpointer.retrieve_node_output::<FloatTensor<B>>(input);
        let weight = checkpointer.retrieve_node_output::<FloatTensor<B>>(weight);
        let [input_node, weight_node] = ops.parents;
        if let Some(node) = input_node {
            let result = plan.forward::<B>(gradient.clone(), weight, None);
            gradients.register::<B>(node.id, result);
        }
        if let Some(node) = weight_node {
            let result = plan.weight_gradient::<B>(gradient, input);
            gradients.register::<B>(node.id, result);
        }
    }
}
