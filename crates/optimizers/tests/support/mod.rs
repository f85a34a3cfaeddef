//! What the comparisons with other programs share.

#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // each test program needs some of it

use std::fs;
use std::path::Path;

use burn::module::{Module, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::prelude::*;
use serde_json::Value;

/// A matrix and a vector with the same values: a kernel, and what isn't one.
#[derive(Module, Debug)]
pub struct Pair {
    pub matrix: Param<Tensor<2>>,
    pub vector: Param<Tensor<1>>,
}

impl Pair {
    pub fn new(values: &[f32], device: &Device) -> Self {
        let size = values.len();
        let data = |shape: Vec<usize>| TensorData::new(values.to_vec(), shape);
        Self {
            matrix: Param::from_tensor(Tensor::from_data(data(vec![2, size / 2]), device)),
            vector: Param::from_tensor(Tensor::from_data(data(vec![size]), device)),
        }
    }

    /// Returns gradients with these values, for both.
    pub fn gradients(&self, values: &[f32]) -> GradientsParams {
        let device = self.vector.val().device().inner();
        let given = Self::new(values, &device);
        let mut gradients = GradientsParams::new();
        gradients.register(self.matrix.id, given.matrix.val());
        gradients.register(self.vector.id, given.vector.val());
        gradients
    }

    pub fn values(&self) -> [Vec<f32>; 2] {
        let matrix = self.matrix.val().into_data().try_into_vec();
        let vector = self.vector.val().into_data().try_into_vec();
        [matrix.unwrap(), vector.unwrap()]
    }
}

/// The fixture of this name.
pub fn fixture(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let text = fs::read_to_string(folder.join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub fn numbers(value: &Value) -> Vec<f32> {
    let list = value.as_array().unwrap();
    let numbers = list.iter().map(|number| number.as_f64().unwrap() as f32);
    numbers.collect()
}

pub fn lists(value: &Value) -> Vec<Vec<f32>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

pub fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap()
}

/// Takes the fixture's steps with an optimizer, which is saved and restored on the way, and returns the parameters after each.
pub fn steps(fixture: &Value, make: impl Fn() -> ModuleOptimizer) -> Vec<[Vec<f32>; 2]> {
    let mut pair = Pair::new(&numbers(&fixture["start"]), &Device::flex().autodiff());
    let mut optimizer = make();
    let mut found = Vec::new();
    let rates = numbers_f64(&fixture["rates"]);
    for (step, (gradient, rate)) in lists(&fixture["gradients"]).iter().zip(rates).enumerate() {
        let gradients = pair.gradients(gradient);
        pair = optimizer.step(rate, pair, gradients);
        found.push(pair.values());
        if step == 3 {
            let bytes = optimizer.into_bytes().unwrap();
            optimizer = make().from_bytes(bytes).unwrap();
        }
    }
    assert_eq!(found.len(), 8);
    found
}

fn numbers_f64(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap();
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Asserts that numbers agree to some roundings in single precision.
pub fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let tolerance = 1e-6 * expected.abs().max(0.1);
        assert!(
            (found - expected).abs() <= tolerance,
            "{what}: {found} instead of {expected}"
        );
    }
}
