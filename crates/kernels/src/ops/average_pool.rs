//! Average pooling as an operation with a gradient of its own.

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
use crate::cpu::average_pool::AveragePool;

/// Sizes of an average pool.
#[derive(Debug, Clone)]
pub struct AveragePlan {
    input: [usize; 4],
    output: [usize; 4],
    kernel: Arc<AveragePool>,
}

impl AveragePlan {
    /// Returns the plan for an input of this shape, or `None` if the window doesn't fit.
    pub(crate) fn new(input: [usize; 4], geometry: Geometry, counts_padding: bool) -> Option<Self> {
        let kernel = AveragePool::new(input, geometry, counts_padding)?;
        let [batch, channels, ..] = input;
        let [rows, columns] = kernel.output();
        Some(Self {
            input,
            output: [batch, channels, rows, columns],
            kernel: Arc::new(kernel),
        })
    }

    /// Computes the output.
    fn forward<B: HostBackend>(&self, input: FloatTensor<B>) -> FloatTensor<B> {
        let device = input.device();
        let output = self.kernel.forward(&B::values(input));
        B::from_values(output, self.output, &device)
    }
}

/// Average pooling by this crate's kernel, on the backends that have it.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub trait AveragePoolBackend: Backend {
    /// Computes the mean of each window as the plan says.
    fn pool_mean(input: FloatTensor<Self>, plan: AveragePlan) -> FloatTensor<Self>;
}

#[cfg(feature = "flex")]
impl AveragePoolBackend for Flex {
    fn pool_mean(input: FloatTensor<Self>, plan: AveragePlan) -> FloatTensor<Self> {
        plan.forward::<Self>(input)
    }
}

#[cfg(feature = "ndarray")]
impl AveragePoolBackend for NdArray {
    fn pool_mean(input: FloatTensor<Self>, plan: AveragePlan) -> FloatTensor<Self> {
        plan.forward::<Self>(input)
    }
}

impl<B: HostBackend, C: CheckpointStrategy> AveragePoolBackend for Autodiff<B, C> {
    fn pool_mean(input: FloatTensor<Self>, plan: AveragePlan) -> FloatTensor<Self> {
        let prepared = AveragePoolBackward
            .prepare::<C>([input.node()])
            .compute_bound();
        let output = plan.forward::<B>(input.into_primitive());
        match prepared.stateful() {
            OpsKind::Tracked(prep) => prep.finish(plan, output),
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}

/// The backward pass, to the input.
#[derive(Debug)]
struct AveragePoolBackward;

impl<B: HostBackend> Backward<B, 1> for AveragePoolBackward {
    type State = AveragePlan;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let [parent] = ops.parents;
        if let Some(node) = parent {
            let plan = ops.state;
            let device = gradient.device();
            let result = plan.kernel.backward(&B::values(gradient));
            let result = B::from_values(result, plan.input, &device);
            gradients.register::<B>(node.id, result);
        }
    }
}
