//! Batch normalization, ReLU, max pooling and the optimizer's step, by this crate's kernels.
//!
//! `cargo bench -p xception-kernels --bench elementwise -- [PART OF A NAME] [ROUNDS]` prints the median
//! and the least milliseconds of each.

#![allow(clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::time::Instant;

use burn::prelude::*;
use support::{elements, fractions, tensor};
use xception_kernels::{
    Geometry, SgdSettings, batch_norm_train, max_pool2d, normalize, relu, sgd_step,
};

/// The allocator that the program has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A few feature maps of networks, large and small.
const SHAPES: [[usize; 4]; 3] = [[2, 128, 74, 74], [4, 728, 19, 19], [32, 88, 4, 4]];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&String> = arguments.iter().filter(|a| *a != "--bench").collect();
    let part = arguments.first().map_or("", |part| part.as_str());
    let rounds = arguments.get(1).and_then(|text| text.parse().ok());
    let rounds = rounds.unwrap_or(31);
    for shape in SHAPES {
        let report = |name: &str, run: &dyn Fn() -> f64| {
            let name = format!("{name} {shape:?}");
            if name.contains(part) {
                measure(&name, rounds, run);
            }
        };
        report("relu", &|| {
            let input = map(shape, &Device::flex());
            let other = input.clone(); // so that it can't be rectified in place
            let seconds = seconds(|| relu(input));
            drop(other);
            seconds
        });
        report("relu backward", &|| {
            let input = map(shape, &Device::flex().autodiff()).require_grad();
            seconds(|| relu(input).sum().backward())
        });
        for with_relu in [false, true] {
            let name = match with_relu {
                true => "batch norm, relu",
                false => "batch norm",
            };
            report(name, &|| {
                let device = Device::flex();
                let input = map(shape, &device);
                let [gamma, beta] = channels(shape, &device);
                seconds(|| batch_norm_train(input, gamma, beta, 1e-3, with_relu))
            });
            report(&format!("{name}, backward"), &|| {
                let device = Device::flex().autodiff();
                let input = map(shape, &device).require_grad();
                let [gamma, beta] = channels(shape, &device);
                seconds(|| {
                    let batch = batch_norm_train(input, gamma, beta, 1e-3, with_relu);
                    batch.output.sum().backward()
                })
            });
        }
        report("normalize", &|| {
            let device = Device::flex();
            let input = map(shape, &device);
            let [gamma, beta] = channels(shape, &device);
            let [mean, variance] = channels(shape, &device);
            seconds(|| normalize(input, [gamma, beta], [mean, variance.abs()], 1e-3, true))
        });
        let geometry = Geometry::same(3).with_stride(2);
        report("max pool", &|| {
            let input = map(shape, &Device::flex());
            seconds(|| max_pool2d(input, &geometry))
        });
        report("max pool, backward", &|| {
            let input = map(shape, &Device::flex().autodiff()).require_grad();
            seconds(|| max_pool2d(input, &geometry).sum().backward())
        });
        report("sgd step", &|| {
            let device = Device::flex();
            let [parameters, gradients, velocities] = [1, 2, 3].map(|_| map(shape, &device));
            let settings = SgdSettings {
                learning_rate: 0.1,
                momentum: 0.9,
                nesterov: true,
                weight_decay: 1e-4,
            };
            seconds(|| sgd_step(parameters, gradients, Some(velocities), &settings))
        });
    }
}

fn map(shape: [usize; 4], device: &Device) -> Tensor<4> {
    tensor(fractions(elements(shape), 1), shape, device)
}

fn channels(shape: [usize; 4], device: &Device) -> [Tensor<1>; 2] {
    [2, 3].map(|seed| tensor(fractions(shape[1], seed), [shape[1]], device))
}

fn seconds<R>(run: impl FnOnce() -> R) -> f64 {
    let start = Instant::now();
    let result = black_box(run());
    let seconds = start.elapsed().as_secs_f64();
    drop(result);
    seconds
}

fn measure(name: &str, rounds: usize, run: &dyn Fn() -> f64) {
    run();
    let mut times: Vec<f64> = (0..rounds).map(|_| run()).collect();
    times.sort_by(f64::total_cmp);
    let (median, least) = (times[times.len() / 2] * 1e3, times[0] * 1e3);
    println!("{name:44} {median:8.3} ms {least:8.3} ms");
}
