//! Depthwise convolution and its gradients.

mod strips;
mod weight_gradient;
mod weights;
mod window;

use burn_cubecl::tensor::CubeTensor;

use crate::convolution_shape::ConvolutionShape;

pub(super) use weight_gradient::weight_gradient;
use window::Window;

/// The columns that a unit computes of a row, so that it reads a pixel that several of them need once.
const COLUMNS: usize = 4;

/// Computes the output.
pub(super) fn forward(
    input: CubeTensor,
    weight: CubeTensor,
    bias: Option<CubeTensor>,
    shape: &ConvolutionShape,
) -> CubeTensor {
    let window = Window::forward(shape.geometry, COLUMNS);
    strips::compute(input, weight, bias, shape.output, window)
}

/// Computes the gradient of the input from that of the output, at channel multiplier 1.
pub(super) fn input_gradient(
    weight: CubeTensor,
    gradient: CubeTensor,
    shape: &ConvolutionShape,
) -> CubeTensor {
    let window = Window::transposed(shape.geometry, COLUMNS);
    strips::compute(gradient, weight, None, shape.input, window)
}
