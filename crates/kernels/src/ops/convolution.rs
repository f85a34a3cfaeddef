//! Convolution as an operation with gradients of its own.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata, backend_extension};
use burn::tensor::Shape;

use crate::convolution_shape::ConvolutionShape;

/// Convolution and its gradients by this crate's kernels, on the backends that have them.
///
/// A convolution is linear in its input and in its weight; so are its transpose and the correlation. The gradient of each of the
/// three consists of the other two.
#[backend_extension(
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "cube"),
    Autodiff
)]
pub trait ConvolutionBackend: Backend {
    /// Convolves an input with a weight.
    #[fusion(dtype = input, shape = Shape::from(shape.output))]
    fn convolve(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shape: ConvolutionShape,
    ) -> FloatTensor<Self>;

    /// Convolves an input with a weight, and adds a bias to each output channel. An operation of its own, because the macro that
    /// routes them takes no optional tensors.
    #[fusion(dtype = input, shape = Shape::from(shape.output))]
    fn convolve_with_bias(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shape: ConvolutionShape,
    ) -> FloatTensor<Self>;

    /// Applies the transpose of the convolution to what has the shape of its output. With the gradient of the output this is the
    /// gradient of the input.
    #[fusion(dtype = output, shape = Shape::from(shape.input))]
    fn convolve_transposed(
        output: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shape: ConvolutionShape,
    ) -> FloatTensor<Self>;

    /// Correlates an input with what has the shape of the output. With the gradient of the output this is the gradient of the
    /// weight.
    #[fusion(dtype = input, shape = Shape::from(shape.weight))]
    fn correlate(
        input: FloatTensor<Self>,
        output: FloatTensor<Self>,
        shape: ConvolutionShape,
    ) -> FloatTensor<Self>;

    /// Adds up the values of each channel. With the gradient of the output this is the gradient of the bias.
    #[fusion(default)]
    fn sum_channels(output: FloatTensor<Self>) -> FloatTensor<Self> {
        let channels = output.shape()[1];
        let sums = [0, 2, 3].into_iter().fold(output, Self::float_sum_dim);
        Self::float_reshape(sums, Shape::from([channels]))
    }
}

/// The backends whose tensors lie in this program's memory.
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod in_memory {
    #[cfg(feature = "flex")]
    use burn::backend::Flex;
    #[cfg(feature = "ndarray")]
    use burn::backend::NdArray;

    use super::*;
    use crate::cpu::convolution::Convolution;
    use crate::cpu::sums_of_channels;
    use crate::ops::host::HostBackend;

    /// Computes the output.
    fn forward<B: HostBackend>(
        input: FloatTensor<B>,
        weight: FloatTensor<B>,
        bias: Option<FloatTensor<B>>,
        shape: &ConvolutionShape,
    ) -> FloatTensor<B> {
        let device = input.device();
        let (input, weight) = (B::values(input), B::values(weight));
        let bias = bias.map(B::values);
        let output = Convolution::new(shape).forward(&input, &weight, bias.as_deref());
        B::from_values(output, shape.output, &device)
    }

    macro_rules! convolve_in_memory {
        ($backend:ty) => {
            impl ConvolutionBackend for $backend {
                fn convolve(
                    input: FloatTensor<Self>,
                    weight: FloatTensor<Self>,
                    shape: ConvolutionShape,
                ) -> FloatTensor<Self> {
                    forward::<Self>(input, weight, None, &shape)
                }

                fn convolve_with_bias(
                    input: FloatTensor<Self>,
                    weight: FloatTensor<Self>,
                    bias: FloatTensor<Self>,
                    shape: ConvolutionShape,
                ) -> FloatTensor<Self> {
                    forward::<Self>(input, weight, Some(bias), &shape)
                }

                fn convolve_transposed(
                    output: FloatTensor<Self>,
                    weight: FloatTensor<Self>,
                    shape: ConvolutionShape,
                ) -> FloatTensor<Self> {
                    let device = output.device();
                    let (weight, output) = (Self::values(weight), Self::values(output));
                    let input = Convolution::new(&shape).input_gradient(&weight, &output);
                    Self::from_values(input, shape.input, &device)
                }

                fn correlate(
                    input: FloatTensor<Self>,
                    output: FloatTensor<Self>,
                    shape: ConvolutionShape,
                ) -> FloatTensor<Self> {
                    let device = output.device();
                    let (input, output) = (Self::values(input), Self::values(output));
                    let weight = Convolution::new(&shape).weight_gradient(&input, &output);
                    Self::from_values(weight, shape.weight, &device)
                }

                fn sum_channels(output: FloatTensor<Self>) -> FloatTensor<Self> {
                    let device = output.device();
                    let [_, channels, height, width] = output.shape().dims();
                    let sums = sums_of_channels(&Self::values(output), channels, height * width);
                    Self::from_values(sums, [channels], &device)
                }
            }
        };
    }

    #[cfg(feature = "flex")]
    convolve_in_memory!(Flex);
    #[cfg(feature = "ndarray")]
    convolve_in_memory!(NdArray);
}

impl<B: ConvolutionBackend, C: CheckpointStrategy> ConvolutionBackend for Autodiff<B, C> {
    fn convolve(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shape: ConvolutionShape,
    ) -> FloatTensor<Self> {
        bilinear::<B, C>(Bilinear::Convolution, input, weight, shape)
    }

