//! Reading of the reference files, and comparison with them.

use std::path::Path;

use burn::prelude::*;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::Value;
use xception_models::weights::{LoadOptions, Loaded, load};

use super::formula;

/// A file of `tests/reference`.
pub struct Reference(pub Value);

impl Reference {
    /// Reads a file.
    pub fn read(name: &str) -> Self {
        let path = format!("{}/tests/reference/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).expect(&path);
        Self(serde_json::from_str(&text).expect(&path))
    }

    /// Returns the names and shapes of all tensors.
    pub fn state(&self) -> Vec<(String, Vec<usize>)> {
        serde_json::from_value(self.0["state"].clone()).unwrap()
    }

    /// Makes the images.
    pub fn images(&self, device: &Device) -> Tensor<4> {
        let shape: [usize; 4] = serde_json::from_value(self.0["input"].clone()).unwrap();
        Tensor::from_data(TensorData::new(formula::images(shape), shape), device)
    }

    /// Loads the network, whose weights pass through a safetensors file under their original names.
    pub fn load(&self, state: &[(String, Vec<usize>)], device: &Device) -> Loaded {
        self.load_with(state, &LoadOptions::default(), device)
    }

    /// Loads the network with these options.
    pub fn load_with(
        &self,
        state: &[(String, Vec<usize>)],
        options: &LoadOptions,
        device: &Device,
    ) -> Loaded {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.safetensors");
        write(
            &path,
            &formula::state(state, self.0["gain"].as_f64().unwrap()),
        );
        load(&path, options, device).unwrap()
    }
}

/// Writes tensors as safetensors.
pub fn write(path: &Path, tensors: &[(String, Vec<usize>, Vec<f32>)]) {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, _, values)| values.iter().flat_map(|v| v.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
        (name.clone(), view)
    });
    safetensors::serialize_to_file(views, None, path).unwrap();
}

/// Flattens nested arrays of numbers.
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

/// Returns the largest difference, relative to the largest expected value.
pub fn worst(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest =
        |values: &mut dyn Iterator<Item = f64>| values.fold(0.0f64, |a, b| a.max(b.abs()));
    let scale = largest(&mut expected.iter().copied());
    let differences = found.iter().zip(expected).map(|(a, b)| a - b);
    // `f64::max` ignores NaN.
    assert!(found.iter().all(|value| value.is_finite()));
    largest(&mut differences.into_iter()) / scale
}

/// Returns a tensor's values.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    let values = tensor.into_data().try_to_vec::<f32>().unwrap();
    values.into_iter().map(f64::from).collect()
}
