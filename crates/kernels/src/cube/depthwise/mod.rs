//! Depthwise convolution and its gradients.

mod strips;
mod tune;
mod weight_gradient;
mod weights;
mod window;

use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use crate::convolution_shape::ConvolutionShape;
use crate::ops::{Activations, DepthwiseInferenceBackend};

use tune::Strips;
pub(super) use weight_gradient::weight_gradient;

/// Computes the output.
pub(super) fn forward(
    input: CubeTensor,
    weight: CubeTensor,
    bias: Option<CubeTensor>,
    shape: &ConvolutionShape,
) -> CubeTensor {
    Strips {
        source: input,
        weight,
        bias,
        result: shape.output,
        geometry: shape.geometry,
        transposed: false,
        activations: Activations::NONE,
    }
    .compute()
}

impl DepthwiseInferenceBackend for CubeBackend {
    fn infer_depthwise(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shape: ConvolutionShape,
        activations: Activations,
    ) -> FloatTensor<Self> {
        Strips {
            source: input,
            weight,
            bias: Some(bias),
            result: shape.output,
            geometry: shape.geometry,
            transposed: false,
            activations,
        }
        .compute()
    }
}

/// Computes the gradient of the input from that of the output, at channel multiplier 1.
pub(super) fn input_gradient(
    weight: CubeTensor,
    gradient: CubeTensor,
    shape: &ConvolutionShape,
) -> CubeTensor {
    Strips {
        source: gradient,
        weight,
        bias: None,
        result: shape.input,
        geometry: shape.geometry,
        transposed: true,
        activations: Activations::NONE,
    }
    .compute()
}
