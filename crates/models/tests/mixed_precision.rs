//! Networks compute in the element type of their images: a training step in half precision agrees with one in single precision, as
//! far as half precision allows.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::prelude::*;
use burn::tensor::{DType, Distribution, Gradients};
use xception_models::layers::Kernels;
use xception_models::{MODELS, Model, ModelConfig, Network};

/// Largest difference of a step in half precision from one in single precision, in times of that of rounded weights and images: each
/// layer rounds its output and its gradient besides. 2.3 was seen, and 5.2 with Burn's own operations on the processor, which sum
/// products of `f16` in `f16`.
const FACTORS: [(Kernels, f64); 2] = [(Kernels::Native, 3.0), (Kernels::Burn, 8.0)];

/// Collects the gradients of a module by their paths.
struct Collector<'a> {
    gradients: &'a Gradients,
    path: Vec<String>,
    found: BTreeMap<String, Vec<f64>>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if let Some(gradient) = parameter.val().grad(self.gradients) {
            assert_eq!(gradient.dtype(), DType::F32, "of {:?}", self.path);
            let values = gradient.into_data().try_to_vec::<f32>().unwrap();
            let values = values.into_iter().map(f64::from).collect();
            self.found.insert(self.path.join("."), values);
        }
    }
}

/// What a step gives: the logits, also those of auxiliary classifiers, and the gradients of each parameter.
struct Step {
    logits: Vec<f64>,
    gradients: BTreeMap<String, Vec<f64>>,
}

/// Computes a step on images of an element type. The loss is linear in the logits, with factors that differ.
fn step(model: &Model, images: &TensorData, element: DType, device: &Device) -> Step {
    device.seed(3); // of dropout
    let images = Tensor::<4>::from_data(images.clone(), device).cast(element);
    let (logits, auxiliary) = model.forward_auxiliary(images);
    let all = std::iter::once(logits).chain(auxiliary).collect();
    let logits = Tensor::cat(all, 0);
    assert_eq!(logits.dtype(), DType::F32);
    let factors = Tensor::<1, Int>::arange(0..logits.shape().num_elements() as i64, device);
    let factors = factors.float().sin().reshape(logits.dims());
    let loss = (logits.clone() * factors).sum();
    let mut collector = Collector {
        gradients: &loss.backward(),
        path: Vec::new(),
        found: BTreeMap::new(),
    };
    model.visit(&mut collector);
    let logits = logits.into_data().try_to_vec::<f32>().unwrap();
    Step {
        logits: logits.into_iter().map(f64::from).collect(),
        gradients: collector.found,
    }
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}

/// Returns the norm of a difference, relative to that of what is expected.
fn distance(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let difference = found.iter().zip(expected).map(|(a, b)| a - b);
    norm(difference) / norm(expected.iter().copied())
}

/// Rounds parameters to an element type.
struct Rounding(DType);

impl ModuleMapper for Rounding {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|tensor| {
            let rounded = tensor.inner().cast(self.0).cast(DType::F32);
            Tensor::from_inner(rounded).require_grad()
        })
    }
}

/// Checks that a step in half precision gives what one in single precision gives, as far as the network allows: a network amplifies
/// the rounding of its weights and images too, which are rounded here without anything else.
fn check(config: &ModelConfig, size: [usize; 2], element: DType, factor: f64) {
    let device = Device::flex().autodiff();
    device.seed(7);
    let model = config.init(&device).unwrap();
    let [height, width] = size;
    let images = Tensor::<4>::random([8, 3, height, width], Distribution::Default, &device);
    let rounded = images.clone().cast(element).cast(DType::F32).into_data();
    let images = images.into_data();

    let single = step(&model, &images, DType::F32, &device);
    let half = step(&model, &images, element, &device);
    let rounded = step(
        &model.map(&mut Rounding(element)),
        &rounded,
        DType::F32,
        &device,
    );
    let all = |step: &Step| {
        step.gradients
            .values()
            .flatten()
            .copied()
            .collect::<Vec<_>>()
    };
    assert!(single.gradients.keys().eq(half.gradients.keys()));
    for (what, found, allowed) in [
        (
            "logits",
            distance(&half.logits, &single.logits),
            distance(&rounded.logits, &single.logits),
        ),
        (
            "gradients",
            distance(&all(&half), &all(&single)),
            distance(&all(&rounded), &all(&single)),
        ),
    ] {
        let name = config.name();
        println!(
            "{name}, {element:?}, {what}: {found:.1e}, of rounding weights and images {allowed:.1e}"
        );
        assert!(
            found <= factor * allowed,
            "{name}, {element:?}, {what}: {found} {allowed}"
        );
    }
}

#[test]
fn every_network_trains_in_half_precision() {
    let (kernels, factor) = FACTORS[0];
    for info in MODELS.iter() {
        let config = info.config().with_width(0.25).with_classes(12);
        let config = config.with_kernels(kernels);
        check(&config, [75, 80], DType::F16, factor);
    }
}

#[test]
fn both_types_and_both_implementations_of_the_operations_do() {
    for (kernels, factor) in FACTORS {
        let config = ModelConfig::named("xception").unwrap();
        let config = config
            .with_width(0.1)
            .with_classes(12)
            .with_kernels(kernels);
        for element in [DType::F16, DType::BF16] {
            check(&config, [40, 33], element, factor);
        }
    }
}
