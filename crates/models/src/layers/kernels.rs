//! The choice between this project's kernels and Burn's operations, and its effect on each operation.

use burn::nn::BatchNorm;
use burn::prelude::*;
use burn::tensor::{DType, module};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xception_kernels::{
    Activation, Geometry, InputNorm, average_pool2d, batch_norm_train, batch_statistics,
    burn_average_pool2d, burn_conv2d, burn_max_pool2d, burn_transposed_conv2d, conv2d, max_pool2d,
    norm_max_pool2d_train, normalize, trains_norm_max_pool, transposed_conv2d,
};

/// The implementation of the layers' operations. The results agree up to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kernels {
    /// Operations of `xception-kernels`, which has native kernels for Burn's CPU backends and, in part, for graphics cards.
    #[default]
    Native,
    /// Burn's own operations.
    Burn,
}

/// The options that all layers of a network share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerOptions {
    /// Added to the variance by batch normalization.
    pub epsilon: f64,
    /// The implementation of the layers' operations.
    pub kernels: Kernels,
}

impl Kernels {
    /// Convolves, in any number of groups, in the element type of the input.
    ///
    /// # Shapes
    ///
    /// As [`conv2d`].
    pub(super) fn conv2d(
        &self,
        input: Tensor<4>,
        weight: Tensor<4>,
        bias: Option<Tensor<1>>,
        geometry: &Geometry,
        groups: usize,
    ) -> Tensor<4> {
        let weight = in_type_of(weight, &input);
        let bias = bias.map(|bias| in_type_of(bias, &input));
        match self {
            Self::Native => conv2d(input, weight, bias, geometry, groups),
            Self::Burn => burn_conv2d(input, weight, bias, geometry, groups),
        }
    }

    /// Applies the transpose of a convolution, to an output of `size` pixels, in the element type of the input.
    ///
    /// # Shapes
    ///
    /// As [`transposed_conv2d`].
    pub(super) fn transposed_conv2d(
        &self,
        input: Tensor<4>,
        weight: Tensor<4>,
        size: [usize; 2],
        geometry: &Geometry,
        groups: usize,
    ) -> Tensor<4> {
        let weight = in_type_of(weight, &input);
        match self {
            Self::Native => transposed_conv2d(input, weight, size, geometry, groups),
            Self::Burn => burn_transposed_conv2d(input, weight, size, geometry, groups),
        }
    }

    /// Takes the maximum over each window.
    pub(super) fn max_pool2d(&self, input: Tensor<4>, geometry: &Geometry) -> Tensor<4> {
        match self {
            Self::Native => max_pool2d(input, geometry),
            Self::Burn => burn_max_pool2d(input, geometry),
        }
    }

    /// Takes the mean over each window; `counts_padding` says whether padded zeros count in it.
    pub(super) fn average_pool2d(
        &self,
        input: Tensor<4>,
        geometry: &Geometry,
        counts_padding: bool,
    ) -> Tensor<4> {
        match self {
            Self::Native => average_pool2d(input, geometry, counts_padding),
            Self::Burn => burn_average_pool2d(input, geometry, counts_padding),
        }
    }

    /// Applies an activation to each element.
    pub(super) fn activate(&self, input: Tensor<4>, activation: Activation) -> Tensor<4> {
        match self {
            Self::Native => xception_kernels::activate(input, activation),
            Self::Burn => activation.burn(input),
        }
    }

    /// Applies batch normalization, followed by ReLU if `relu` is set. It is computed in the element type of its parameters and
    /// returned in that of the input.
    pub(super) fn normalize(&self, norm: &BatchNorm, input: Tensor<4>, relu: bool) -> Tensor<4> {
        // The condition of Burn's own layer: a frozen layer uses the running statistics.
        let trains = input.device().is_autodiff() && norm.training.is_enabled();
        if !trains && *self == Self::Native {
            return infer(norm, input, relu);
        }
        let output = match trains {
            true => self.train(norm, input, relu),
            false => {
                let element = input.dtype();
                norm.forward(at_least_single(input)).cast(element)
            }
        };
        match relu && *self == Self::Burn {
            true => Activation::Relu.burn(output),
            false => output,
        }
    }

