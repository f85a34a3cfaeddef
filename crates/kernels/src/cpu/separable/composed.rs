//! Both passes by the kernels of each operation, for weights and gradients that are not finite.

use super::super::activation;
use super::statistics::{Moments, merged};
use super::{Convolved, Gradients, Operands, Separable};
use crate::Activation;
use pulp::Arch;

impl Separable {
    /// Returns the input as the depthwise convolution reads it.
    fn read(&self, operands: &Operands) -> Vec<f32> {
        let mut values = operands.input.to_vec();
        match operands.norm {
            Some(norm) => self.batch_norm(norm.epsilon).apply(
                &mut values,
                [norm.gamma, norm.beta],
                [norm.mean, norm.variance],
            ),
            None if self.input_relu => activation::in_place(Activation::Relu, &mut values),
            None => {}
        }
        values
    }

    /// Computes the output.
    pub(super) fn forward_composed(&self, operands: &Operands) -> Convolved {
        let read = self.read(operands);
        let mut inner = self.depthwise().forward(&read, operands.depthwise, None);
        activation::in_place(self.activation, &mut inner);
        let output = self
            .pointwise(self.batch)
            .forward(&inner, operands.pointwise, None);
        let moments = Moments::of_channels(Arch::new(), &output, self.outputs, self.pixels());
        let (mean, variance) = merged(&[moments], self.outputs);
        Convolved {
            inner,
            output,
            mean,
            variance,
        }
    }

    /// Computes the gradients.
    pub(super) fn backward_composed(
        &self,
        operands: &Operands,
        inner: &[f32],
        gradient: &[f32],
    ) -> Gradients {
        let pointwise = self.pointwise(self.batch);
        let of_inner = pointwise.input_gradient(operands.pointwise, gradient);
        let of_inner = activation::backward(self.activation, inner, &of_inner);
        let (depthwise, read) = (self.depthwise(), self.read(operands));
        let of_read = depthwise.input_gradient(operands.depthwise, &of_inner);
        let (input, norm) = match operands.norm {
            Some(norm) => {
                let result = self.batch_norm(norm.epsilon).backward(
                    operands.input,
                    [norm.gamma, norm.beta],
                    [norm.mean, norm.variance],
                    &of_read,
                );
                (result.input, Some([result.gamma, result.beta]))
            }
            None if self.input_relu => {
                let input = activation::backward(Activation::Relu, &read, &of_read);
                (input, None)
            }
            None => (of_read, None),
        };
        Gradients {
            input,
            depthwise: depthwise.weight_gradient(&read, &of_inner),
            pointwise: pointwise.weight_gradient(inner, gradient),
            norm,
        }
    }
}
