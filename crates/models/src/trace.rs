//! A record of the operations of a forward pass, for the summary.
//!
//! Each layer says what an operation gives and costs before it runs it. Inside of [`record`] that is all that
//! happens: the operation isn't run, and a tensor of its shape that takes no memory stands for its output, so
//! that a network of any size is counted in no time and its weights aren't drawn. Outside of [`record`] the
//! operation runs, for one look at a thread-local flag.

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

/// What becomes of the operations of this thread.
struct Record {
    device: Device,
    /// Whether they are run too, to compare what they give with what the layers say.
    #[cfg(test)]
    computes: bool,
    operations: Vec<Operation>,
}

thread_local! {
    static RECORD: RefCell<Option<Record>> = const { RefCell::new(None) };
}

/// Runs `forward` without its operations, on a device, and passes a drain to it, which returns the operations
/// since the last call.
pub(crate) fn record<T>(
    device: &Device,
    forward: impl FnOnce(&mut dyn FnMut() -> Vec<Operation>) -> T,
) -> T {
    run(
        Record {
            device: device.clone(),
            #[cfg(test)]
            computes: false,
            operations: Vec::new(),
        },
        forward,
    )
}

/// As [`record`], with the operations.
#[cfg(test)]
pub(crate) fn record_computed<T>(
    device: &Device,
    forward: impl FnOnce(&mut dyn FnMut() -> Vec<Operation>) -> T,
) -> T {
    run(
        Record {
            device: device.clone(),
            computes: true,
            operations: Vec::new(),
        },
        forward,
    )
}

fn run<T>(new: Record, forward: impl FnOnce(&mut dyn FnMut() -> Vec<Operation>) -> T) -> T {
    RECORD.with_borrow_mut(|record| *record = Some(new));
    let result = forward(&mut || {
        RECORD.with_borrow_mut(|record| {
            let operations = record.as_mut().map(|record| &mut record.operations);
            operations.map(std::mem::take).unwrap_or_default()
        })
    });
    RECORD.with_borrow_mut(|record| *record = None);
    result
}

/// A tensor of any shape, in the memory of one number where the device has views.
pub(crate) fn stand_in<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::<D>::zeros([1; D], device).expand(shape)
}

/// An operation without parameters or multiply-adds, such as an activation, a pool or a sum, and the shape of
/// its output.
pub(crate) fn elementwise<const D: usize>(
    output: [usize; D],
    compute: impl FnOnce() -> Tensor<D>,
) -> Tensor<D> {
    weighted(output, 0, 0, compute)
}

/// An operation with parameters of which each output takes `multiply_adds`, and the shape of its output.
pub(crate) fn weighted<const D: usize>(
    output: [usize; D],
    parameters: usize,
    multiply_adds: usize,
    compute: impl FnOnce() -> Tensor<D>,
) -> Tensor<D> {
    let recorded = RECORD.with_borrow_mut(|record| {
        let record = record.as_mut()?;
        let outputs = output.iter().map(|&size| size as u64).product();
        record.operations.push(Operation {
            parameters: parameters as u64,
            multiply_adds: multiply_adds as u64 * outputs,
            outputs,
        });
        #[cfg(test)]
        if record.computes {
            return None;
        }
        Some(stand_in(output, &record.device))
    });
    recorded.unwrap_or_else(|| {
        let computed = compute();
        #[cfg(test)]
        assert_eq!(computed.dims(), output);
        computed
    })
}
