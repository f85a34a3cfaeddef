//! Rectified linear unit as an operation with a gradient of its own.

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
use crate::cpu::relu::{backward, forward, in_place};

/// Rectifies a tensor, in place if there is no other reference to it.
fn rectified<B: HostBackend>(input: FloatTensor<B>) -> FloatTensor<B> {
    let (device, shape) = (input.device(), input.shape().dims::<4>());
    let output = match B::take_values(input) {
        Ok(mut values) => {
            in_place(&mut values);
            values
        }
        Err(input) => forward(&B::values(input)),
    };
    B::from_values(output, shape, &device)
}

/// ReLU by this crate's kernel, on the backends that have it.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub trait ReluBackend: Backend {
    /// Computes `max(0, x)` of each element of a tensor of rank 4, NaN for NaN.
    fn rectify(input: FloatTensor<Self>) -> FloatTensor<Self>;
}

#[cfg(feature = "flex")]
impl ReluBackend for Flex {
    fn rectify(input: FloatTensor<Self>) -> FloatTensor<Self> {
        rectified::<Self>(input)
    }
}

#[cfg(feature = "ndarray")]
impl ReluBackend for NdArray {
    fn rectify(input: FloatTensor<Self>) -> FloatTensor<Self> {
        rectified::<Self>(input)
    }
}

impl<B: HostBackend, C: CheckpointStrategy> ReluBackend for Autodiff<B, C> {
    fn rectify(input: FloatTensor<Self>) -> FloatTensor<Self> {
        match ReluBackward
            .prepare::<C>([input.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let output = rectified::<B>(input.into_primitive());
                prep.finish(output.clone(), output)
            }
            OpsKind::UnTracked(prep) => prep.finish(rectified::<B>(input.into_primitive())),
        }
    }
}

/// The backward pass, to the input.
#[derive(Debug)]
struct ReluBackward;

impl<B: HostBackend> Backward<B, 1> for ReluBackward {
    /// The output.
    type State = FloatTensor<B>;

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
            let result = backward(&B::values(ops.state), &B::values(gradient));
            let result = B::from_values(result, shape, &device);
            gradients.register::<B>(node.id, result);
        }
    }
}
