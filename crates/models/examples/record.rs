//! A network's parameters in Burn's record format, written to a file and read into a network of the same
//! configuration.
//!
//! ```text
//! cargo run --release -p xception-models --example record
//! ```

use burn::module::Module;
use burn::prelude::*;
use xception_models::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex();
    let config = XceptionConfig::new(10)
        .with_width(0.125)
        .with_middle_modules(1);
    let network = config.init(&device)?;

    let folder = std::env::temp_dir().join(format!("xception-record-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (parameters, options) = (folder.join("network.bpk"), folder.join("network.json"));
    network.clone().save_file(&parameters)?;
    config.save(&options)?;

    let config: XceptionConfig = XceptionConfig::load(&options)?;
    let read = config.init(&device)?.try_load_file(&parameters)?;
    let images = Tensor::ones([1, 3, 96, 96], &device);
    let difference = (network.forward(images.clone()) - read.forward(images))
        .abs()
        .max();
    println!(
        "the greatest difference is {}",
        difference.into_scalar::<f32>()
    );
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
