//! Transposed depthwise convolutions for inference, on tensors with trailing channels.

use std::sync::Arc;

use burn::prelude::*;
use pulp::Arch;

use crate::channel_order::{leading_channels, trailing_channels};
use crate::cpu::fused::{TransposedDepthwise, Weights};
use crate::inference::{constant, infer, rectification, values};
use crate::native::is_native;
use crate::ops::InferencePlan;
use crate::{Epilogue, Geometry, burn_transposed_conv2d};

/// The transpose of a depthwise convolution for inference, with a bias, an optional residual addition and an activation.
/// It has no gradient.
///
/// Tensors have trailing channels, `[batch, height, width, channels]`. Made with `native`, it is one pass over the output
/// by this crate's kernel for `f32` on a device for which [`runs_natively`](crate::runs_natively) holds
/// ([`Activation::Elu`](crate::Activation::Elu) is a second pass). Else it is composed of Burn's own operations, with the
/// same results up to rounding.
///
/// # Examples
///
/// ```
/// use burn::prelude::*;
/// use xception_kernels::{Epilogue, FusedTransposedDepthwise, Geometry};
///
/// let device = Device::flex();
/// let weight = Tensor::ones([4, 1, 3, 3], &device);
/// let geometry = Geometry::same(3).with_stride(2);
/// let convolution = FusedTransposedDepthwise::new(weight, Tensor::zeros([4], &device), geometry, true);
/// let input = Tensor::ones([1, 16, 16, 4], &device);
/// let output = convolution.forward(input, [32, 31], Epilogue::default());
/// assert_eq!(output.dims(), [1, 32, 31, 4]);
/// ```
#[derive(Debug, Clone)]
pub struct FusedTransposedDepthwise {
    kernel: Kernel,
}

#[derive(Debug, Clone)]
enum Kernel {
    Native(Arc<TransposedDepthwise>),
    Composed(Box<Composed>),
}

/// The convolution in Burn's operations.
#[derive(Debug, Clone)]
struct Composed {
    weight: Tensor<4>,
    bias: Tensor<1>,
    geometry: Geometry,
}

impl Composed {
    fn forward(&self, input: Tensor<4>, size: [usize; 2], epilogue: Epilogue) -> Tensor<4> {
        let (input, weight) = (leading_channels(input), self.weight.clone());
        let [channels] = self.bias.dims();
        let output = burn_transposed_conv2d(input, weight, size, &self.geometry, channels);
        let bias = self.bias.clone().reshape([1, 1, 1, channels]);
        let mut output = trailing_channels(output) + bias;
        if let Some(residual) = epilogue.residual {
            output = output + residual;
        }
        epilogue.activation.burn(output)
    }
}

impl FusedTransposedDepthwise {
    /// Makes the transpose of a depthwise convolution with this geometry.
    ///
    /// `native` is whether this crate's kernel may compute it.
    ///
    /// # Shapes
    ///
    /// - `weight`: `[channels, 1, kernel_height, kernel_width]`
    /// - `bias`: `[channels]`
    ///
    /// Shapes that don't fit make [`forward`](Self::forward) panic.
    pub fn new(weight: Tensor<4>, bias: Tensor<1>, geometry: Geometry, native: bool) -> Self {
        let (weight, bias) = (constant(weight), constant(bias));
        let [channels] = bias.dims();
        let [rows, columns] = geometry.kernel;
        let fits = weight.dims() == [channels, 1, rows, columns];
        let native = native && fits && is_native(&weight) && is_native(&bias);
        let kernel = match (values(&weight), values(&bias)) {
            (Some(weight), Some(bias)) if native => {
                let weights = Weights {
                    weight: &weight,
                    bias: &bias,
                };
                let packed = TransposedDepthwise::new(Arch::new(), &weights, geometry);
                Kernel::Native(Arc::new(packed))
            }
            _ => Kernel::Composed(Box::new(Composed {
                weight,
                bias,
                geometry,
            })),
        };
        Self { kernel }
    }

    /// Convolves a tensor with trailing channels to an output of this height and width.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, height, width, channels]`, with `[height, width]` the
    ///   [`output_size`](Geometry::output_size) of `size`
    /// - output: `[batch, size[0], size[1], channels]`
    ///
    /// # Panics
    ///
    /// If the shapes don't fit, or the input or the residual has another element type or is on another backend than the
    /// weights.
    pub fn forward(&self, input: Tensor<4>, size: [usize; 2], epilogue: Epilogue) -> Tensor<4> {
        let input = constant(input);
        let epilogue = Epilogue {
            residual: epilogue.residual.map(constant),
            ..epilogue
        };
        match &self.kernel {
            Kernel::Native(convolution) => run_native(convolution, input, size, epilogue),
            Kernel::Composed(composed) => composed.forward(input, size, epilogue),
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "documented, as Burn's own operations do it"
)]
fn run_native(
    convolution: &Arc<TransposedDepthwise>,
    input: Tensor<4>,
    size: [usize; 2],
    epilogue: Epilogue,
) -> Tensor<4> {
    let rectify = rectification(epilogue.activation);
    let plan = InferencePlan::transposed_depthwise(convolution, rectify, input.dims(), size);
    let plan = plan.expect("an input that fits the convolution and the size of the output");
    infer(plan, input, epilogue)
}
