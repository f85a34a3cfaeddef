//! A training step on several devices.

use std::collections::HashMap;

use burn::module::{Module, ParamId};
use burn::optim::GradientsParams;
use burn::prelude::*;

use crate::packing::{
    Packed, Packer, Which, add_gradients, add_tensors, gradients_of, with_values,
};
use crate::{DeviceError, NamedDevice};

/// Devices that share the work of each training step.
///
/// The first is the main device, where the module and its optimizer are. The others get copies of the module in every step. A
/// device may be named more than once; it then computes several parts, one after the other.
///
/// Batch normalization takes its statistics from the images of a part alone, as in PyTorch's `DistributedDataParallel` without
/// `SyncBatchNorm`. Its running statistics are the means of those of the parts, weighted by their images, so all parts count.
#[derive(Debug, Clone, PartialEq)]
pub struct DataParallel {
    devices: Vec<NamedDevice>,
}

/// A part of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<I> {
    /// The number of images in it, at least 1.
    pub images: usize,
    /// What the function that computes on it gets.
    pub input: I,
}

/// Where a part is computed.
#[derive(Debug, Clone)]
pub struct Place {
    /// The device, in autodiff mode.
    pub device: Device,
    /// The number of the part, from 0.
    pub part: usize,
}

/// What was computed of a part.
#[derive(Debug, Clone)]
pub struct PartOutput {
    /// The loss, shape `[1]`: the mean over the images of the part, with its graph.
    pub loss: Tensor<1>,
    /// Any values that are to be read along with the gradients, `[n]`.
    pub values: Tensor<1>,
}

/// A step's result.
#[derive(Debug)]
pub struct Step<M> {
    /// The module, with the running statistics of all parts. Its parameters are what they were.
    pub module: M,
    /// The gradients of the mean loss over the images of all parts, on the main device, for an optimizer.
    pub gradients: GradientsParams,
    /// The values of each part.
    pub values: Vec<Vec<f32>>,
}

/// What a device has to be asked for.
struct Pending {
    device: NamedDevice,
    packed: Packed,
    /// The number of tensors that are gradients; running statistics and the values follow.
    gradients: usize,
    share: f64,
}

impl DataParallel {
    /// Brings devices together; `None` without any.
    pub fn new(devices: impl IntoIterator<Item = NamedDevice>) -> Option<Self> {
        let devices: Vec<_> = devices.into_iter().collect();
        (!devices.is_empty()).then_some(Self { devices })
    }

    /// Returns the devices, the main one first.
    #[must_use]
    pub fn devices(&self) -> &[NamedDevice] {
        &self.devices
    }

    /// Returns the device where the module is.
    #[must_use]
    pub fn main(&self) -> &NamedDevice {
        &self.devices[0] // there is one, as `new` sees to it
    }

    /// Waits for all devices.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] of the first that doesn't answer.
    pub fn check(&self) -> Result<(), DeviceError> {
        self.devices.iter().try_for_each(NamedDevice::check)
    }

    /// Computes the gradients of a batch, each part on a device: part 0 on the main one, part 1 on the second, and so on, from
    /// the first again where there are more parts than devices. `forward` is called in this thread for each part, with
    /// a module on the place's device; nothing may be read from the device there, so that all devices compute at the same time.
    ///
    /// With one part the gradients are exactly those of that part, and nothing but its values is read. With more, the sum of the
    /// gradients is that of the parts in their order, each multiplied by its share of the images.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] where a device fails. The module is gone then, since its running statistics could be of a part alone.
    pub fn step<M: Module, I>(
        &self,
        module: M,
        parts: Vec<Part<I>>,
        forward: impl Fn(&M, I, &Place) -> PartOutput,
    ) -> Result<Step<M>, DeviceError> {
        if parts.len() <= 1 {
            return self.step_on_main(module, parts, forward);
        }
        let main = self.main();
        let snapshot = self.read_module(&module)?;
        let images: usize = parts.iter().map(|part| part.images).sum();
        let share = |part: &Part<I>| part.images as f64 / images.max(1) as f64;
        let mut parts = parts.into_iter().enumerate();
        let first = parts.next();
        let mut pending = Vec::new();
        for (index, part) in parts {
            let device = &self.devices[index % self.devices.len()];
            // A fresh copy: clones of a module share their running statistics, and `valid` gives others.
            let replica = module.valid();
            let replica = with_values(replica, &snapshot, Which::All, Some(device.device()));
            let (share, place) = (share(&part), place(device, index));
            pending.push(dispatch(
                &replica.train(),
                part.input,
                place,
                share,
                device,
                &forward,
            )?);
        }
        // Last, since a processor of this machine computes it at once, while the others do theirs.
        if let Some((index, part)) = first {
            let (share, place) = (share(&part), place(main, index));
            pending.insert(
                0,
                dispatch(&module, part.input, place, share, main, &forward)?,
            );
        }
        drop(snapshot);

        let mut sums = Sums::default();
        for part in pending {
            sums.add(part)?;
        }
        let gradients = gradients_of(&module, sums.gradients, main.device());
        let statistics = sums.statistics.into_iter();
        let statistics = statistics.map(|(id, mean)| (id, mean.values())).collect();
        // The last update of running statistics was handed over when they were read.
        let module = with_values(module, &statistics, Which::RunningStatistics, None);
        let values = sums.values;
        Ok(Step {
            module,
            gradients,
            values,
        })
    }

