//! A custom training loop, in which a small network learns to tell bright images from dark ones.
//!
//! ```text
//! cargo run --release -p xception-models --example own_loop
//! ```

use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::prelude::*;
use burn::tensor::Distribution;
use xception_models::prelude::*;

const BATCH: usize = 16;
const STEPS: usize = 60;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex().autodiff();
    device.seed(1);
    let config = MobileNetV1Config::new(2)
        .with_width(0.25)
        .with_stem(Stem::Small);
    let mut network = config.init(&device)?;
    let mut optimizer = SgdConfig::new().init();
    let loss = CrossEntropyLossConfig::new().init(&device);

    for step in 1..=STEPS {
        let (images, labels) = batch(&device);
        let loss = loss.forward(network.forward(images), labels);
        if step % 10 == 0 {
            let loss = loss.clone().into_scalar::<f32>();
            println!("step {step}: loss {loss:.3}");
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(0.05, network, gradients);
    }

    // For inference: normalization is folded into the convolutions, and there are no gradients.
    let fused = network.fuse();
    let (images, labels) = batch(&Device::flex());
    let predicted = fused.forward(images).argmax(1).reshape([BATCH]);
    let right = predicted.equal(labels).int().sum().into_scalar::<i32>();
    println!("{right} of {BATCH} new images are classified right");
    Ok(())
}

/// Makes noise around -0.5 (class 0) and 0.5 (class 1), `[BATCH, 3, 32, 32]`, with its classes.
fn batch(device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
    let labels = Tensor::<1, Int>::arange(0..BATCH as i64, device).remainder_scalar(2);
    let brightness = labels.clone().float() - 0.5;
    let noise = Tensor::random([BATCH, 3, 32, 32], Distribution::Normal(0.0, 1.0), device);
    (noise + brightness.reshape([BATCH, 1, 1, 1]), labels)
}
