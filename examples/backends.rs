//! A weights file loaded on every backend of this build.
//!
//! ```text
//! cargo run --release --example backends
//! cargo run --release --example backends --features wgpu
//! ```

use burn::module::Module;
use burn::prelude::*;
use xception::Backend;
use xception::models::{Network, XceptionConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = XceptionConfig::new(10).with_width(0.25);
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("xception.bpk");
    config.init(&Device::flex())?.save_file(&file)?;

    for (name, _, backend) in Backend::all() {
        let Some(device) = backend.and_then(|backend| backend.device().ok()) else {
            continue; // not in this build, or not on this machine
        };
        let model = config.init(&device)?.try_load_file(&file)?;
        let logits = model.forward(Tensor::ones([1, 3, 96, 96], &device));
        println!("{name:8} {:.5?}", logits.into_data().try_to_vec::<f32>()?);
    }
    Ok(())
}
