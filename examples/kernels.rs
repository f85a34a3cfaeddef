//! Times of a network with this project's kernels and with Burn's own operations, in turn.
//!
//! `cargo run --release --example kernels -- [MODEL] [BATCH] [SIZE] [train|infer] [ROUNDS]`

use std::time::Instant;

use burn::module::Module;
use burn::prelude::*;
use burn::tensor::Distribution;
use xception_models::layers::Kernels;
use xception_models::{Model, ModelConfig, Network};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |index: usize, default: &str| {
        let given = arguments.get(index).map(String::as_str);
        given.unwrap_or(default).to_owned()
    };
    let name = argument(0, "xception");
    let batch: usize = argument(1, "8").parse()?;
    let size: usize = argument(2, "96").parse()?;
    let train = argument(3, "train") == "train";
    let rounds: usize = argument(4, "9").parse()?;

    let device = Device::flex().autodiff();
    device.seed(1);
    let config = ModelConfig::named(&name)?.with_classes(10);
    let model = |kernels| -> anyhow::Result<Model> {
        Ok(config.clone().with_kernels(kernels).init(&device)?)
    };
    let models = [model(Kernels::Native)?, model(Kernels::Burn)?];
    let images = Tensor::random([batch, 3, size, size], Distribution::Default, &device);

    let mut times = [Vec::new(), Vec::new()];
    for round in 0..=rounds {
        for (model, times) in models.iter().zip(&mut times) {
            let seconds = match train {
                true => step(model, images.clone()),
                false => forward(&model.valid(), images.clone().inner()),
            };
            if round > 0 {
                times.push(seconds * 1e3);
            }
        }
    }
    let [native, burn] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    println!(
        "native {native:.1} ms, Burn {burn:.1} ms, ratio {:.3}",
        native / burn
    );
    Ok(())
}

/// Returns the seconds of a forward and a backward pass.
fn step(model: &Model, images: Tensor<4>) -> f64 {
    let start = Instant::now();
    let loss = model.forward(images).square().mean();
    let gradients = loss.backward();
    drop(gradients);
    start.elapsed().as_secs_f64()
}

/// Returns the seconds of a forward pass.
fn forward(model: &Model, images: Tensor<4>) -> f64 {
    let start = Instant::now();
    let logits = model.forward(images).into_data();
    drop(logits);
    start.elapsed().as_secs_f64()
}
