//! Features for transfer learning: the output of each stage, and the pooled features.
//!
//! ```text
//! cargo run --release --example features
//! ```

use burn::prelude::*;
use xception::models::{ModelConfig, Network};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex();
    let model = ModelConfig::named("resnet18")?.init(&device)?;
    let images = Tensor::zeros([2, 3, 224, 224], &device);

    let features = model.forward_features(images);
    for stage in &features.stages {
        println!("{:8} {:?}", stage.name, stage.output.dims());
    }
    println!("pooled   {:?}", features.pooled.dims());
    println!("logits   {:?}", features.logits.dims());
    Ok(())
}
