//! Convolutions and pools for inference, with trailing channels and without gradients.

use std::sync::Arc;

#[cfg(feature = "flex")]
use burn::backend::Flex;
#[cfg(feature = "ndarray")]
use burn::backend::NdArray;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, backend_extension};

use super::host::HostBackend;
use crate::cpu::fused::{Convolution, Input, Pool, Rectify, TransposedDepthwise};

/// A convolution or a pool, and the sizes of its input and output.
#[derive(Debug, Clone)]
pub struct InferencePlan {
    operation: Operation,
    batch: usize,
    input: [usize; 2],
    /// Batch, height, width and channels.
    output: [usize; 4],
}

#[derive(Debug, Clone)]
enum Operation {
    Convolution(Arc<Convolution>, Rectify),
    TransposedDepthwise(Arc<TransposedDepthwise>, Rectify),
    Pool(Pool),
}

impl InferencePlan {
    /// Returns the plan for an input of these sizes, or `None` if they don't fit.
    pub(crate) fn convolution(
        convolution: &Arc<Convolution>,
        rectify: Rectify,
        [batch, height, width, channels]: [usize; 4],
    ) -> Option<Self> {
        let [rows, columns] = convolution.output_size([height, width])?;
        (channels == convolution.channels()).then(|| Self {
            operation: Operation::Convolution(Arc::clone(convolution), rectify),
            batch,
            input: [height, width],
            output: [batch, rows, columns, convolution.outputs()],
        })
    }

    /// Returns the plan for an input of these sizes, or `None` if they don't fit or the kernel doesn't
    /// serve.
    pub(crate) fn pool(pool: Pool, [batch, height, width, channels]: [usize; 4]) -> Option<Self> {
        let [rows, columns] = pool.geometry.output_size([height, width])?;
        let serves = Pool::serves(&pool.geometry) && rows > 0 && columns > 0;
        (serves && channels == pool.channels).then_some(Self {
            operation: Operation::Pool(pool),
            batch,
            input: [height, width],
            output: [batch, rows, columns, channels],
        })
    }

    /// Returns the plan for an input of these sizes and an output of this height and width, or `None` if they don't
    /// fit.
    pub(crate) fn transposed_depthwise(
        convolution: &Arc<TransposedDepthwise>,
        rectify: Rectify,
        [batch, height, width, channels]: [usize; 4],
        [rows, columns]: [usize; 2],
    ) -> Option<Self> {
        let fits = convolution.input_size([rows, columns]) == Some([height, width])
            && channels == convolution.channels();
        fits.then(|| Self {
            operation: Operation::TransposedDepthwise(Arc::clone(convolution), rectify),
            batch,
            input: [height, width],
            output: [batch, rows, columns, channels],
        })
    }

    /// Returns batch, height, width and channels of the output.
    pub(crate) fn output(&self) -> [usize; 4] {
        self.output
    }

    /// Computes the output.
    fn run<B: HostBackend>(
        &self,
        input: FloatTensor<B>,
        residual: Option<FloatTensor<B>>,
    ) -> FloatTensor<B> {
        let device = input.device();
        let (values, residual) = (B::values(input), residual.map(B::values));
        let input = Input {
            values: &values,
            batch: self.batch,
            size: self.input,
        };
        let [_, rows, columns, _] = self.output;
        let output = match &self.operation {
            Operation::Convolution(convolution, rectify) => {
                convolution.forward(input, [rows, columns], residual.as_deref(), *rectify)
            }
            Operation::TransposedDepthwise(convolution, rectify) => {
                convolution.forward(input, [rows, columns], residual.as_deref(), *rectify)
            }
            Operation::Pool(pool) => pool.forward(input, [rows, columns]),
        };
        B::from_values(output, self.output, &device)
    }
}

/// Inference by this crate's kernels, on the backends that have them.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"))]
pub trait InferenceBackend: Backend {
    /// Computes the output as the plan says.
    fn infer(input: FloatTensor<Self>, plan: InferencePlan) -> FloatTensor<Self>;

    /// Computes a convolution, to whose output a tensor is added.
    fn infer_and_add(
        input: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        plan: InferencePlan,
    ) -> FloatTensor<Self>;
}

/// Implements the operations by [`InferencePlan::run`].
macro_rules! infer_in_memory {
    ($backend:ty) => {
        impl InferenceBackend for $backend {
            fn infer(input: FloatTensor<Self>, plan: InferencePlan) -> FloatTensor<Self> {
                plan.run::<Self>(input, None)
            }

            fn infer_and_add(
                input: FloatTensor<Self>,
                residual: FloatTensor<Self>,
                plan: InferencePlan,
            ) -> FloatTensor<Self> {
                plan.run::<Self>(input, Some(residual))
            }
        }
    };
}

#[cfg(feature = "flex")]
infer_in_memory!(Flex);
#[cfg(feature = "ndarray")]
infer_in_memory!(NdArray);
