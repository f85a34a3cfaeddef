//! The speed of a large matrix product and of a pass over a large tensor, which are upper bounds for networks.

use anyhow::Result;
use burn::prelude::*;
use burn::tensor::Distribution;
use serde::Serialize;

use super::clock::Stopwatch;

/// Rows and columns of the matrices: large enough for every core of a workstation, and 50 MB in all.
const SIDE: usize = 2048;
/// Values of the tensor that is read and written: 128 MB, more than caches have.
const VALUES: usize = 1 << 25;
/// Least number of repetitions, of which the fastest counts.
const REPETITIONS: usize = 3;
/// Least number of seconds for which each is repeated.
const SECONDS: f64 = 0.5;

/// The highest speeds of a device.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Ceiling {
    /// Number of rows and columns of the matrices.
    pub side: usize,
    /// Billions of operations per second, at two per multiply-add, of a product of two such matrices of `f32`.
    pub gflops: f64,
    /// Billions of bytes per second that a pass over a large tensor of `f32` reads and writes.
    pub gigabytes_per_second: f64,
}

impl Ceiling {
    /// Measures on a device without autodiff.
    ///
    /// # Errors
    ///
    /// If the device fails.
    pub fn measure(device: &Device) -> Result<Self> {
        let matrix = || Tensor::<2>::random([SIDE, SIDE], Distribution::Default, device);
        let (left, right) = (matrix(), matrix());
        let product = fastest(device, || left.clone().matmul(right.clone()))?;
        drop((left, right));
        let values = Tensor::<1>::zeros([VALUES], device);
        let pass = fastest(device, || values.clone().add_scalar(1.0))?;
        let bytes = 2.0 * size_of::<f32>() as f64 * VALUES as f64;
        Ok(Self {
            side: SIDE,
            gflops: 2.0 * (SIDE as f64).powi(3) / product / 1e9,
            gigabytes_per_second: bytes / pass / 1e9,
        })
    }
}

/// Repeats an operation, and returns the shortest time in seconds.
fn fastest<const D: usize>(device: &Device, operation: impl Fn() -> Tensor<D>) -> Result<f64> {
    let mut seconds = Vec::new();
    while seconds.len() < REPETITIONS || seconds.iter().sum::<f64>() < SECONDS {
        let mut stopwatch = Stopwatch::start(device)?;
        let result = operation();
        seconds.push(stopwatch.lap()?);
        drop(result);
    }
    Ok(seconds.into_iter().fold(f64::INFINITY, f64::min))
}
