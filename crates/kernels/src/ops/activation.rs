//! Activations as an operation with a gradient of its own.

#[cfg(feature = "flex")]
use burn::backend::Flex;
#[cfg(feature = "ndarray")]
use burn::backend::NdArray;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata, backend_extension};

use super::host::HostBackend;
use crate::Activation;
use crate::cpu::activation::{backward, forward, in_place};

/// Activates a tensor, in place if there is no other reference to it.
fn activated<B: HostBackend>(input: FloatTensor<B>, activation: Activation) -> FloatTensor<B> {
    let (device, shape) = (input.device(), input.shape().dims::<4>());
    let output = match B::take_values(input) {
        Ok(mut values) => {
            in_place(activation, &mut values);
            values
        }
        Err(input) => forward(activation, &B::values(input)),
    };
    B::from_values(output, shape, &device)
}

/// Activations by this crate's kernels, on the backends that have it.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub trait ActivationBackend: Backend {
    /// Activates each element of a tensor of rank 4.
    fn activate(input: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self>;
}

#[cfg(feature = "flex")]
impl ActivationBackend for Flex {
    fn activate(input: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self> {
        activated::<Self>(input, activation)
    }
}

#[cfg(feature = "ndarray")]
impl ActivationBackend for NdArray {
    fn activate(input: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self> {
        activated::<Self>(input, activation)
    }
}

impl<B: HostBackend, C: CheckpointStrategy> ActivationBackend for Autodiff<B, C> {
    fn activate(input: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self> {
        match ActivationBackward
            .prepare::<C>([input.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let output = activated::<B>(input.into_primitive(), activation);
                prep.finish((output.clone(), activation), output)
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(activated::<B>(input.into_primitive(), activation))
            }
        }
    }
}

/// The backward pass, to the input.
#[derive(Debug)]
struct ActivationBackward;

impl<B: HostBackend> Backward<B, 1> for ActivationBackward {
    /// The output, and which activation gave it.
    type State = (FloatTensor<B>, Activation);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let [parent] = ops.parents;
        if let Some(node) = parent {
            let (device, shape) = (gradient.device(), gradient.shape().dims::<4>());
            let (output, activation) = ops.state;
            let result = backward(activation, &B::values(output), &B::values(gradient));
            let result = B::from_values(result, shape, &device);
            gradients.register::<B>(node.id, result);
        }
    }
}
