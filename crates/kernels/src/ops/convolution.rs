//! Convolution as an operation with gradients of its own.

#[cfg(feature = "flex")]
use burn::backend::Flex;
#[cfg(feature = "ndarray")]
use burn::backend::NdArray;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata, backend_extension};

use super::host::HostBackend;
use crate::Geometry;
use crate::cpu::dense::Dense;
use crate::cpu::depthwise::Depthwise;
use crate::cpu::grouped::Grouped;
use crate::cpu::pointwise::{Pointwise, subsample, upsample};
use crate::cpu::sums_of_channels;

/// Sizes of a convolution, and the kernel that computes it.
#[derive(Debug, Clone)]
pub struct Plan {
    input: [usize; 4],
    weight: [usize; 4],
    output: [usize; 4],
    kernel: Kernel,
}

#[derive(Debug, Clone)]
enum Kernel {
    Depthwise(Depthwise),
    /// A pointwise convolution, of every `stride`-th pixel.
    Pointwise(Pointwise, [usize; 2]),
    Grouped(Grouped),
    Dense(Dense),
}

impl Plan {
    /// Returns the plan for an input and a weight of these shapes, or `None` if they don't fit.
    pub(crate) fn new(
        input: [usize; 4],
        weight: [usize; 4],
        geometry: Geometry,
        groups: usize,
    ) -> Option<Self> {
        let [batch, channels, height, width] = input;
        let [outputs, of_a_group, kernel_height, kernel_width] = weight;
        let size = geometry.output_size([height, width])?;
        let fits = groups > 0
            && channels == of_a_group * groups
            && outputs % groups == 0
            && geometry.kernel == [kernel_height, kernel_width]
            && size.iter().all(|&size| size > 0)
            && [batch, channels, outputs, height, width]
                .iter()
                .all(|&size| size > 0);
        if !fits {
            return None;
        }
        let grouped = Grouped {
            batch,
            groups,
            inputs: of_a_group,
            outputs: outputs / groups,
            input: [height, width],
            output: size,
            geometry,
        };
        let kernel = if of_a_group == 1 && groups > 1 {
            Kernel::Depthwise(Depthwise {
                batch,
                channels,
                multiplier: outputs / channels,
                input: [height, width],
                output: size,
                geometry,
            })
        } else if groups > 1 || grouped.has_few_channels() {
            Kernel::Grouped(grouped)
        } else if geometry.is_pointwise() {
            let pointwise = Pointwise {
                batch,
                inputs: channels,
                outputs,
                pixels: size[0] * size[1],
            };
            Kernel::Pointwise(pointwise, geometry.stride)
        } else {
            Kernel::Dense(Dense {
                batch,
                channels,
                outputs,
                groups: 1,
                input: [height, width],
                output: size,
                geometry,
            })
        };
        Some(Self {
            input,
            weight,
            output: [batch, outputs, size[0], size[1]],
            kernel,
        })
    }

    /// Returns height and width of the input.
    fn size(&self) -> [usize; 2] {
        [self.input[2], self.input[3]]
    }

    /// Computes the output.
    pub(super) fn forward<B: HostBackend>(
        &self,
        input: FloatTensor<B>,
        weight: FloatTensor<B>,
        bias: Option<FloatTensor<B>>,
    ) -> FloatTensor<B> {
        let device = input.device();
        let (input, weight) = (B::values(input), B::values(weight));
        let bias = bias.map(B::values);
        let bias = bias.as_deref();
        let output = match &self.kernel {
            Kernel::Depthwise(kernel) => kernel.forward(&input, &weight, bias),
            Kernel::Pointwise(kernel, [1, 1]) => kernel.forward(&input, &weight, bias),
            Kernel::Pointwise(kernel, stride) => {
                let input = subsample(&input, self.size(), *stride);
                kernel.forward(&input, &weight, bias)
            }
            Kernel::Grouped(kernel) => kernel.forward(&input, &weight, bias),
            Kernel::Dense(kernel) => kernel.forward(&input, &weight, bias),
        };
        B::from_values(output, self.output, &device)
    }

    /// Computes the gradient of the input from that of the output.
    pub(super) fn input_gradient<B: HostBackend>(
        &self,
        weight: FloatTensor<B>,
        gradient: FloatTensor<B>,
    ) -> FloatTensor<B> {
        let device = gradient.device();
        let (weight, gradient) = (B::values(weight), B::values(gradient));
        let result = match &self.kernel {
            Kernel::Depthwise(kernel) => kernel.input_gradient(&weight, &gradient),
            Kernel::Pointwise(kernel, [1, 1]) => kernel.input_gradient(&weight, &gradient),
            Kernel::Pointwise(kernel, stride) => {
                let pixels = kernel.input_gradient(&weight, &gradient);
                upsample(&pixels, self.size(), *stride)
            }
            Kernel::Grouped(kernel) => kernel.input_gradient(&weight, &gradient),
            Kernel::Dense(kernel) => kernel.input_gradient(&weight, &gradient),
        };
        B::from_values(result, self.input, &device)
    }

