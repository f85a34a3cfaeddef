//! Access to a module's parameters by their paths.

use std::collections::{BTreeMap, HashMap};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::prelude::*;

use super::layer::{Origin, Part};
use xception_formats::NamedTensors;

/// The path to the place in a module that a visitor or a mapper has reached. Variants of enums aren't part of it.
#[derive(Default)]
struct ModulePath(Vec<String>);

impl ModulePath {
    fn enter(&mut self, name: &str, container: &str) {
        if !is_enum(container) {
            self.0.push(name.to_owned());
        }
    }

    fn exit(&mut self, container: &str) {
        if !is_enum(container) {
            self.0.pop();
        }
    }

    fn join(&self) -> String {
        self.0.join(".")
    }
}

fn is_enum(container: &str) -> bool {
    container.starts_with("Enum:")
}

/// Returns the shape of each parameter, including running statistics.
pub(super) fn shapes(model: &impl Module) -> BTreeMap<String, Vec<usize>> {
    struct Shapes {
        path: ModulePath,
        shapes: BTreeMap<String, Vec<usize>>,
    }

    impl ModuleVisitor for Shapes {
        fn enter_module(&mut self, name: &str, container_type: &str) {
            self.path.enter(name, container_type);
        }

        fn exit_module(&mut self, _name: &str, container_type: &str) {
            self.path.exit(container_type);
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let shape = param.lazy_shape().iter().copied().collect();
            self.shapes.insert(self.path.join(), shape);
        }
    }

    let mut visitor = Shapes {
        path: ModulePath::default(),
        shapes: BTreeMap::new(),
    };
    model.visit(&mut visitor);
    visitor.shapes
}

/// Returns the values of each parameter, including running statistics.
pub(super) fn values(model: &impl Module) -> BTreeMap<String, TensorData> {
    struct Values {
        path: ModulePath,
        values: BTreeMap<String, TensorData>,
    }

    impl ModuleVisitor for Values {
        fn enter_module(&mut self, name: &str, container_type: &str) {
            self.path.enter(name, container_type);
        }

        fn exit_module(&mut self, _name: &str, container_type: &str) {
            self.path.exit(container_type);
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.values
                .insert(self.path.join(), param.val().into_data());
        }
    }

    let mut visitor = Values {
        path: ModulePath::default(),
        values: BTreeMap::new(),
    };
    model.visit(&mut visitor);
    visitor.values
}

/// Fills a module's parameters from a file's tensors, whose shapes have been checked. Parameters that no part names
/// keep their values.
///
/// # Errors
///
/// If a tensor can't be read: its name, and the reason.
pub(super) fn fill<M: Module>(
    model: M,
    parts: &[Part],
    tensors: &NamedTensors,
) -> Result<M, String> {
    struct Fill<'a> {
        path: ModulePath,
        origins: HashMap<&'a str, &'a Origin>,
        tensors: &'a NamedTensors,
        error: Option<String>,
    }

    impl ModuleMapper for Fill<'_> {
        fn enter_module(&mut self, name: &str, container_type: &str) {
            self.path.enter(name, container_type);
        }

        fn exit_module(&mut self, _name: &str, container_type: &str) {
            self.path.exit(container_type);
        }

        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let Some(origin) = self.origins.get(self.path.join().as_str()) else {
                return param;
            };
            if self.error.is_some() {
                return param;
            }
            let shape: Vec<usize> = param.lazy_shape().iter().copied().collect();
            match origin.read(self.tensors, &shape) {
                Ok(values) => {
                    let id = param.id;
                    let data = TensorData::new(values, shape);
                    let tensor = Tensor::from_data(data, &param.lazy_device());
                    param.transform_for_load(tensor, id)
                }
                Err(error) => {
                    self.error = Some(error);
                    param
                }
            }
        }
    }

    let origins = parts
        .iter()
        .map(|part| (part.parameter.as_str(), &part.origin));
    let mut mapper = Fill {
        path: ModulePath::default(),
        origins: origins.collect(),
        tensors,
        error: None,
    };
    let model = model.map(&mut mapper);
    match mapper.error {
        Some(error) => Err(error),
        None => Ok(model),
    }
}

impl Origin {
    /// Reads the values in Burn's order, for a parameter of this shape.
    fn read(&self, tensors: &NamedTensors, shape: &[usize]) -> Result<Vec<f32>, String> {
        let read = |name: &str| {
            let tensor = tensors
                .tensors
                .get(name)
                .ok_or_else(|| format!("there is no tensor {name}"))?;
            tensor.read().map_err(|error| format!("{name}: {error}"))
        };
        match self {
            Self::Tensor { name, layout } => Ok(layout.into_burn(read(name)?, shape)),
            Self::Difference { name, minus } => {
                let (values, minus) = (read(name)?, read(minus)?);
                Ok(values.iter().zip(&minus).map(|(a, b)| a - b).collect())
            }
            Self::Ones => Ok(vec![1.0; shape.iter().product()]),
        }
    }
}
