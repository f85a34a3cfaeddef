//! The record that layers keep of themselves when a shape passes through them.

use std::sync::{Arc, Mutex, PoisonError};

use burn::module::{Module, ParamGroup, ParamId};
use burn::prelude::*;

/// An operation of a forward pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Number of trainable parameters that it uses.
    pub(crate) parameters: u64,
    /// Multiply-adds for the whole batch.
    pub(crate) multiply_adds: u64,
    /// Number of values in its output.
    pub(crate) outputs: u64,
}

/// The record shared by the traced maps of one pass.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    device: Device,
    /// Whether layers also prepare their fused form.
    fuses: bool,
    record: Mutex<Record>,
}

/// The reports since the last [`Trace::take`].
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) operations: Vec<Operation>,
    /// Parameters and flags of the layers passed; `None` before the first.
    pub(crate) parameters: Option<ParamGroup>,
    /// Parameters that fused layers have packed, so that their values are no longer needed.
    pub(crate) packed: Vec<ParamId>,
}

impl Trace {
    /// Makes a trace that only records.
    pub(crate) fn recording(device: &Device) -> Self {
        Self::new(false, device)
    }

    /// Makes a trace in which each layer also prepares its fused form.
    pub(crate) fn fusing(device: &Device) -> Self {
        Self::new(true, device)
    }

    fn new(fuses: bool, device: &Device) -> Self {
        Self {
            inner: Arc::new(Inner {
                device: device.clone(),
                fuses,
                record: Mutex::default(),
            }),
        }
    }

    /// Returns whether layers also prepare their fused form.
    pub(super) fn fuses(&self) -> bool {
        self.inner.fuses
    }

    /// Returns the device for placeholder tensors.
    pub(super) fn device(&self) -> &Device {
        &self.inner.device
    }

    /// Returns the reports since the last call.
    pub(crate) fn take(&self) -> Record {
        std::mem::take(&mut *self.record())
    }

    fn record(&self) -> std::sync::MutexGuard<'_, Record> {
        let record = self.inner.record.lock();
        record.unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports a module that the pass goes through.
    pub(super) fn module<M: Module>(&self, module: &M) {
        let group = ParamGroup::ids_from_module(module.clone());
        let record = &mut *self.record();
        record.parameters = Some(match record.parameters.take() {
            Some(before) => before.fuse(&group),
            None => group,
        });
    }

    /// Reports parameters that a layer has packed.
    pub(super) fn packed(&self, ids: impl IntoIterator<Item = ParamId>) {
        self.record().packed.extend(ids);
    }

    /// Reports an operation without parameters or multiply-adds, such as an activation, a pool or an addition.
    pub(super) fn elementwise<const D: usize>(&self, output: [usize; D]) {
        self.weighted(output, 0, 0);
    }

    /// Reports an operation with parameters, in which each output takes `multiply_adds`.
    pub(super) fn weighted<const D: usize>(
        &self,
        output: [usize; D],
        parameters: usize,
        multiply_adds: usize,
    ) {
        let outputs = output
            .iter()
            .fold(1u64, |all, &size| all.saturating_mul(size as u64));
        self.record().operations.push(Operation {
            parameters: parameters as u64,
            multiply_adds: outputs.saturating_mul(multiply_adds as u64),
            outputs,
        });
    }
}
