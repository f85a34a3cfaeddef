//! Convolution on the Cube backend.

use burn::backend::ops::{ConvOptions, ModuleOps};
use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;

use super::{depthwise, grouped};
use crate::convolution_shape::ConvolutionShape;
use crate::ops::ConvolutionBackend;

impl ConvolutionBackend for CubeBackend {
    fn convolve(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shape: ConvolutionShape,
    ) -> FloatTensor<Self> {
        match shape.is_depthwise() {
            true => depthwise::forward(input, weight, None, &shape),
            false => Self::conv2d(input, weight, None, options(&shape)),
        }
    }

    fn convolve_with_bias(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shape: ConvolutionShape,
    ) -> FloatTensor<Self> {
        match shape.is_depthwise() {
            true => depthwise::forward(input, weight, Some(bias), &shape),
            false => Self::conv2d(input, weight, Some(bias), options(&shape)),
        }
    }

    fn convolve_transposed(
        output: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shape: ConvolutionShape,
    ) -> FloatTensor<Self> {
        match shape.is_depthwise() && shape.multiplier() == 1 {
            true => depthwise::input_gradient(weight, output, &shape),
            false => grouped::input_gradient(weight, output, &shape),
        }
    }

    fn correlate(
        input: FloatTensor<Self>,
        output: FloatTensor<Self>,
        shape: ConvolutionShape,
    ) -> FloatTensor<Self> {
        match shape.is_depthwise() && shape.multiplier() == 1 {
            true => depthwise::weight_gradient(input, output, &shape),
            false => grouped::weight_gradient(input, output, &shape),
        }
    }
}

/// Returns the options of Burn's own convolution.
fn options(shape: &ConvolutionShape) -> ConvOptions<2> {
    let geometry = shape.geometry;
    ConvOptions::new_with_padding(
        geometry.stride,
        geometry.padding.pairs(),
        geometry.dilation,
        shape.groups,
    )
}