    /// Computes the gradient of the weight from the input and the gradient of the output.
    pub(super) fn weight_gradient<B: HostBackend>(
        &self,
        input: FloatTensor<B>,
        gradient: FloatTensor<B>,
    ) -> FloatTensor<B> {
        let device = gradient.device();
        let (input, gradient) = (B::values(input), B::values(gradient));
        let result = match &self.kernel {
            Kernel::Depthwise(kernel) => kernel.weight_gradient(&input, &gradient),
            Kernel::Pointwise(kernel, [1, 1]) => kernel.weight_gradient(&input, &gradient),
            Kernel::Pointwise(kernel, stride) => {
                let input = subsample(&input, self.size(), *stride);
                kernel.weight_gradient(&input, &gradient)
            }
            Kernel::Grouped(kernel) => kernel.weight_gradient(&input, &gradient),
            Kernel::Dense(kernel) => kernel.weight_gradient(&input, &gradient),
        };
        B::from_values(result, self.weight, &device)
    }

    /// Computes the gradient of the bias from that of the output.
    fn bias_gradient<B: HostBackend>(&self, gradient: FloatTensor<B>) -> FloatTensor<B> {
        let device = gradient.device();
        let [_, outputs, height, width] = self.output;
        let result = sums_of_channels(&B::values(gradient), outputs, height * width);
        B::from_values(result, [outputs], &device)
    }
}

/// Convolution by this crate's kernels, on the backends that have them.
///
/// Two operations, because the macro that routes them takes no optional tensors.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub trait ConvolutionBackend: Backend {
    /// Convolves as the plan says.
    fn convolve(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        plan: Plan,
    ) -> FloatTensor<Self>;

    /// Convolves as the plan says, and adds a bias to each output channel.
    fn convolve_with_bias(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        plan: Plan,
    ) -> FloatTensor<Self>;
}

/// Implements the operations by [`Plan::forward`].
macro_rules! convolve_in_memory {
    ($backend:ty) => {
        impl ConvolutionBackend for $backend {
            fn convolve(
                input: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                plan: Plan,
            ) -> FloatTensor<Self> {
                plan.forward::<Self>(input, weight, None)
            }

            fn convolve_with_bias(
                input: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                plan: Plan,
            ) -> FloatTensor<Self> {
                plan.forward::<Self>(input, weight, Some(bias))
            }
        }
    };
}

#[cfg(feature = "flex")]
convolve_in_memory!(Flex);
#[cfg(feature = "ndarray")]
convolve_in_memory!(NdArray);

impl<B: HostBackend, C: CheckpointStrategy> ConvolutionBackend for Autodiff<B, C> {
    fn convolve(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        plan: Plan,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), weight.node()];
        let prepared = ConvolutionBackward.prepare::<C>(nodes).compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = [prep.checkpoint(&input), prep.checkpoint(&weight)];
                let (input, weight) = (input.into_primitive(), weight.into_primitive());
                let output = plan.forward::<B>(input, weight, None);
                prep.finish((saved, plan), output)
            }
            OpsKind::UnTracked(prep) => {
                let (input, weight) = (input.into_primitive(), weight.into_primitive());
                prep.finish(plan.forward::<B>(input, weight, None))
            }
        }
    }

    fn convolve_with_bias(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        plan: Plan,
    ) -> FloatTensor<Self> {
        let nodes = [input.node(), weight.node(), bias.node()];
        let prepared = ConvolutionBackward.prepare::<C>(nodes).compute_bound();
        let bias = Some(bias.into_primitive());
        match prepared.stateful() {
            OpsKind::Tracked(mut prep) => {
                let saved = [prep.checkpoint(&input), prep.checkpoint(&weight)];
                let (input, weight) = (input.into_primitive(), weight.into_primitive());
                let output = plan.forward::<B>(input, weight, bias);
                prep.finish((saved, plan), output)
            }
            OpsKind::UnTracked(prep) => {
                let (input, weight) = (input.into_primitive(), weight.into_primitive());
                prep.finish(plan.forward::<B>(input, weight, bias))
            }
        }
    }
}

/// The backward pass, to input and weight, and to the bias if there is one.
#[derive(Debug)]
struct ConvolutionBackward;

impl<B: HostBackend, const N: usize> Backward<B, N> for ConvolutionBackward {
    /// Input and weight, and the plan of the convolution.
    type State = ([NodeId; 2], Plan);

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let ([input, weight], plan) = ops.state;
        let input = checkpointer.retrieve_node_output::<FloatTensor<B>>(input);
        let weight = checkpointer.retrieve_node_output::<FloatTensor<B>>(weight);
        let mut parents = ops.parents.into_iter();
        if let Some(node) = parents.next().flatten() {
            let result = plan.input_gradient::<B>(weight, gradient.clone());
            gradients.register::<B>(node.id, result);
        }
        if let Some(node) = parents.next().flatten() {
            let result = plan.weight_gradient::<B>(input, gradient.clone());
            gradients.register::<B>(node.id, result);
        }
        if let Some(node) = parents.next().flatten() {
            let result = plan.bias_gradient::<B>(gradient);
            gradients.register::<B>(node.id, result);
        }
    }
}
