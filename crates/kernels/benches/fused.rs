//! The networks' layers made ready for inference, with this crate's kernels and with Burn's own
//! operations in turns.
//!
//! `cargo bench --workspace --bench fused -- [PART OF A NAME] [BATCH] [ROUNDS]` prints the median
//! milliseconds, GFLOP/s, GB/s (input, weight and output once) and the ratio to Burn's operations.

#![allow(clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;

use burn::prelude::*;
use support::catalogue::{LAYERS, SEPARABLE};
use support::{Case, elements, fractions, tensor};
use xception_kernels::{Activation, Epilogue, FusedConv2d, FusedDepthwise, Geometry};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&String> = arguments.iter().filter(|a| *a != "--bench").collect();
    let part = arguments.first().map_or("", |part| part.as_str());
    let number = |index: usize, default: usize| {
        let given = arguments.get(index).and_then(|text| text.parse().ok());
        given.unwrap_or(default)
    };
    let (batch, rounds) = (number(1, 1), number(2, 9));
    println!("batch {batch}; ms, GFLOP/s and GB/s of the fused layer, and its time by Burn's");
    for layer in SEPARABLE.iter().filter(|layer| layer.name.contains(part)) {
        let case = Case {
            batch,
            ..layer.case
        };
        report(layer.name, &case, rounds, 9 * case.channels, |native| {
            separable(&case, native)
        });
    }
    let dense = LAYERS.iter().filter(|layer| layer.case.groups == 1);
    for layer in dense.filter(|layer| layer.name.contains(part)) {
        let case = Case {
            batch,
            ..layer.case
        };
        report(layer.name, &case, rounds, 0, |native| {
            dense_layer(&case, native)
        });
    }
}

fn relu() -> Epilogue {
    Epilogue {
        residual: None,
        activation: Activation::Relu,
    }
}

fn weights(shape: [usize; 4], seed: usize) -> Tensor<4> {
    tensor(fractions(elements(shape), seed), shape, &Device::flex())
}

fn dense_layer(case: &Case, native: bool) -> FusedConv2d {
    let bias = Tensor::zeros([case.outputs], &Device::flex());
    FusedConv2d::new(weights(case.weight(), 2), bias, case.geometry, 1, native)
}

/// 3x3, then the pointwise convolution that the case is.
fn separable(case: &Case, native: bool) -> FusedConv2d {
    let depthwise = FusedDepthwise {
        weight: weights([case.channels, 1, 3, 3], 3),
        channels: case.channels,
        bias: None,
        geometry: Geometry::same(3),
        input_relu: false,
        activation: Activation::None,
    };
    let bias = Tensor::zeros([case.outputs], &Device::flex());
    FusedConv2d::separable(depthwise, weights(case.weight(), 2), bias, native)
}

/// Measures both kernels in turns; `depthwise` is the number of products of a pixel's depthwise part.
fn report(
    name: &str,
    case: &Case,
    rounds: usize,
    depthwise: usize,
    make: impl Fn(bool) -> FusedConv2d,
) {
    let layers = [make(true), make(false)];
    let [batch, channels, height, width] = case.input();
    let shape = [batch, height, width, channels];
    let input = tensor(fractions(elements(shape), 1), shape, &Device::flex());
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..=rounds {
        for (layer, times) in layers.iter().zip(&mut times) {
            let start = Instant::now();
            let output = layer.forward(input.clone(), relu());
            let seconds = start.elapsed().as_secs_f64();
            drop(output);
            if round > 0 {
                times.push(seconds);
            }
        }
    }
    let [own, burn] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    let output = elements(case.output());
    let taps = elements(case.weight()) / case.outputs;
    let operations = 2.0 * (output * taps + output / case.outputs * depthwise) as f64;
    let bytes = 4.0 * (elements(case.input()) + elements(case.weight()) + output) as f64;
    println!(
        "{name:32} {:8.3} ms {:6.1} GFLOP/s {:5.1} GB/s ratio {:5.3}",
        own * 1e3,
        operations / own / 1e9,
        bytes / own / 1e9,
        own / burn
    );
}