    /// Returns whether [`normalize_and_pool`](Self::normalize_and_pool) serves: in training, where there is a kernel for it.
    pub(super) fn trains_as_pool(
        &self,
        norm: &BatchNorm,
        input: &Tensor<4>,
        geometry: &Geometry,
    ) -> bool {
        *self == Self::Native
            && input.device().is_autodiff()
            && norm.training.is_enabled()
            && trains_norm_max_pool(input, geometry)
    }

    /// Normalizes by the statistics of the batch, which are computed if they aren't given, and takes the maximum over each
    /// window. Moves the running statistics towards the batch's.
    pub(super) fn normalize_and_pool(
        &self,
        norm: &BatchNorm,
        input: Tensor<4>,
        statistics: Option<[Tensor<1>; 2]>,
        relu: bool,
        geometry: &Geometry,
    ) -> Tensor<4> {
        let [images, _, height, width] = input.dims();
        let statistics = statistics.unwrap_or_else(|| batch_statistics(&input));
        update_running(norm, statistics.clone(), images * height * width);
        let [mean, variance] = statistics;
        let norm = InputNorm {
            gamma: norm.gamma.val(),
            beta: norm.beta.val(),
            mean,
            variance,
            epsilon: norm.epsilon,
        };
        norm_max_pool2d_train(input, norm, relu, geometry)
    }

    /// Normalizes by the statistics of the batch, and moves the running statistics towards them. Only the native operation
    /// includes ReLU.
    fn train(&self, norm: &BatchNorm, input: Tensor<4>, relu: bool) -> Tensor<4> {
        let [images, _, height, width] = input.dims();
        let (gamma, beta) = (norm.gamma.val(), norm.beta.val());
        let (output, mean, variance) = match self {
            Self::Native => {
                let batch = batch_norm_train(input, gamma, beta, norm.epsilon, relu);
                (batch.output, batch.mean, batch.variance)
            }
            Self::Burn => {
                let (element, input) = (input.dtype(), at_least_single(input));
                let batch = module::batch_norm_train(input, gamma, beta, norm.epsilon);
                (batch.output.cast(element), batch.mean, batch.variance)
            }
        };
        update_running(norm, [mean, variance], images * height * width);
        output
    }
}

/// Moves the running statistics towards the mean and the biased variance of a batch with `count` values of each channel. The
/// running variance is an average of sample variances, `sum / (count - 1)`, as in PyTorch; Burn's own layer uses
/// `sum / count`.
pub(super) fn update_running(norm: &BatchNorm, [mean, variance]: [Tensor<1>; 2], count: usize) {
    let (device, count) = (mean.device(), count as f64);
    let variance = variance.mul_scalar(count / (count - 1.0).max(1.0));
    for (running, new) in [(&norm.running_mean, mean), (&norm.running_var, variance)] {
        let old = running.value_sync().to_device(&device);
        let old = old.mul_scalar(1.0 - norm.momentum);
        let updated = old.add(new.detach().mul_scalar(norm.momentum));
        running.update(updated.detach());
    }
}

/// Converts a tensor to the element type of another one, without a copy if it is of that type already: a layer computes in the
/// element type of its input, whatever that of its parameters is.
pub(super) fn in_type_of<const D: usize, const E: usize>(
    tensor: Tensor<D>,
    other: &Tensor<E>,
) -> Tensor<D> {
    tensor.cast(other.dtype())
}

/// Converts a tensor of half precision to `f32`; one of another element type stays as it is.
pub(crate) fn at_least_single<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    match tensor.dtype() {
        DType::F16 | DType::BF16 => tensor.cast(DType::F32),
        _ => tensor,
    }
}

/// Normalizes by the running statistics, as Burn's [`BatchNorm::forward`] does in inference.
fn infer(norm: &BatchNorm, input: Tensor<4>, relu: bool) -> Tensor<4> {
    let device = input.device();
    let statistics = [&norm.running_mean, &norm.running_var];
    let statistics = statistics.map(|running| running.value().to_device(&device));
    let parameters = [norm.gamma.val(), norm.beta.val()];
    normalize(input, parameters, statistics, norm.epsilon, relu)
}
