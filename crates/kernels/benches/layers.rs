//! The networks' layers, with this crate's kernels and with Burn's own operations in turns.
//!
//! `cargo bench -p xception-kernels -- [PART OF A NAME] [BATCH] [ROUNDS]` prints, for the forward pass
//! and for forward and backward together, the median milliseconds, GFLOP/s, GB/s (input, weight and
//! output once) and the ratio to Burn's operation.

#![allow(clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;

use burn::prelude::*;
use support::catalogue::LAYERS;
use support::{Case, elements, fractions, tensor};
use xception_kernels::{burn_conv2d, conv2d};

type Convolve = fn(Tensor<4>, Tensor<4>, &Case) -> Tensor<4>;

const OPERATIONS: [Convolve; 2] = [
    |input, weight, case| conv2d(input, weight, None, &case.geometry, case.groups),
    |input, weight, case| burn_conv2d(input, weight, None, &case.geometry, case.groups),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&String> = arguments.iter().filter(|a| *a != "--bench").collect();
    let part = arguments.first().map_or("", |part| part.as_str());
    let number = |index: usize, default: usize| {
        let given = arguments.get(index).and_then(|text| text.parse().ok());
        given.unwrap_or(default)
    };
    let (batch, rounds) = (number(1, 1), number(2, 9));
    println!("batch {batch}; ms, GFLOP/s and GB/s of the kernel, and its time by Burn's");
    for layer in LAYERS.iter().filter(|layer| layer.name.contains(part)) {
        let case = Case {
            batch,
            ..layer.case
        };
        let forward = medians(&case, rounds, |convolve| run(&case, convolve, false));
        let train = medians(&case, rounds, |convolve| run(&case, convolve, true));
        println!(
            "{:32} forward {} | with backward {}",
            layer.name,
            line(&case, forward, 1.0),
            line(&case, train, 3.0)
        );
    }
}

/// The medians of both operations' seconds, run in turns.
fn medians(case: &Case, rounds: usize, run: impl Fn(Convolve) -> f64) -> [f64; 2] {
    // Burn's weight gradient of a depthwise layer is a loop of convolutions.
    let rounds = if case.groups > 1 {
        rounds.min(3)
    } else {
        rounds
    };
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..=rounds {
        for (convolve, times) in OPERATIONS.into_iter().zip(&mut times) {
            let seconds = run(convolve);
            if round > 0 {
                times.push(seconds);
            }
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

fn run(case: &Case, convolve: Convolve, backward: bool) -> f64 {
    let device = match backward {
        true => Device::flex().autodiff(),
        false => Device::flex(),
    };
    let input = tensor(fractions(elements(case.input()), 1), case.input(), &device);
    let weight = tensor(
        fractions(elements(case.weight()), 2),
        case.weight(),
        &device,
    );
    if !backward {
        let start = Instant::now();
        let output = convolve(input, weight, case);
        let seconds = start.elapsed().as_secs_f64();
        drop(output);
        return seconds;
    }
    let (input, weight) = (input.require_grad(), weight.require_grad());
    let start = Instant::now();
    let gradients = convolve(input, weight, case).sum().backward();
    let seconds = start.elapsed().as_secs_f64();
    drop(gradients);
    seconds
}

/// `passes` is how often a forward pass's products are computed.
fn line(case: &Case, [own, burn]: [f64; 2], passes: f64) -> String {
    let taps = elements(case.weight()) / case.outputs;
    let operations = 2.0 * passes * (elements(case.output()) * taps) as f64;
    let values = elements(case.input()) + elements(case.weight()) + elements(case.output());
    let bytes = 4.0 * passes * values as f64;
    format!(
        "{:8.3} ms {:6.1} GFLOP/s {:5.1} GB/s ratio {:5.3}",
        own * 1e3,
        operations / own / 1e9,
        bytes / own / 1e9,
        own / burn
    )
}
