//! Batch normalization as an operation with a gradient of its own.

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
use crate::cpu::batch_norm::BatchNorm;

/// The options of a batch normalization.
#[derive(Debug, Clone, Copy)]
pub struct NormSettings {
    /// Added to the variance.
    pub epsilon: f64,
    /// Whether ReLU follows.
    pub relu: bool,
}

impl NormSettings {
    /// Returns the kernel for a batch of this shape.
    fn kernel(&self, shape: [usize; 4]) -> BatchNorm {
        let [batch, channels, height, width] = shape;
        BatchNorm {
            batch,
            channels,
            pixels: height * width,
            epsilon: self.epsilon,
            relu: self.relu,
        }
    }

    /// Normalizes a batch by its own statistics.
    fn forward<B: HostBackend>(
        &self,
        input: FloatTensor<B>,
        gamma: FloatTensor<B>,
        beta: FloatTensor<B>,
    ) -> Output<B> {
        let (device, shape) = (input.device(), input.shape().dims());
        let (input, gamma, beta) = (B::values(input), B::values(gamma), B::values(beta));
        let normalized = self.kernel(shape).forward(&input, &gamma, &beta);
        let channels = [shape[1]];
        (
            B::from_values(normalized.output, shape, &device),
            B::from_values(normalized.mean, channels, &device),
            B::from_values(normalized.variance, channels, &device),
        )
    }
}

/// Normalizes by given statistics, in place if there is no other reference to the input.
fn apply<B: HostBackend>(
    input: FloatTensor<B>,
    parameters: [FloatTensor<B>; 2],
    statistics: [FloatTensor<B>; 2],
    settings: NormSettings,
) -> FloatTensor<B> {
    let (device, shape) = (input.device(), input.shape().dims());
    let mut values = match B::take_values(input) {
        Ok(values) => values,
        Err(input) => B::values(input).to_vec(),
    };
    let (parameters, statistics) = (parameters.map(B::values), statistics.map(B::values));
    let parameters = [&parameters[0][..], &parameters[1][..]];
    let statistics = [&statistics[0][..], &statistics[1][..]];
    let kernel = settings.kernel(shape);
    kernel.apply(&mut values, parameters, statistics);
    B::from_values(values, shape, &device)
}

/// Normalization by given statistics, for inference: without a gradient.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"))]
pub trait NormalizeBackend: Backend {
    /// Normalizes a batch by these statistics of its channels.
    fn normalize_by(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        settings: NormSettings,
    ) -> FloatTensor<Self>;
}

#[cfg(feature = "flex")]
impl NormalizeBackend for Flex {
    fn normalize_by(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        settings: NormSettings,
    ) -> FloatTensor<Self> {
        apply::<Self>(input, [gamma, beta], [mean, variance], settings)
    }
}

#[cfg(feature = "ndarray")]
impl NormalizeBackend for NdArray {
    fn normalize_by(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        settings: NormSettings,
    ) -> FloatTensor<Self> {
        apply::<Self>(input, [gamma, beta], [mean, variance], settings)
    }
}

/// The normalized batch, the mean and the biased variance of each channel.
type Output<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

/// Batch normalization by this crate's kernels, on the backends that have them.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub trait BatchNormBackend: Backend {
    /// Normalizes a batch by its own statistics; returns it with the mean and the biased variance of each
    /// channel, which have no gradient.
    fn normalize_batch(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        settings: NormSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

#[cfg(feature = "flex")]
impl BatchNormBackend for Flex {
    fn normalize_batch(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        settings: NormSettings,
    ) -> Output<Self> {
        settings.forward::<Self>(input, gamma, beta)
    }
}

#[cfg(feature = "ndarray")]
impl BatchNormBackend for NdArray {
    fn normalize_batch(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        settings: NormSettings,
    ) -> Output<Self> {
        settings.forward::<Self>(input, gamma, beta)
    }
}

impl<B: HostBackend, C: CheckpointStrategy> BatchNormBackend for Autodiff<B, C> {
    fn normalize_batch(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        settings: NormSettings,
    ) -> Output<Self> {
        let constant = <Self as AutodiffBackend>::from_inner;
        match BatchNormBackward
            .prepare::<C>([input.node(), gamma.node(), beta.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let saved = [&input, &gamma, &beta].map(|tensor| prep.checkpoint(tensor));
                let (output, mean, variance) = settings.forward::<B>(
                    input.into_primitive(),
                    gamma.into_primitive(),
                    beta.into_primitive(),
                );
                let state = (saved, [mean.clone(), variance.clone()], settings);
                let output = prep.finish(state, output);
                (output, constant(mean), constant(variance))
            }
            OpsKind::UnTracked(prep) => {
                let (output, mean, variance) = settings.forward::<B>(
                    input.into_primitive(),
                    gamma.into_primitive(),
                    beta.into_primitive(),
                );
                (prep.finish(output), constant(mean), constant(variance))
            }
        }
    }
}

/// The backward pass, to input, gamma and beta.
#[derive(Debug)]
struct BatchNormBackward;

impl<B: HostBackend> Backward<B, 3> for BatchNormBackward {
    /// Input, gamma and beta; mean and variance; the settings.
    type State = ([NodeId; 3], [FloatTensor<B>; 2], NormSettings);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (saved, statistics, settings) = ops.state;
        let [input, gamma, beta] =
            saved.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let (device, shape) = (gradient.device(), gradient.shape().dims());
        let [input, gamma, beta, gradient] = [input, gamma, beta, gradient].map(B::values);
        let [mean, variance] = statistics.map(B::values);
        let result =
            settings
                .kernel(shape)
                .backward(&input, [&gamma, &beta], [&mean, &variance], &gradient);
        let channels = [shape[1]];
        let [node_input, node_gamma, node_beta] = ops.parents;
        if let Some(node) = node_input {
            let result = B::from_values(result.input, shape, &device);
            gradients.register::<B>(node.id, result);
        }
        if let Some(node) = node_gamma {
            let result = B::from_values(result.gamma, channels, &device);
            gradients.register::<B>(node.id, result);
        }
        if let Some(node) = node_beta {
            let result = B::from_values(result.beta, channels, &device);
            gradients.register::<B>(node.id, result);
        }
    }
}
