//! The values of a module as one tensor, so that they are read with one request.
//!
//! All values are read as `f32`, which the conversion of no training precision but double loses anything of.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::TensorData;

use crate::{DeviceError, NamedDevice};

/// Tensors of a device on their way to this process: flattened, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    flat: Vec<Tensor<1>>,
    /// The parameter that each is of, and the length.
    entries: Vec<(ParamId, usize)>,
}

impl Packer {
    fn push<const D: usize>(&mut self, id: ParamId, tensor: Tensor<D>) {
        let flat: Tensor<1> = tensor.without_autodiff().flatten(0, D - 1);
        self.entries.push((id, flat.dims()[0]));
        self.flat.push(flat);
    }

    /// Adds numbers that are of no parameter.
    pub(crate) fn push_values(&mut self, values: Tensor<1>) {
        self.push(ParamId::new(), values.detach());
    }

    /// Starts to put all into one tensor.
    pub(crate) fn pack(self) -> Packed {
        let Self { flat, entries } = self;
        Packed {
            flat: (!flat.is_empty()).then(|| Tensor::cat(flat, 0)),
            entries,
        }
    }
}

/// The tensors of a device as one.
#[derive(Debug)]
pub(crate) struct Packed {
    flat: Option<Tensor<1>>,
    entries: Vec<(ParamId, usize)>,
}

impl Packed {
    /// Waits for the device, and returns the values of each tensor in the order in which they were added.
    pub(crate) fn read(
        self,
        device: &NamedDevice,
    ) -> Result<Vec<(ParamId, Vec<f32>)>, DeviceError> {
        let Some(flat) = self.flat else {
            return Ok(Vec::new());
        };
        let values: Vec<f32> = flat
            .try_into_vec_as::<f32>()
            .map_err(|error| DeviceError::new(device, error))?;
        let mut rest = values.as_slice();
        let entries = self.entries.into_iter().map(|(id, len)| {
            let (values, others) = rest.split_at(len.min(rest.len()));
            rest = others;
            (id, values.to_vec())
        });
        Ok(entries.collect())
    }
}

/// Adds the gradients of a module, in the order of its parameters.
pub(crate) fn add_gradients(packer: &mut Packer, module: &impl Module, gradients: GradientsParams) {
    struct Visitor<'a> {
        packer: &'a mut Packer,
        gradients: GradientsParams,
    }

    impl ModuleVisitor for Visitor<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.gradients.remove::<D>(param.id) {
                self.packer.push(param.id, gradient);
            }
        }
    }

    module.visit(&mut Visitor { packer, gradients });
}

/// Which of a module's tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Parameters and running statistics.
    All,
    /// The running statistics of normalizations, which have the names that they have in Burn's `BatchNorm`.
    RunningStatistics,
}

impl Which {
    fn has(self, in_running_statistic: bool) -> bool {
        self == Self::All || in_running_statistic
    }
}

fn is_running_statistic(name: &str) -> bool {
    matches!(name, "running_mean" | "running_var")
}

/// Adds the tensors of a module.
pub(crate) fn add_tensors(packer: &mut Packer, module: &impl Module, which: Which) {
    struct Visitor<'a> {
        packer: &'a mut Packer,
        which: Which,
        in_running_statistic: bool,
    }

    impl ModuleVisitor for Visitor<'_> {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.in_running_statistic = is_running_statistic(name);
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.in_running_statistic = false;
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.which.has(self.in_running_statistic) {
                self.packer.push(param.id, param.val());
            }
        }
    }

    module.visit(&mut Visitor {
        packer,
        which,
        in_running_statistic: false,
    });
}

/// Puts values into the tensors of a module, on a device, or where each of them is. Tensors without values stay.
pub(crate) fn with_values<M: Module>(
    module: M,
    values: &HashMap<ParamId, Vec<f32>>,
    which: Which,
    device: Option<&Device>,
) -> M {
    struct Mapper<'a> {
        values: &'a HashMap<ParamId, Vec<f32>>,
        which: Which,
        device: Option<&'a Device>,
        in_running_statistic: bool,
    }

    impl ModuleMapper for Mapper<'_> {
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.in_running_statistic = is_running_statistic(name);
        }

        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.in_running_statistic = false;
        }

        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let values = self.values.get(&param.id);
            let Some(values) = values.filter(|_| self.which.has(self.in_running_statistic)) else {
                return param;
            };
            let data = TensorData::new(values.clone(), param.lazy_shape());
            param.map(|old| match self.device {
                Some(device) => Tensor::from_data(data, device),
                None => Tensor::from_data(data, &old.device()),
            })
        }

        fn map_int<const D: usize>(
            &mut self,
            param: Param<Tensor<D, Int>>,
        ) -> Param<Tensor<D, Int>> {
            match self.device {
                Some(device) => param.map(|old| Tensor::from_data(old.into_data(), device)),
                None => param,
            }
        }

        fn map_bool<const D: usize>(
            &mut self,
            param: Param<Tensor<D, Bool>>,
        ) -> Param<Tensor<D, Bool>> {
            match self.device {
                Some(device) => param.map(|old| Tensor::from_data(old.into_data(), device)),
                None => param,
            }
        }
    }

    module.map(&mut Mapper {
        values,
        which,
        device,
        in_running_statistic: false,
    })
}

/// Returns the values of gradients as gradients of a module's parameters, on a device.
pub(crate) fn gradients_of(
    module: &impl Module,
    values: HashMap<ParamId, Vec<f32>>,
    device: &Device,
) -> GradientsParams {
    struct Visitor<'a> {
        values: HashMap<ParamId, Vec<f32>>,
        device: &'a Device,
        gradients: GradientsParams,
    }

    impl ModuleVisitor for Visitor<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(values) = self.values.remove(&param.id) {
                let data = TensorData::new(values, param.lazy_shape());
                let gradient = Tensor::<D>::from_data(data, self.device);
                self.gradients.register(param.id, gradient);
            }
        }
    }

    let mut visitor = Visitor {
        values,
        device,
        gradients: GradientsParams::new(),
    };
    module.visit(&mut visitor);
    visitor.gradients
}
