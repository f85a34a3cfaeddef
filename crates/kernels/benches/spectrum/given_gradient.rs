//! A loss with a given gradient, which costs nothing to compute: for timing a backward pass by itself.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::prelude::*;

/// Returns a zero whose gradient to `tensor` is `gradient`.
pub fn with_gradient(tensor: Tensor<4>, gradient: Tensor<4>) -> Tensor<1> {
    let (tensor, gradient) = (tensor.into_dispatch(), gradient.into_dispatch());
    Tensor::from_dispatch(<Dispatch as GivenGradient>::given(tensor, gradient))
}

/// The operation of [`with_gradient`].
#[backend_extension(Flex, Autodiff)]
pub trait GivenGradient: Backend {
    fn given(tensor: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self>;
}

fn zero<B: Backend>(tensor: &FloatTensor<B>) -> FloatTensor<B> {
    B::float_zeros([1].into(), &tensor.device(), tensor.dtype().into())
}

impl GivenGradient for Flex {
    fn given(tensor: FloatTensor<Self>, _gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        zero::<Self>(&tensor)
    }
}

impl<B: Backend, C: CheckpointStrategy> GivenGradient for Autodiff<B, C> {
    fn given(tensor: FloatTensor<Self>, gradient: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [tensor.node()];
        let zero = zero::<B>(&tensor.into_primitive());
        match Given.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(gradient.into_primitive(), zero),
            OpsKind::UnTracked(prep) => prep.finish(zero),
        }
    }
}

#[derive(Debug)]
struct Given;

impl<B: Backend> Backward<B, 1> for Given {
    /// The gradient.
    type State = FloatTensor<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        gradients.consume::<B>(&ops.node);
        if let Some(node) = ops.parents.into_iter().next().flatten() {
            gradients.register::<B>(node.id, ops.state);
        }
    }
}
