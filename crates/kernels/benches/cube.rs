//! Layers in training on a graphics card: this crate's kernels beside Burn's own operations, in alternating rounds.
//!
//!     cargo bench -p xception-kernels --features wgpu --bench cube -- [BATCH] [ROUNDS]
//!
//! Each step is a forward and a backward pass to all of its arguments, waited for. The time is the median of the rounds, after two
//! steps that compile and tune. On standard error it says when a step begins that isn't measured and follows all tuning: with
//! `CUBECL_DEBUG_OPTION=profile CUBECL_DEBUG_LOG=stderr` the lines between are the launches of the step.

#![allow(clippy::unwrap_used)]

use std::time::Instant;

use burn::prelude::*;
use burn::tensor::{Distribution, activation, module};
use xception_kernels::{Geometry, batch_norm_train, burn_conv2d, conv2d};

/// A convolution, or a batch normalization with ReLU where there is no geometry.
struct Layer {
    name: &'static str,
    channels: usize,
    groups: usize,
    size: usize,
    geometry: Option<Geometry>,
}

const fn depthwise(name: &'static str, channels: usize, size: usize, stride: usize) -> Layer {
    Layer {
        name,
        channels,
        groups: channels,
        size,
        geometry: Some(Geometry::same(3).with_stride(stride)),
    }
}

const fn normalization(name: &'static str, channels: usize, size: usize) -> Layer {
    Layer {
        name,
        channels,
        groups: 1,
        size,
        geometry: None,
    }
}

const LAYERS: &[Layer] = &[
    depthwise("depthwise 3x3, 128 channels, 74 x 74", 128, 74, 1),
    depthwise("depthwise 3x3, 728 channels, 19 x 19", 728, 19, 1),
    depthwise("depthwise 3x3, 1536 channels, 10 x 10", 1536, 10, 1),
    depthwise(
        "depthwise 3x3 at stride 2, 256 channels, 37 x 37",
        256,
        37,
        2,
    ),
    Layer {
        name: "32 groups 3x3, 256 channels, 14 x 14",
        channels: 256,
        groups: 32,
        size: 14,
        geometry: Some(Geometry::same(3)),
    },
    normalization("normalization and ReLU, 728 channels, 19 x 19", 728, 19),
    normalization("normalization and ReLU, 128 channels, 74 x 74", 128, 74),
];

#[cfg(any(feature = "wgpu", feature = "cuda", feature = "rocm"))]
fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok());
    let batch = numbers.next().unwrap_or(4);
    let rounds = numbers.next().unwrap_or(7);
    #[cfg(feature = "cuda")]
    let device = Device::cuda(Default::default());
    #[cfg(all(feature = "rocm", not(feature = "cuda")))]
    let device = Device::rocm(Default::default());
    #[cfg(not(any(feature = "cuda", feature = "rocm")))]
    let device = Device::wgpu(Default::default());
    let device = device.autodiff();

    println!("batch {batch}, {rounds} rounds, {device:?}\n");
    println!("| layer | Burn, ms | this crate, ms | ratio |");
    println!("|---|---:|---:|---:|");
    for layer in LAYERS {
        let mut times = [Vec::new(), Vec::new()];
        for round in 0..rounds + 3 {
            for (native, times) in [false, true].into_iter().zip(&mut times) {
                if round == 2 {
                    eprintln!("STEP {}, native {native}", layer.name);
                }
                let time = step(layer, batch, native, &device);
                match round {
                    0 | 1 => (),
                    2 => eprintln!("END"),
                    _ => times.push(time),
                }
            }
        }
        let [burn, own] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2] * 1e3
        });
        println!(
            "| {} | {burn:.1} | {own:.1} | {:.2} |",
            layer.name,
            own / burn
        );
    }
}

#[cfg(not(any(feature = "wgpu", feature = "cuda", feature = "rocm")))]
fn main() {
    let names: Vec<_> = LAYERS.iter().map(|layer| layer.name).collect();
    println!(
        "needs one of the features wgpu, cuda and rocm for {}",
        names.join("; ")
    );
}

/// Returns the seconds of a forward and a backward pass.
#[cfg_attr(
    not(any(feature = "wgpu", feature = "cuda", feature = "rocm")),
    expect(dead_code)
)]
fn step(layer: &Layer, batch: usize, native: bool, device: &Device) -> f64 {
    let (channels, size) = (layer.channels, layer.size);
    let random = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Default, device);
    // With adjacent channels, as the layer before leaves them.
    let input = random([batch, size, size, channels]).permute([0, 3, 1, 2]);
    let input = input.detach().require_grad();
    let [gamma, beta] = [(); 2].map(|()| Tensor::<1>::ones([channels], device).require_grad());
    let weight = random([channels, channels / layer.groups, 3, 3]).require_grad();
    device.sync().unwrap();
    let start = Instant::now();
    let output = match (&layer.geometry, native) {
        (Some(geometry), true) => conv2d(input, weight.clone(), None, geometry, layer.groups),
        (Some(geometry), false) => burn_conv2d(input, weight.clone(), None, geometry, layer.groups),
        (None, true) => batch_norm_train(input, gamma, beta, 1e-3, true).output,
        (None, false) => {
            activation::relu(module::batch_norm_train(input, gamma, beta, 1e-3).output)
        }
    };
    let gradients = output.sum().backward();
    device.sync().unwrap();
    drop(gradients);
    start.elapsed().as_secs_f64()
}
