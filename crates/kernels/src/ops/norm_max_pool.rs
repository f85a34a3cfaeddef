//! Batch normalization with a max pool as an operation with a gradient of its own.

use std::sync::Arc;

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
use burn::backend::{Autodiff, Backend, TensorMetadata, backend_extension};

use super::batch_norm::NormSettings;
use super::host::HostBackend;
use super::max_pool::PoolPlan;
use crate::cpu::norm_max_pool::NormMaxPool;

/// The options of a batch normalization, and the sizes of the max pool that follows.
#[derive(Debug, Clone, Copy)]
pub struct NormMaxPoolPlan {
    pub(crate) settings: NormSettings,
    pub(crate) pool: PoolPlan,
}

/// Gamma, beta, mean and variance.
type Norm<B> = [FloatTensor<B>; 4];

impl NormMaxPoolPlan {
    fn kernel(&self) -> NormMaxPool {
        NormMaxPool {
            norm: self.settings.kernel(self.pool.input),
            pool: self.pool.kernel,
        }
    }

    /// Computes the output, and the maxima's indices in their windows.
    fn forward<B: HostBackend>(
        &self,
        input: FloatTensor<B>,
        norm: Norm<B>,
    ) -> (FloatTensor<B>, Vec<u8>) {
        let device = input.device();
        let [gamma, beta, mean, variance] = norm.map(B::values);
        let (parameters, statistics) = ([&gamma[..], &beta[..]], [&mean[..], &variance[..]]);
        let input = B::values(input);
        let (output, indices) = self.kernel().forward(&input, parameters, statistics);
        (B::from_values(output, self.pool.output, &device), indices)
    }

    /// Computes the gradients of input, gamma and beta.
    fn backward<B: HostBackend>(
        &self,
        input: FloatTensor<B>,
        norm: Norm<B>,
        indices: &[u8],
        gradient: FloatTensor<B>,
    ) -> [FloatTensor<B>; 3] {
        let device = gradient.device();
        let [gamma, beta, mean, variance] = norm.map(B::values);
        let (parameters, statistics) = ([&gamma[..], &beta[..]], [&mean[..], &variance[..]]);
        let (input, gradient) = (B::values(input), B::values(gradient));
        let kernel = self.kernel();
        let result = kernel.backward(&input, parameters, statistics, indices, &gradient);
        let channels = [self.pool.input[1]];
        [
            B::from_values(result.input, self.pool.input, &device),
            B::from_values(result.gamma, channels, &device),
            B::from_values(result.beta, channels, &device),
        ]
    }
}

/// Batch normalization with a max pool by this crate's kernel, on the backends that have it.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub trait NormMaxPoolBackend: Backend {
    /// Normalizes a batch by the mean and the variance that its channels have, and computes the maximum of each window.
    fn normalize_and_pool(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        plan: NormMaxPoolPlan,
    ) -> FloatTensor<Self>;
}

/// Implements the operation by [`NormMaxPoolPlan::forward`].
macro_rules! pool_in_memory {
    ($backend:ty) => {
        impl NormMaxPoolBackend for $backend {
            fn normalize_and_pool(
                input: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                mean: FloatTensor<Self>,
                variance: FloatTensor<Self>,
                plan: NormMaxPoolPlan,
            ) -> FloatTensor<Self> {
                plan.forward::<Self>(input, [gamma, beta, mean, variance]).0
            }
        }
    };
}

#[cfg(feature = "flex")]
pool_in_memory!(Flex);
#[cfg(feature = "ndarray")]
pool_in_memory!(NdArray);

impl<B: HostBackend, C: CheckpointStrategy> NormMaxPoolBackend for Autodiff<B, C> {
    fn normalize_and_pool(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        plan: NormMaxPoolPlan,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), gamma.node(), beta.node()];
        let statistics = [mean.into_primitive(), variance.into_primitive()];
        let [mean, variance] = statistics.clone();
        let tensors = [&input, &gamma, &beta];
        let [values, of_gamma, of_beta] = tensors.map(|tensor| tensor.clone().into_primitive());
        let (output, indices) = plan.forward::<B>(values, [of_gamma, of_beta, mean, variance]);
        let prepared = NormMaxPoolBackward.prepare::<C>(nodes).compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = tensors.map(|tensor| prep.checkpoint(tensor));
                prep.finish((saved, statistics, Arc::new(indices), plan), output)
            }
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}

/// The backward pass, to input, gamma and beta.
#[derive(Debug)]
struct NormMaxPoolBackward;

impl<B: HostBackend> Backward<B, 3> for NormMaxPoolBackward {
    /// Input, gamma and beta; mean and variance; the maxima's indices in their windows; the plan.
    type State = (
        [NodeId; 3],
        [FloatTensor<B>; 2],
        Arc<Vec<u8>>,
        NormMaxPoolPlan,
    );

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (saved, [mean, variance], indices, plan) = ops.state;
        let [input, gamma, beta] =
            saved.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let results = plan.backward::<B>(input, [gamma, beta, mean, variance], &indices, gradient);
        for (node, result) in ops.parents.into_iter().zip(results) {
            if let Some(node) = node {
                gradients.register::<B>(node.id, result);
            }
        }
    }
}
