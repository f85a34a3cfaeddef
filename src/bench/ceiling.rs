//! The speed of a large matrix product, which no network is faster than.

use anyhow::Result;
use burn::prelude::*;
use burn::tensor::Distribution;
use serde::Serialize;

use super::clock::Stopwatch;

/// Rows and columns of the matrices: large enough for every core of a workstation, and 50 MB in all.
const SIDE: usize = 2048;
/// Products at least, of which the fastest counts.
const PRODUCTS: usize = 3;
/// Seconds that products are computed for at least.
const SECONDS: f64 = 0.5;

/// The best that a matrix product reaches.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Ceiling {
    /// Rows and columns of the matrices.
    pub side: usize,
    /// Billions of operations a second, two a multiply-add.
    pub gflops: f64,
}

impl Ceiling {
    /// Multiplies random matrices on a device without autodiff.
    ///
    /// # Errors
    ///
    /// Where the device fails.
    pub fn measure(device: &Device) -> Result<Self> {
        let matrix = || Tensor::<2>::random([SIDE, SIDE], Distribution::Default, device);
        let (left, right) = (matrix(), matrix());
        let mut seconds = Vec::new();
        while seconds.len() < PRODUCTS || seconds.iter().sum::<f64>() < SECONDS {
            let mut stopwatch = Stopwatch::start(device)?;
            let product = left.clone().matmul(right.clone());
            seconds.push(stopwatch.lap()?);
            drop(product);
        }
        let fastest = seconds.into_iter().fold(f64::INFINITY, f64::min);
        let operations = 2.0 * (SIDE as f64).powi(3);
        Ok(Self {
            side: SIDE,
            gflops: operations / fastest / 1e9,
        })
    }
}
