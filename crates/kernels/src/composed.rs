//! Convolutions for inference that are composed of Burn's own operations.

use burn::prelude::*;

use crate::channel_order::trailing_channels;
use crate::{Activation, Epilogue, FusedDepthwise, Geometry, burn_conv2d};

/// A convolution composed of Burn's operations.
#[derive(Debug, Clone)]
pub(crate) struct ComposedConv2d {
    pub(crate) depthwise: Option<FusedDepthwise>,
    pub(crate) weight: Tensor<4>,
    pub(crate) bias: Tensor<1>,
    pub(crate) geometry: Geometry,
    pub(crate) groups: usize,
}

impl ComposedConv2d {
    /// Convolves `[batch, channels, height, width]`; the output has trailing channels.
    pub(crate) fn run(&self, input: Tensor<4>, epilogue: Epilogue) -> Tensor<4> {
        let mut x = input;
        if let Some(depthwise) = &self.depthwise {
            if depthwise.input_relu {
                x = Activation::Relu.burn(x);
            }
            let (weight, bias) = (depthwise.weight.clone(), depthwise.bias.clone());
            x = burn_conv2d(x, weight, bias, &depthwise.geometry, depthwise.channels);
            x = depthwise.activation.burn(x);
        }
        let bias = Some(self.bias.clone());
        let output = burn_conv2d(x, self.weight.clone(), bias, &self.geometry, self.groups);
        let mut output = trailing_channels(output);
        if let Some(residual) = epilogue.residual {
            output = output + residual;
        }
        epilogue.activation.burn(output)
    }
}
