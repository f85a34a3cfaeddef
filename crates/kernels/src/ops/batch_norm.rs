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
#[cfg(feature = "cube")]
use burn::backend::fusion::custom::TensorSpec;
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
    pub(super) fn kernel(&self, shape: [usize; 4]) -> BatchNorm {
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
    ) -> Three<B> {
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

    /// Computes the gradients of input, gamma and beta.
    fn backward<B: HostBackend>(
        &self,
        input: FloatTensor<B>,
        parameters: [FloatTensor<B>; 2],
        statistics: [FloatTensor<B>; 2],
        gradient: FloatTensor<B>,
    ) -> Three<B> {
        let (device, shape) = (gradient.device(), gradient.shape().dims());
        let [input, gradient] = [input, gradient].map(B::values);
        let ([gamma, beta], [mean, variance]) =
            (parameters.map(B::values), statistics.map(B::values));
        let kernel = self.kernel(shape);
        let result = kernel.backward(&input, [&gamma, &beta], [&mean, &variance], &gradient);
        let channels = [shape[1]];
        (
            B::from_values(result.input, shape, &device),
            B::from_values(result.gamma, channels, &device),
            B::from_values(result.beta, channels, &device),
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

/// Computes the mean and the biased variance of each channel.
fn statistics<B: HostBackend>(input: FloatTensor<B>) -> (FloatTensor<B>, FloatTensor<B>) {
    let (device, shape) = (input.device(), input.shape().dims());
    let settings = NormSettings {
        epsilon: 0.0,
        relu: false,
    };
    let (mean, variance) = settings.kernel(shape).batch_statistics(&B::values(input));
    let channels = [shape[1]];
    (
        B::from_values(mean, channels, &device),
        B::from_values(variance, channels, &device),
    )
}

/// The statistics of a batch, without a gradient.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"))]
pub trait StatisticsBackend: Backend {
    /// Computes the mean and the biased variance of each channel.
    fn batch_statistics(input: FloatTensor<Self>) -> (FloatTensor<Self>, FloatTensor<Self>);
}

#[cfg(feature = "flex")]
impl StatisticsBackend for Flex {
    fn batch_statistics(input: FloatTensor<Self>) -> (FloatTensor<Self>, FloatTensor<Self>) {
        statistics::<Self>(input)
    }
}

#[cfg(feature = "ndarray")]
impl StatisticsBackend for NdArray {
    fn batch_statistics(input: FloatTensor<Self>) -> (FloatTensor<Self>, FloatTensor<Self>) {
        statistics::<Self>(input)
    }
}

/// Three tensors: a normalized batch, the mean and the biased variance of each channel; or the gradients of input, gamma and beta.
type Three<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

/// Batch normalization by this crate's kernels, on the backends that have them.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "cube"),
    Autodiff
)]
pub trait BatchNormBackend: Backend {
    /// Normalizes a batch by its own statistics; returns it with the mean and the biased variance of each
    /// channel, which have no gradient.
    #[fusion(meta = normalized)]
    fn normalize_batch(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        settings: NormSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// The backward pass of batch normalization. It has no gradient of its own.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "cube")
)]
pub trait BatchNormGradientBackend: Backend {
    /// Computes the gradients of input, gamma and beta from that of the output.
    #[fusion(meta = gradients)]
    fn normalize_batch_backward(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        settings: NormSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// Describes the results of [`BatchNormBackend::normalize_batch`].
#[cfg(feature = "cube")]
fn normalized(
    input: &TensorSpec,
    gamma: &TensorSpec,
    _beta: &TensorSpec,
    _settings: &NormSettings,
) -> (TensorSpec, TensorSpec, TensorSpec) {
    (input.clone(), gamma.clone(), gamma.clone())
}

/// Describes the results of [`BatchNormGradientBackend::normalize_batch_backward`].
#[cfg(feature = "cube")]
fn gradients(
    input: &TensorSpec,
    gamma: &TensorSpec,
    _beta: &TensorSpec,
    _mean: &TensorSpec,
    _variance: &TensorSpec,
    _gradient: &TensorSpec,
    _settings: &NormSettings,
) -> (TensorSpec, TensorSpec, TensorSpec) {
    (input.clone(), gamma.clone(), gamma.clone())
}

/// Implements the operations by [`NormSettings::forward`] and [`NormSettings::backward`].
macro_rules! normalize_in_memory {
    ($backend:ty) => {
        impl BatchNormBackend for $backend {
            fn normalize_batch(
                input: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                settings: NormSettings,
            ) -> Three<Self> {
                settings.forward::<Self>(input, gamma, beta)
            }
        }

        impl BatchNormGradientBackend for $backend {
            fn normalize_batch_backward(
                input: FloatTensor<Self>,
                gamma: FloatTensor<Self>,
                beta: FloatTensor<Self>,
                mean: FloatTensor<Self>,
                variance: FloatTensor<Self>,
                gradient: FloatTensor<Self>,
                settings: NormSettings,
            ) -> Three<Self> {
                settings.backward::<Self>(input, [gamma, beta], [mean, variance], gradient)
            }
        }
    };
}

#[cfg(feature = "flex")]
normalize_in_memory!(Flex);
#[cfg(feature = "ndarray")]
normalize_in_memory!(NdArray);

impl<B, C> BatchNormBackend for Autodiff<B, C>
where
    B: BatchNormBackend + BatchNormGradientBackend,
    C: CheckpointStrategy,
{
    fn normalize_batch(
        input: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        settings: NormSettings,
    ) -> Three<Self> {
        let constant = <Self as AutodiffBackend>::from_inner;
        match BatchNormBackward
            .prepare::<C>([input.node(), gamma.node(), beta.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(mut prep) => {
                let saved = [&input, &gamma, &beta].map(|tensor| prep.checkpoint(tensor));
                let [input, gamma, beta] = [input, gamma, beta].map(|t| t.into_primitive());
                let (output, mean, variance) = B::normalize_batch(input, gamma, beta, settings);
                let state = (saved, [mean.clone(), variance.clone()], settings);
                let output = prep.finish(state, output);
                (output, constant(mean), constant(variance))
            }
            OpsKind::UnTracked(prep) => {
                let [input, gamma, beta] = [input, gamma, beta].map(|t| t.into_primitive());
                let (output, mean, variance) = B::normalize_batch(input, gamma, beta, settings);
                (prep.finish(output), constant(mean), constant(variance))
            }
        }
    }
}

/// The backward pass, to input, gamma and beta.
#[derive(Debug)]
struct BatchNormBackward;

impl<B: BatchNormGradientBackend> Backward<B, 3> for BatchNormBackward {
    /// Input, gamma and beta; mean and variance; the settings.
    type State = ([NodeId; 3], [FloatTensor<B>; 2], NormSettings);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (saved, [mean, variance], settings) = ops.state;
        let [input, gamma, beta] =
            saved.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let (input, gamma, beta) =
            B::normalize_batch_backward(input, gamma, beta, mean, variance, gradient, settings);
        for (node, result) in ops.parents.into_iter().zip([input, gamma, beta]) {
            if let Some(node) = node {
                gradients.register::<B>(node.id, result);
            }
        }
    }
}
