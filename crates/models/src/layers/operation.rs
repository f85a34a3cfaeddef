//! The operations that a traced pass reports.

use super::Activation;

/// An operation of a forward pass.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Operation {
    /// Kind of the operation.
    pub kind: OperationKind,
    /// Index of the operation behind each input; `None` for the network's images.
    pub inputs: Vec<Option<usize>>,
    /// Batch, channels, height and width of the output.
    pub output: [usize; 4],
    /// Number of trainable parameters that it uses.
    pub parameters: u64,
    /// Multiply-adds for the whole batch.
    pub multiply_adds: u64,
}

impl Operation {
    /// Makes an operation without parameters or multiply-adds.
    pub(super) fn new(kind: OperationKind, inputs: Vec<Option<usize>>, output: [usize; 4]) -> Self {
        Self {
            kind,
            inputs,
            output,
            parameters: 0,
            multiply_adds: 0,
        }
    }

    /// Sets the number of parameters, and of multiply-adds for each output.
    pub(super) fn with_cost(self, parameters: usize, multiply_adds: usize) -> Self {
        let all = self.outputs().saturating_mul(multiply_adds as u64);
        self.with_counts(parameters, all)
    }

    /// Sets the number of parameters, and of all multiply-adds.
    pub(super) fn with_counts(self, parameters: usize, multiply_adds: u64) -> Self {
        Self {
            parameters: parameters as u64,
            multiply_adds,
            ..self
        }
    }

    /// Returns the number of values in the output.
    pub fn outputs(&self) -> u64 {
        let sizes = self.output.iter();
        sizes.fold(1u64, |all, &size| all.saturating_mul(size as u64))
    }
}

/// The kind of an operation.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum OperationKind {
    /// A convolution.
    Convolution {
        /// Height and width of the window.
        kernel: [usize; 2],
        /// Step between outputs, down and to the right.
        stride: [usize; 2],
        /// Number of input channels.
        inputs: usize,
        /// Number of groups of channels.
        groups: usize,
    },
    /// A transposed convolution, or deconvolution.
    TransposedConvolution {
        /// Height and width of the window.
        kernel: [usize; 2],
        /// Distance between the windows that neighbouring inputs add to the output, down and to the right.
        stride: [usize; 2],
        /// Number of input channels.
        inputs: usize,
        /// Number of groups of channels.
        groups: usize,
    },
    /// Batch normalization.
    Normalization,
    /// An activation.
    Activation(Activation),
    /// A max pool.
    MaxPool {
        /// Height and width of the window.
        kernel: [usize; 2],
        /// Step between outputs, down and to the right.
        stride: [usize; 2],
    },
    /// An average pool.
    AveragePool {
        /// Height and width of the window.
        kernel: [usize; 2],
        /// Step between outputs, down and to the right.
        stride: [usize; 2],
    },
    /// The mean over each of a grid's cells; over all pixels, if the output is a single one.
    AdaptiveAveragePool,
    /// The addition of maps of the same shape.
    Addition,
    /// The multiplication by a number.
    Scaling,
    /// The concatenation of maps along their channels.
    Concatenation,
    /// The exchange of channels between groups.
    ChannelShuffle {
        /// Number of groups.
        groups: usize,
    },
    /// The arrangement of all values as channels of a single pixel.
    Flattening,
    /// A linear layer.
    Linear,
    /// An operation that has no layer in this crate.
    Other,
}
