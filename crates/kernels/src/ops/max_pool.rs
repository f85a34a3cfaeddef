//! Max pooling as an operation with a gradient of its own.

use std::sync::Arc;

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
use crate::Geometry;
use crate::cpu::max_pool::MaxPool;

/// Sizes of a max pool.
#[derive(Debug, Clone, Copy)]
pub struct PoolPlan {
    pub(super) input: [usize; 4],
    pub(super) output: [usize; 4],
    pub(super) kernel: MaxPool,
}

impl PoolPlan {
    /// Returns the plan for an input of this shape, or `None` if the kernel doesn't serve.
    pub(crate) fn new(input: [usize; 4], geometry: Geometry) -> Option<Self> {
        let [batch, channels, height, width] = input;
        let [rows, columns] = geometry.output_size([height, width])?;
        MaxPool::serves(&geometry).then_some(Self {
            input,
            output: [batch, channels, rows, columns],
            kernel: MaxPool {
                planes: batch * channels,
                input: [height, width],
                output: [rows, columns],
                geometry,
            },
        })
    }

    /// Computes the output.
    fn forward<B: HostBackend>(&self, input: FloatTensor<B>) -> FloatTensor<B> {
        let device = input.device();
        let output = self.kernel.forward(&B::values(input));
        B::from_values(output, self.output, &device)
    }
}

/// Max pooling by this crate's kernel, on the backends that have it.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub trait MaxPoolBackend: Backend {
    /// Computes the maximum of each window as the plan says.
    fn pool_maximum(input: FloatTensor<Self>, plan: PoolPlan) -> FloatTensor<Self>;
}

#[cfg(feature = "flex")]
impl MaxPoolBackend for Flex {
    fn pool_maximum(input: FloatTensor<Self>, plan: PoolPlan) -> FloatTensor<Self> {
        plan.forward::<Self>(input)
    }
}

#[cfg(feature = "ndarray")]
impl MaxPoolBackend for NdArray {
    fn pool_maximum(input: FloatTensor<Self>, plan: PoolPlan) -> FloatTensor<Self> {
        plan.forward::<Self>(input)
    }
}

impl<B: HostBackend, C: CheckpointStrategy> MaxPoolBackend for Autodiff<B, C> {
    fn pool_maximum(input: FloatTensor<Self>, plan: PoolPlan) -> FloatTensor<Self> {
        let prepared = MaxPoolBackward.prepare::<C>([input.node()]).compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(prep) => {
                let input = input.into_primitive();
                let device = input.device();
                let (output, indices) = plan.kernel.forward_with_indices(&B::values(input));
                let output = B::from_values(output, plan.output, &device);
                prep.finish((plan, Arc::new(indices)), output)
            }
            OpsKind::UnTracked(prep) => prep.finish(plan.forward::<B>(input.into_primitive())),
        }
    }
}

/// The backward pass, to the input.
#[derive(Debug)]
struct MaxPoolBackward;

impl<B: HostBackend> Backward<B, 1> for MaxPoolBackward {
    /// The maxima's indices in their windows.
    type State = (PoolPlan, Arc<Vec<u8>>);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let [parent] = ops.parents;
        if let Some(node) = parent {
            let (plan, indices) = ops.state;
            let device = gradient.device();
            let result = plan.kernel.backward(&indices, &B::values(gradient));
            let result = B::from_values(result, plan.input, &device);
            gradients.register::<B>(node.id, result);
        }
    }
}
