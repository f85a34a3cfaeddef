//! What layers report of themselves when a shape passes through them.

use std::sync::{Arc, Mutex, PoisonError};

use burn::module::{Module, ParamGroup, ParamId};
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

/// A record that the traced maps of one pass share.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    device: Device,
    /// Whether layers prepare their fused form.
    fuses: bool,
    record: Mutex<Record>,
}

/// What was reported since the last [`Trace::take`].
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) operations: Vec<Operation>,
    /// The parameters and flags of the layers passed; none before the first.
    pub(crate) parameters: Option<ParamGroup>,
    /// Parameters that a fused layer has packed, so that it doesn't need them any longer.
    pub(crate) packed: Vec<ParamId>,
}

impl Trace {
    /// Makes a trace that only records.
    pub(crate) fn recording(device: &Device) -> Self {
        Self::new(false, device)
    }

    /// Makes a trace in which each layer prepares its fused form as well.
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

    /// Whether layers prepare their fused form.
    pub(super) fn fuses(&self) -> bool {
        self.inner.fuses
    }

    /// Returns a device for tensors without meaning.
    pub(super) fn device(&self) -> &Device {
        &self.inner.device
    }

    /// Returns what was reported since the last call.
    pub(crate) fn take(&self) -> Record {
        std::mem::take(&mut *self.record())
    }

    fn record(&self) -> std::sync::MutexGuard<'_, Record> {
        let record = self.inner.record.lock();
        record.unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports a module that the pass comes through.
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

    /// Reports an operation without parameters or multiply-adds, such as an activation, a pool or a sum.
    pub(super) fn elementwise<const D: usize>(&self, output: [usize; D]) {
        self.weighted(output, 0, 0);
    }

    /// Reports an operation with parameters, of which each output takes `multiply_adds`.
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
