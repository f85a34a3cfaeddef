//! The record that layers keep of themselves when a shape passes through them.

use std::sync::{Arc, Mutex, PoisonError};

use burn::module::{Module, ParamGroup, ParamId};
use burn::prelude::*;

use super::FeatureMap;
use super::operation::{Operation, OperationKind};

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
    /// Number of operations in the reports taken before.
    taken: usize,
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
        let record = &mut *self.record();
        let taken = record.taken + record.operations.len();
        std::mem::replace(
            record,
            Record {
                taken,
                ..Record::default()
            },
        )
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

    /// Reports an operation, and returns its index among those of the pass.
    fn operation(&self, operation: Operation) -> usize {
        let record = &mut *self.record();
        record.operations.push(operation);
        record.taken + record.operations.len() - 1
    }
}

/// A map that has a shape and an origin but no values.
#[derive(Debug, Clone)]
pub(crate) struct Traced {
    /// Batch, channels, height and width.
    pub(super) dims: [usize; 4],
    /// Index of the operation that makes the map; `None` for the network's input.
    origin: Option<usize>,
    trace: Trace,
}

impl Traced {
    /// Makes the input of a network.
    pub(super) fn input(dims: [usize; 4], trace: &Trace) -> Self {
        Self {
            dims,
            origin: None,
            trace: trace.clone(),
        }
    }

    /// Returns the record that the pass shares.
    pub(super) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Returns the index of the operation that makes the map; `None` for the network's input.
    pub(crate) fn origin(&self) -> Option<usize> {
        self.origin
    }

    /// Reports an operation on the map without parameters or multiply-adds, such as an activation or a pool, and returns
    /// its output.
    pub(super) fn then(&self, kind: OperationKind, output: [usize; 4]) -> Self {
        self.then_weighted(kind, output, 0, 0)
    }

    /// Reports an operation with parameters on the map, in which each output takes `multiply_adds`, and returns its output.
    pub(super) fn then_weighted(
        &self,
        kind: OperationKind,
        output: [usize; 4],
        parameters: usize,
        multiply_adds: usize,
    ) -> Self {
        let operation = Operation::new(kind, vec![self.origin], output);
        self.report(operation.with_cost(parameters, multiply_adds))
    }

    /// Reports an operation with parameters on the map, which takes so many multiply-adds in all, and returns its output.
    pub(super) fn then_counted(
        &self,
        kind: OperationKind,
        output: [usize; 4],
        parameters: usize,
        multiply_adds: u64,
    ) -> Self {
        let operation = Operation::new(kind, vec![self.origin], output);
        self.report(operation.with_counts(parameters, multiply_adds))
    }

    /// Reports an operation without parameters on several maps, and returns its output. Maps that have values are left
    /// out.
    pub(super) fn join<'a>(
        &self,
        kind: OperationKind,
        others: impl IntoIterator<Item = &'a FeatureMap>,
        output: [usize; 4],
    ) -> Self {
        let others = others.into_iter().filter_map(FeatureMap::as_traced);
        let origins = std::iter::once(self.origin).chain(others.map(|other| other.origin));
        self.report(Operation::new(kind, origins.collect(), output))
    }

    fn report(&self, operation: Operation) -> Self {
        let dims = operation.output;
        Self {
            dims,
            origin: Some(self.trace.operation(operation)),
            trace: self.trace.clone(),
        }
    }
}