    /// Computes at most one part, on the main device.
    fn step_on_main<M: Module, I>(
        &self,
        module: M,
        parts: Vec<Part<I>>,
        forward: impl Fn(&M, I, &Place) -> PartOutput,
    ) -> Result<Step<M>, DeviceError> {
        let main = self.main();
        let (mut gradients, mut values) = (GradientsParams::new(), Vec::new());
        for part in parts {
            let output = forward(&module, part.input, &place(main, 0));
            gradients = GradientsParams::from_grads(output.loss.backward(), &module);
            let mut packer = Packer::default();
            packer.push_values(output.values);
            let read = packer.pack().read(main)?;
            values.extend(read.into_iter().map(|(_, values)| values));
        }
        Ok(Step {
            module,
            gradients,
            values,
        })
    }

    /// Reads all values of a module from the main device.
    fn read_module(&self, module: &impl Module) -> Result<HashMap<ParamId, Vec<f32>>, DeviceError> {
        let mut packer = Packer::default();
        add_tensors(&mut packer, &module.valid(), Which::All);
        let read = packer.pack().read(self.main())?;
        Ok(read.into_iter().collect())
    }
}

fn place(device: &NamedDevice, part: usize) -> Place {
    Place {
        device: device.device().clone().autodiff(),
        part,
    }
}

/// Has a part computed, without waiting for it.
fn dispatch<M: Module, I>(
    module: &M,
    input: I,
    place: Place,
    share: f64,
    device: &NamedDevice,
    forward: impl Fn(&M, I, &Place) -> PartOutput,
) -> Result<Pending, DeviceError> {
    let output = forward(module, input, &place);
    let loss = output.loss.mul_scalar(share as f32);
    let gradients = GradientsParams::from_grads(loss.backward(), module);
    let mut packer = Packer::default();
    let count = gradients.len();
    add_gradients(&mut packer, module, gradients);
    add_tensors(&mut packer, &module.valid(), Which::RunningStatistics);
    packer.push_values(output.values);
    let packed = packer.pack();
    let flushed = device.device().flush();
    flushed.map_err(|error| DeviceError::new(device, error))?;
    Ok(Pending {
        device: device.clone(),
        packed,
        gradients: count,
        share,
    })
}

/// Sums over the parts.
#[derive(Default)]
struct Sums {
    gradients: HashMap<ParamId, Vec<f32>>,
    statistics: HashMap<ParamId, Mean>,
    values: Vec<Vec<f32>>,
}

impl Sums {
    /// Waits for a part and adds it.
    fn add(&mut self, part: Pending) -> Result<(), DeviceError> {
        let mut tensors = part.packed.read(&part.device)?;
        self.values.extend(tensors.pop().map(|(_, values)| values));
        let statistics = tensors.split_off(part.gradients.min(tensors.len()));
        for (id, gradient) in tensors {
            match self.gradients.get_mut(&id) {
                Some(sum) => sum
                    .iter_mut()
                    .zip(gradient)
                    .for_each(|(sum, value)| *sum += value),
                None => {
                    self.gradients.insert(id, gradient);
                }
            }
        }
        for (id, values) in statistics {
            match self.statistics.get_mut(&id) {
                Some(mean) => mean.add(&values, part.share),
                None => {
                    self.statistics.insert(id, Mean::new(values));
                }
            }
        }
        Ok(())
    }
}

/// The mean of the parts, as the first one plus shares of the others' differences from it: what is equal stays as it is.
struct Mean {
    first: Vec<f32>,
    difference: Vec<f64>,
}

impl Mean {
    fn new(first: Vec<f32>) -> Self {
        let difference = vec![0.0; first.len()];
        Self { first, difference }
    }

    fn add(&mut self, values: &[f32], share: f64) {
        let firsts = self.first.iter().zip(values);
        for (difference, (&first, &value)) in self.difference.iter_mut().zip(firsts) {
            *difference += share * (f64::from(value) - f64::from(first));
        }
    }

    fn values(self) -> Vec<f32> {
        let differences = self.first.iter().zip(self.difference);
        differences
            .map(|(&first, difference)| (f64::from(first) + difference) as f32)
            .collect()
    }
}
