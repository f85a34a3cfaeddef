//! Depthwise convolution for inference on graphics cards, with what comes before and after it.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, backend_extension};
use burn::tensor::Shape;

use crate::Activation;
use crate::convolution_shape::ConvolutionShape;

/// The activations around a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Activations {
    /// Whether the input is rectified first.
    pub input_relu: bool,
    /// The activation of the output.
    pub output: Activation,
}

impl Activations {
    /// No activation.
    pub(crate) const NONE: Self = Self {
        input_relu: false,
        output: Activation::None,
    };
}

/// Depthwise convolution for inference by this crate's kernel for graphics cards.
#[backend_extension(Cube, Fusion)]
pub trait DepthwiseInferenceBackend: Backend {
    /// Convolves each channel by itself, adds a bias to each output channel, and applies the activations.
    #[fusion(dtype = input, shape = Shape::from(shape.output))]
    fn infer_depthwise(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shape: ConvolutionShape,
        activations: Activations,
    ) -> FloatTensor<Self>;
}
