//! Whether a training fits into the memory of this machine.

use super::micro_batches::LEAST_IMAGES;
use crate::config::{Freeze, RunConfig};
use crate::network::NetworkSize;
use crate::{TrainError, device_name};
use burn::prelude::Device;
use xception_parallel::even_parts;

/// Bytes of a number.
const NUMBER: u64 = 4;

/// What a training takes at least, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Needed {
    /// The weights, what the optimizer keeps of each, and their moving averages.
    weights: u64,
    /// What a step adds: the outputs that the backward pass needs, or the gradients, whatever is more.
    step: u64,
}

impl Needed {
    fn new<M>(config: &RunConfig<M>, size: &NetworkSize, on_processor: bool) -> Self {
        let weights = NUMBER * size.parameters;
        let frozen = config
            .finetune
            .as_ref()
            .is_some_and(|finetune| finetune.freeze != Freeze::None);
        if frozen || !on_processor {
            return Self { weights, step: 0 };
        }
        let recipe = &config.recipe;
        let kept_of_each = recipe.optimizer.numbers_per_parameter();
        let averages = u64::from(recipe.average.is_some());
        let parts = even_parts(recipe.batch_size, recipe.accumulation, LEAST_IMAGES);
        let images = parts.map(|part| part.len()).max();
        // Some outputs aren't kept, such as those of a normalization whose ReLU is part of the same operation.
        let kept = size.activation_bytes.unwrap_or(0) / 2;
        Self {
            weights: weights * (1 + kept_of_each + averages),
            step: kept.saturating_mul(images.unwrap_or(0) as u64).max(weights),
        }
    }

    fn total(&self) -> u64 {
        self.weights.saturating_add(self.step)
    }
}

/// Checks that a training doesn't surely take more memory than the machine has. Of a device with memory of
/// its own, which isn't known, only the weights are counted, which are drawn on the processor.
pub(super) fn check<M>(
    config: &RunConfig<M>,
    size: &NetworkSize,
    device: &Device,
) -> Result<(), TrainError> {
    match total_memory() {
        Some(total) => compare(config, size, is_processor(device), total),
        None => Ok(()),
    }
}

fn compare<M>(
    config: &RunConfig<M>,
    size: &NetworkSize,
    on_processor: bool,
    total: u64,
) -> Result<(), TrainError> {
    let needed = Needed::new(config, size, on_processor);
    if needed.total() <= total {
        return Ok(());
    }
    Err(TrainError::Memory {
        needed: needed.total(),
        total,
        parameters: size.parameters,
        batch_size: config.recipe.batch_size,
        image_size: size.image_size,
    })
}

/// Returns the bytes that a training takes at least.
pub(super) fn needed<M>(config: &RunConfig<M>, size: &NetworkSize, device: &Device) -> u64 {
    Needed::new(config, size, is_processor(device)).total()
}

/// Checks that the largest of some trainings, that take at least so many bytes each, don't surely take more memory than
/// the machine has when `at_once` of them run side by side.
///
/// # Errors
///
/// Where they do.
pub(crate) fn check_at_once(needed: Vec<u64>, at_once: usize) -> Result<(), TrainError> {
    match total_memory() {
        Some(total) => compare_at_once(needed, at_once, total),
        None => Ok(()),
    }
}

fn compare_at_once(mut needed: Vec<u64>, at_once: usize, total: u64) -> Result<(), TrainError> {
    needed.sort_unstable_by(|a, b| b.cmp(a));
    needed.truncate(at_once);
    let sum = needed.iter().fold(0, |sum: u64, n| sum.saturating_add(*n));
    if needed.len() < 2 || sum <= total {
        return Ok(()); // one alone has been checked
    }
    Err(TrainError::MemoryAtOnce {
        at_once: needed.len(),
        needed: sum,
        total,
    })
}

fn is_processor(device: &Device) -> bool {
    device_name(device).ends_with("(Cpu)")
}

/// Returns the bytes of memory and of swap that this machine has, where the system tells: on Linux.
fn total_memory() -> Option<u64> {
    parse(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

/// Returns the lines `MemTotal` and `SwapTotal` (proc_meminfo(5)).
fn parse(information: &str) -> Option<u64> {
    let kilobytes = |name: &str| -> Option<u64> {
        let line = information
            .lines()
            .find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    let total = kilobytes("MemTotal:")? + kilobytes("SwapTotal:").unwrap_or(0);
    Some(1024 * total)
}

#[cfg(test)]
mod tests {
    use xception_models::ModelConfig;

    use super::*;

    #[test]
    fn reads_what_linux_writes() {
        let information = "MemTotal:       16384 kB\nMemFree: 1 kB\nSwapTotal:  2048 kB\n";
        assert_eq!(parse(information), Some(18_432 * 1024));
        assert_eq!(parse("MemTotal: much\n"), None);
    }

    #[test]
    fn a_training_that_no_memory_holds_is_refused_with_sizes_and_remedy() {
        let config = |batch_size: usize| {
            let text =
                format!(r#"{{"model": "xception", "recipe": {{"batch_size": {batch_size}}}}}"#);
            <RunConfig>::parse(&text, &[]).unwrap()
        };
        let device = Device::flex();
        let network = ModelConfig::named("xception")
            .unwrap()
            .init(&device)
            .unwrap();
        let size = NetworkSize::of(&network, [299, 299]);
        let total = 8_000_000_000;
        compare(&config(32), &size, true, total).unwrap();
        let error = compare(&config(1000), &size, true, total).unwrap_err();
        let error = error.to_string();
        for part in [
            "1000 images of 299 x 299",
            "22.9 million",
            "8.0 GB",
            "recipe.batch_size",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        // What a device of its own holds isn't known.
        compare(&config(1000), &size, false, total).unwrap();
        assert!(compare(&config(2), &size, false, 90_000_000).is_err());
    }

    #[test]
    fn runs_at_once_are_counted_together_the_largest_first() {
        let needed = || vec![10, 40, 30];
        compare_at_once(needed(), 1, 5).unwrap();
        compare_at_once(needed(), 2, 70).unwrap();
        compare_at_once(needed(), 5, 80).unwrap();
        let error = compare_at_once(needed(), 2, 69).unwrap_err();
        assert!(error.to_string().contains("2 runs at once"), "{error}");
        assert!(compare_at_once(vec![u64::MAX; 3], 3, u64::MAX - 1).is_err());
    }

    #[test]
    fn counts_less_than_training_takes() {
        let config = <RunConfig>::parse(r#"{"model": "xception"}"#, &[]).unwrap();
        let device = Device::flex();
        let network = config.model.init(&device).unwrap();
        let size = NetworkSize::of(&network, [299, 299]);
        let needed = Needed::new(&config, &size, true);
        assert_eq!(needed.weights, 2 * 4 * 22_855_952);
        assert_eq!(needed.step, 64 * size.activation_bytes.unwrap() / 2);
        // Two numbers a parameter, the averages, and a fourth of a batch.
        let text = r#"{"model": "xception", "recipe": {"optimizer": {"rms_prop": {}}, "average": {}, "accumulation": 4}}"#;
        let config = <RunConfig>::parse(text, &[]).unwrap();
        let needed = Needed::new(&config, &size, true);
        assert_eq!(needed.weights, 4 * 4 * 22_855_952);
        assert_eq!(needed.step, 16 * size.activation_bytes.unwrap() / 2);
    }
}