    fn convolve_with_bias(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shape: ConvolutionShape,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), weight.node(), bias.node()];
        let prepared = BiasedBackward.prepare::<C>(nodes).compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = [prep.checkpoint(&input), prep.checkpoint(&weight)];
                let [input, weight, bias] = [input, weight, bias].map(|t| t.into_primitive());
                prep.finish(
                    (saved, shape),
                    B::convolve_with_bias(input, weight, bias, shape),
                )
            }
            OpsKind::UnTracked(prep) => {
                let [input, weight, bias] = [input, weight, bias].map(|t| t.into_primitive());
                prep.finish(B::convolve_with_bias(input, weight, bias, shape))
            }
        }
    }

    fn convolve_transposed(
        output: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shape: ConvolutionShape,
    ) -> FloatTensor<Self> {
        bilinear::<B, C>(Bilinear::Transpose, output, weight, shape)
    }

    fn correlate(
        input: FloatTensor<Self>,
        output: FloatTensor<Self>,
        shape: ConvolutionShape,
    ) -> FloatTensor<Self> {
        bilinear::<B, C>(Bilinear::Correlation, input, output, shape)
    }
}

/// One of the three operations, each linear in both of its arguments.
#[derive(Debug, Clone, Copy)]
enum Bilinear {
    /// Of input and weight.
    Convolution,
    /// Of output and weight.
    Transpose,
    /// Of input and output.
    Correlation,
}

impl Bilinear {
    fn apply<B: ConvolutionBackend>(
        self,
        [first, second]: [FloatTensor<B>; 2],
        shape: ConvolutionShape,
    ) -> FloatTensor<B> {
        match self {
            Self::Convolution => B::convolve(first, second, shape),
            Self::Transpose => B::convolve_transposed(first, second, shape),
            Self::Correlation => B::correlate(first, second, shape),
        }
    }

    /// Returns the gradient of the first argument.
    fn first_gradient<B: ConvolutionBackend>(
        self,
        second: FloatTensor<B>,
        gradient: FloatTensor<B>,
        shape: ConvolutionShape,
    ) -> FloatTensor<B> {
        match self {
            Self::Convolution => B::convolve_transposed(gradient, second, shape),
            Self::Transpose => B::convolve(gradient, second, shape),
            Self::Correlation => B::convolve_transposed(second, gradient, shape),
        }
    }

    /// Returns the gradient of the second argument.
    fn second_gradient<B: ConvolutionBackend>(
        self,
        first: FloatTensor<B>,
        gradient: FloatTensor<B>,
        shape: ConvolutionShape,
    ) -> FloatTensor<B> {
        match self {
            Self::Convolution => B::correlate(first, gradient, shape),
            Self::Transpose => B::correlate(gradient, first, shape),
            Self::Correlation => B::convolve(first, gradient, shape),
        }
    }
}

/// Applies an operation, and remembers its arguments where a gradient is wanted.
fn bilinear<B: ConvolutionBackend, C: CheckpointStrategy>(
    operation: Bilinear,
    first: FloatTensor<Autodiff<B, C>>,
    second: FloatTensor<Autodiff<B, C>>,
    shape: ConvolutionShape,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = [first.node(), second.node()];
    let prepared = BilinearBackward(operation)
        .prepare::<C>(nodes)
        .compute_bound();
    match prepared.stateful() {
        OpsKind::Tracked(mut prep) => {
            let saved = [prep.checkpoint(&first), prep.checkpoint(&second)];
            let arguments = [first.into_primitive(), second.into_primitive()];
            prep.finish((saved, shape), operation.apply::<B>(arguments, shape))
        }
        OpsKind::UnTracked(prep) => {
            let arguments = [first.into_primitive(), second.into_primitive()];
            prep.finish(operation.apply::<B>(arguments, shape))
        }
    }
}

/// The arguments, and the sizes of the convolution.
type State = ([NodeId; 2], ConvolutionShape);

/// The backward pass of an operation, to both of its arguments.
#[derive(Debug)]
struct BilinearBackward(Bilinear);

impl<B: ConvolutionBackend> Backward<B, 2> for BilinearBackward {
    type State = State;

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (saved, shape) = ops.state;
        let [first, second] =
            saved.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let [first_node, second_node] = ops.parents;
        if let Some(node) = first_node {
            let result = self.0.first_gradient::<B>(second, gradient.clone(), shape);
            gradients.register::<B>(node.id, result);
        }
        if let Some(node) = second_node {
            let result = self.0.second_gradient::<B>(first, gradient, shape);
            gradients.register::<B>(node.id, result);
        }
    }
}

/// The backward pass of a convolution with a bias, to input, weight and bias.
#[derive(Debug)]
struct BiasedBackward;

impl<B: ConvolutionBackend> Backward<B, 3> for BiasedBackward {
    type State = State;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let (saved, shape) = ops.state;
        let [input, weight] =
            saved.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let [input_node, weight_node, bias_node] = ops.parents;
        if let Some(node) = input_node {
            let result = B::convolve_transposed(gradient.clone(), weight, shape);
            gradients.register::<B>(node.id, result);
        }
        if let Some(node) = weight_node {
            let result = B::correlate(input, gradient.clone(), shape);
            gradients.register::<B>(node.id, result);
        }
        if let Some(node) = bias_node {
            gradients.register::<B>(node.id, B::sum_channels(gradient));
        }
    }
}
