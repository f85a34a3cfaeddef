//! Convolutions for inference that are composed of several operations.

use burn::prelude::*;

use crate::channel_order::trailing_channels;
use crate::{Activation, Epilogue, FusedDepthwise, Geometry, burn_conv2d};

/// A convolution composed of Burn's operations, and on graphics cards of this crate's too.
#[derive(Debug, Clone)]
pub(crate) struct ComposedConv2d {
    pub(crate) depthwise: Option<FusedDepthwise>,
    pub(crate) weight: Tensor<4>,
    pub(crate) bias: Tensor<1>,
    pub(crate) geometry: Geometry,
    pub(crate) groups: usize,
    /// Whether this crate's kernels may compute it, on a graphics card.
    #[cfg_attr(not(feature = "cube"), expect(dead_code))]
    pub(crate) native: bool,
}

impl ComposedConv2d {
    /// Makes what is the same in every pass.
    pub(crate) fn prepared(self) -> Self {
        #[cfg(feature = "cube")]
        {
            self.with_depthwise_bias()
        }
        #[cfg(not(feature = "cube"))]
        {
            self
        }
    }

    /// Convolves `[batch, channels, height, width]`; the output has trailing channels.
    pub(crate) fn run(&self, input: Tensor<4>, epilogue: Epilogue) -> Tensor<4> {
        #[cfg(feature = "cube")]
        if self.native && crate::native::is_on_cube(&input) {
            return self.run_on_cube(input, epilogue);
        }
        let mut x = input;
        if let Some(depthwise) = &self.depthwise {
            x = convolve_depthwise(depthwise, x);
        }
        self.convolve(x, epilogue)
    }

    /// Applies the last convolution and the epilogue by Burn's operations.
    fn convolve(&self, input: Tensor<4>, epilogue: Epilogue) -> Tensor<4> {
        let bias = Some(self.bias.clone());
        let output = burn_conv2d(
            input,
            self.weight.clone(),
            bias,
            &self.geometry,
            self.groups,
        );
        let mut output = trailing_channels(output);
        if let Some(residual) = epilogue.residual {
            output = output + residual;
        }
        epilogue.activation.burn(output)
    }
}

/// Applies the depthwise part of a separable convolution by Burn's operations.
fn convolve_depthwise(depthwise: &FusedDepthwise, input: Tensor<4>) -> Tensor<4> {
    let input = match depthwise.input_relu {
        true => Activation::Relu.burn(input),
        false => input,
    };
    let (weight, bias) = (depthwise.weight.clone(), depthwise.bias.clone());
    let x = burn_conv2d(input, weight, bias, &depthwise.geometry, depthwise.channels);
    depthwise.activation.burn(x)
}

/// What runs on graphics cards.
#[cfg(feature = "cube")]
mod on_cube {
    use burn::backend::Dispatch;

    use super::*;
    use crate::convolution_shape::ConvolutionShape;
    use crate::native::is_on_cube;
    use crate::ops::{Activations, DepthwiseInferenceBackend};

    impl ComposedConv2d {
        /// Gives a depthwise part that has no bias one of zeros, once and not in every pass, where this crate's kernel computes it.
        pub(super) fn with_depthwise_bias(mut self) -> Self {
            if let Some(part) = &mut self.depthwise
                && self.native
                && is_on_cube(&part.weight)
            {
                let zeros = || Tensor::zeros([part.weight.dims()[0]], &part.weight.device());
                part.bias.get_or_insert_with(zeros);
            }
            self
        }

        /// Convolves with as few kernels as possible.
        pub(super) fn run_on_cube(&self, input: Tensor<4>, epilogue: Epilogue) -> Tensor<4> {
            let mut x = input;
            if let Some(part) = &self.depthwise {
                let activations = Activations {
                    input_relu: part.input_relu,
                    output: part.activation,
                };
                let given = |bias| (&part.weight, bias, &part.geometry, part.channels);
                let found = part.bias.as_ref().map(given);
                x = match found.and_then(|given| infer_depthwise(&x, given, activations)) {
                    Some(output) => output,
                    None => convolve_depthwise(part, x),
                };
            }
            if self.is_pointwise() {
                return self.multiply(x, epilogue);
            }
            let within = match epilogue.residual {
                None => epilogue.activation,
                Some(_) => Activation::None,
            };
            let activations = Activations {
                input_relu: false,
                output: within,
            };
            let given = (&self.weight, &self.bias, &self.geometry, self.groups);
            match infer_depthwise(&x, given, activations) {
                None => self.convolve(x, epilogue),
                Some(output) => {
                    let output = trailing_channels(output);
                    match epilogue.residual {
                        None => output,
                        Some(residual) => epilogue.activation.burn(output + residual),
                    }
                }
            }
        }

        fn is_pointwise(&self) -> bool {
            self.groups == 1 && self.geometry == Geometry::valid(1)
        }

        /// Applies a pointwise convolution, of stride 1, as a product of matrices.
        fn multiply(&self, input: Tensor<4>, epilogue: Epilogue) -> Tensor<4> {
            let [batch, inputs, height, width] = input.dims();
            let [outputs, ..] = self.weight.dims();
            let pixels = [batch * height * width, inputs];
            let weight = self.weight.clone().reshape([outputs, inputs]).transpose();
            let rows = trailing_channels(input).reshape(pixels);
            let mut output = rows.matmul(weight) + self.bias.clone().reshape([1, outputs]);
            if let Some(residual) = epilogue.residual {
                output = output + residual.reshape([pixels[0], outputs]);
            }
            let output = epilogue.activation.burn(output);
            output.reshape([batch, height, width, outputs])
        }
    }

    /// Applies a depthwise convolution, given as weight, bias, geometry and the number of groups, by this crate's kernel; `None` where
    /// it doesn't serve.
    fn infer_depthwise(
        input: &Tensor<4>,
        (weight, bias, geometry, groups): (&Tensor<4>, &Tensor<1>, &Geometry, usize),
        activations: Activations,
    ) -> Option<Tensor<4>> {
        let [outputs, ..] = weight.dims();
        let fits = [weight.dtype(), bias.dtype()] == [input.dtype(); 2]
            && is_on_cube(weight)
            && is_on_cube(bias)
            && bias.dims() == [outputs];
        let shape = ConvolutionShape::new(input.dims(), weight.dims(), *geometry, groups);
        let shape =
            shape.filter(|shape| fits && shape.is_depthwise() && shape.has_short_indices())?;
        let input = input.clone().into_dispatch();
        Some(Tensor::from_dispatch(
            <Dispatch as DepthwiseInferenceBackend>::infer_depthwise(
                input,
                weight.clone().into_dispatch(),
                bias.clone().into_dispatch(),
                shape,
                activations,
            ),
        ))
    }
}
