//! The speed of a large matrix product, which is an upper bound for networks.

use anyhow::Result;
use burn::prelude::*;
use burn::tensor::Distribution;
use serde::Serialize;

use super::clock::Stopwatch;

/// Rows and columns of the matrices: large enough for every core of a workstation, and 50 MB in all.
const SIDE: usize = 2048;
/// Least number of products, of which the fastest counts.
const PRODUCTS: usize = 3;
/// Least number of seconds for which products are computed.
const SECONDS: f64 = 0.5;

/// The highest speed of a matrix product.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Ceiling {
    /// Number of rows and columns of the matrices.
    pub side: usize,
    /// Billions of operations per second, at two per multiply-add.
    pub gflops: f64,
}

impl Ceiling {
    /// Measures the product of random matrices on a device without autodiff.
    ///
    /// # Errors
    ///
    /// If the device fails.
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
