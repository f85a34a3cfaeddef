//! A record of the operations of a forward pass, for the summary.
//!
//! Layers report each operation as they run it. Outside of [`record`] that costs one look at a
//! thread-local flag.

use std::cell::RefCell;

use burn::prelude::*;

/// One operation of a forward pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Trainable parameters it uses.
    pub(crate) parameters: u64,
    /// Multiply-adds for the whole batch.
    pub(crate) multiply_adds: u64,
    /// Numbers in its output.
    pub(crate) outputs: u64,
}

thread_local! {
    static RECORD: RefCell<Option<Vec<Operation>>> = const { RefCell::new(None) };
}

/// Runs `forward` and passes a drain to it, which returns the operations since the last call.
pub(crate) fn record<T>(forward: impl FnOnce(&mut dyn FnMut() -> Vec<Operation>) -> T) -> T {
    RECORD.with_borrow_mut(|record| *record = Some(Vec::new()));
    let result = forward(&mut || {
        RECORD.with_borrow_mut(|record| record.as_mut().map(std::mem::take).unwrap_or_default())
    });
    RECORD.with_borrow_mut(|record| *record = None);
    result
}

fn push(operation: impl FnOnce() -> Operation) {
    RECORD.with_borrow_mut(|record| {
        if let Some(operations) = record {
            operations.push(operation());
        }
    });
}

/// An operation without parameters or multiply-adds, such as an activation, a pool or a sum.
pub(crate) fn elementwise<const D: usize>(output: Tensor<D>) -> Tensor<D> {
    push(|| Operation {
        parameters: 0,
        multiply_adds: 0,
        outputs: output.shape().num_elements() as u64,
    });
    output
}

/// An operation with parameters of which each output takes `multiply_adds`.
pub(crate) fn weighted<const D: usize>(
    output: Tensor<D>,
    parameters: usize,
    multiply_adds: usize,
) -> Tensor<D> {
    push(|| {
        let outputs = output.shape().num_elements() as u64;
        Operation {
            parameters: parameters as u64,
            multiply_adds: multiply_adds as u64 * outputs,
            outputs,
        }
    });
    output
}
