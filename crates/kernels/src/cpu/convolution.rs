//! Convolution by the kernel that is made for its shape.

use super::dense::Dense;
use super::depthwise::Depthwise;
use super::grouped::Grouped;
use super::pointwise::{Pointwise, subsample, upsample};
use crate::convolution_shape::ConvolutionShape;

/// A kernel, with the sizes that it needs.
#[derive(Debug, Clone)]
pub(crate) enum Convolution {
    Depthwise(Depthwise),
    /// A pointwise convolution, of every `stride`-th pixel of an input of this height and width.
    Pointwise(Pointwise, [usize; 2], [usize; 2]),
    Grouped(Grouped),
    Dense(Dense),
}

impl Convolution {
    /// Returns the kernel for a convolution of these sizes.
    pub(crate) fn new(shape: &ConvolutionShape) -> Self {
        let [batch, channels, height, width] = shape.input;
        let [_, outputs, rows, columns] = shape.output;
        let [input, output] = [[height, width], [rows, columns]];
        let (geometry, groups) = (shape.geometry, shape.groups);
        let grouped = Grouped {
            batch,
            groups,
            inputs: channels / groups,
            outputs: outputs / groups,
            input,
            output,
            geometry,
        };
        if shape.is_depthwise() {
            Self::Depthwise(Depthwise {
                batch,
                channels,
                multiplier: shape.multiplier(),
                input,
                output,
                geometry,
            })
        } else if groups > 1 || grouped.has_few_channels() {
            Self::Grouped(grouped)
        } else if geometry.is_pointwise() {
            let pointwise = Pointwise {
                batch,
                inputs: channels,
                outputs,
                pixels: rows * columns,
            };
            Self::Pointwise(pointwise, input, geometry.stride)
        } else {
            Self::Dense(Dense {
                batch,
                channels,
                outputs,
                groups: 1,
                input,
                output,
                geometry,
            })
        }
    }

    /// Computes the output.
    pub(crate) fn forward(&self, input: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        match self {
            Self::Depthwise(kernel) => kernel.forward(input, weight, bias),
            Self::Pointwise(kernel, _, [1, 1]) => kernel.forward(input, weight, bias),
            Self::Pointwise(kernel, size, stride) => {
                let input = subsample(input, *size, *stride);
                kernel.forward(&input, weight, bias)
            }
            Self::Grouped(kernel) => kernel.forward(input, weight, bias),
            Self::Dense(kernel) => kernel.forward(input, weight, bias),
        }
    }

    /// Computes the gradient of the input from that of the output.
    pub(crate) fn input_gradient(&self, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
        match self {
            Self::Depthwise(kernel) => kernel.input_gradient(weight, gradient),
            Self::Pointwise(kernel, _, [1, 1]) => kernel.input_gradient(weight, gradient),
            Self::Pointwise(kernel, size, stride) => {
                let pixels = kernel.input_gradient(weight, gradient);
                upsample(&pixels, *size, *stride)
            }
            Self::Grouped(kernel) => kernel.input_gradient(weight, gradient),
            Self::Dense(kernel) => kernel.input_gradient(weight, gradient),
        }
    }

    /// Computes the gradient of the weight from the input and the gradient of the output.
    pub(crate) fn weight_gradient(&self, input: &[f32], gradient: &[f32]) -> Vec<f32> {
        match self {
            Self::Depthwise(kernel) => kernel.weight_gradient(input, gradient),
            Self::Pointwise(kernel, _, [1, 1]) => kernel.weight_gradient(input, gradient),
            Self::Pointwise(kernel, size, stride) => {
                let input = subsample(input, *size, *stride);
                kernel.weight_gradient(&input, gradient)
            }
            Self::Grouped(kernel) => kernel.weight_gradient(input, gradient),
            Self::Dense(kernel) => kernel.weight_gradient(input, gradient),
        }
    }
}
