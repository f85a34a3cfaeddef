//! Times of the networks' forward passes: fused, with this project's kernels, and with Burn's own operations, in
//! turn.
//!
//! `cargo bench --workspace --bench networks -- [PART OF A NAME] [BATCH] [ROUNDS] [fused]` prints the median
//! milliseconds of each, the fused network's GFLOP/s, and its time relative to the others'. With `fused` as the last
//! argument only the fused network runs, for a profile.

#![allow(clippy::unwrap_used)]

use std::time::Instant;

use burn::prelude::*;
use burn::tensor::Distribution;
use xception_models::layers::Kernels;
use xception_models::{MODELS, Network, Summary};

/// The program's allocator.
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
    let alone = arguments.get(3).is_some_and(|what| *what == "fused");
    let device = Device::flex();
    for info in MODELS.iter().filter(|info| info.name.contains(part)) {
        let model = info.config().init(&device).unwrap();
        let burn = info
            .config()
            .with_kernels(Kernels::Burn)
            .init(&device)
            .unwrap();
        let fused = model.fuse();
        let size = info.image_size;
        let images = Tensor::random([batch, 3, size, size], Distribution::Default, &device);
        let run = |network: &dyn Fn(Tensor<4>) -> Tensor<2>| {
            let start = Instant::now();
            drop(network(images.clone()).into_data());
            start.elapsed().as_secs_f64() * 1e3
        };
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        for round in 0..=rounds {
            let milliseconds = match alone {
                true => [run(&|images| fused.forward(images)), f64::NAN, f64::NAN],
                false => [
                    run(&|images| fused.forward(images)),
                    run(&|images| model.forward(images)),
                    run(&|images| burn.forward(images)),
                ],
            };
            if round > 0 {
                for (times, milliseconds) in times.iter_mut().zip(milliseconds) {
                    times.push(milliseconds);
                }
            }
        }
        let [fused, own, burn] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        });
        let summary = Summary::new(&model, [size, size]).unwrap();
        let operations = 2.0 * (batch as u64 * summary.multiply_adds()) as f64;
        println!(
            "{:14} {batch} x {size}: fused {fused:8.2} ms, {:6.1} GFLOP/s; kernels {own:8.2} ms, \
             Burn {burn:8.2} ms; ratios {:.3} and {:.3}",
            info.name,
            operations / fused / 1e6,
            fused / own,
            fused / burn,
        );
    }
}
