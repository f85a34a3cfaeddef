//! Goes through an epoch of a data set's training images, and says how long that takes and how much memory.
//!
//! ```text
//! cargo run --release -p xception-data --example epoch -- shards:DIR [WORKERS [BATCHES]]
//! ```

use std::error::Error;
use std::time::Instant;

use xception_data::{BatchPlan, Batches, DataSource};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let source = arguments.next().unwrap_or_else(|| "embedded".to_owned());
    let workers = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let most = arguments
        .next()
        .map_or(Ok(usize::MAX), |text| text.parse())?;

    let start = Instant::now();
    let data = source.parse::<DataSource>()?.load()?;
    let loaded = start.elapsed().as_secs_f64();
    println!(
        "{}: {} training and {} test images, found in {loaded:.2} s",
        data.name,
        data.train.len(),
        data.test.len()
    );
    println!("memory after that: {}", memory());

    let plan = BatchPlan {
        workers,
        ..BatchPlan::train(32, data.normalization, 1)
    };
    let start = Instant::now();
    let mut batches = Batches::new(data.train, plan)?;
    println!("order of the epoch: {:.2} s", start.elapsed().as_secs_f64());
    let (start, mut images) = (Instant::now(), 0);
    for batch in batches.by_ref().take(most) {
        images += batch?.len();
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{images} images in {seconds:.2} s: {:.1} a second",
        images as f64 / seconds
    );
    for image in batches.take_broken() {
        println!("left out: {image}");
    }
    println!("memory at the most: {}", memory());
    Ok(())
}

/// Returns how much memory the process had at the most, where the system says so.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or("unknown".to_owned(), |text| text.trim().to_owned())
}
