//! Asserts that the networks alone get the native kernels, and prints what they gain.

use std::time::Instant;

use burn::prelude::*;
use xception_models::kernels::{runs_natively, within_pool};
use xception_models::prelude::*;

const ROUNDS: usize = 7;

fn main() -> Result<(), ModelError> {
    let device = Device::flex();
    assert!(
        runs_natively(&device),
        "xception-models alone falls back to Burn's operations"
    );
    let images = || Tensor::<4>::ones([1, 3, 299, 299], &device);
    let xception = |kernels| XceptionConfig::new(1000).with_kernels(kernels).init(&device);
    let (native, burn) = (xception(Kernels::Native)?, xception(Kernels::Burn)?);
    let fused = native.fuse();
    let passes: [(&str, &(dyn Fn() -> Tensor<2> + Sync)); 3] = [
        ("Burn's operations", &|| burn.forward(images())),
        ("native kernels", &|| native.forward(images())),
        ("fused", &|| fused.forward(images())),
    ];
    // Alternating, so that a noisy machine is noisy for all.
    let mut times = [const { Vec::new() }; 3];
    within_pool(|| {
        for _ in 0..=ROUNDS {
            for ((_, pass), times) in passes.iter().zip(&mut times) {
                let start = Instant::now();
                let _ = pass().into_data();
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
    });
    println!("Xception, 1 x 3 x 299 x 299, median of {ROUNDS} forward passes after the first:");
    for ((name, _), times) in passes.iter().zip(&mut times) {
        let times = &mut times[1..];
        times.sort_by(f64::total_cmp);
        println!("  {name:18} {:6.0} ms", times[times.len() / 2]);
    }
    Ok(())
}
