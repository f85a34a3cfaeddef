//! What an ablation is going to do, checked before it starts.

use std::fmt;
use std::path::{Path, PathBuf};

use burn::prelude::Device;

use super::study::run_folder;
use crate::TrainError;
use crate::config::{AblationConfig, RunConfig, Variant};
use crate::data::Dataset;
use crate::report::counted;
use crate::training::Run;

/// An ablation whose every variant was checked once, so that none can fail for its configuration after
/// hours.
pub struct Plan {
    /// The ablation.
    pub config: AblationConfig,
    /// The variants, in the order of the configuration; the first is the base.
    pub variants: Vec<PlannedVariant>,
}

/// A variant with its data and its size.
pub struct PlannedVariant {
    /// Name and configuration.
    pub variant: Variant,
    /// Its images.
    pub data: Dataset,
    /// Trainable parameters.
    pub parameters: u64,
    /// Multiply-adds of a forward pass for one image.
    pub multiply_adds: u64,
}

impl Plan {
    /// Loads the data, and counts every network once without making its weights.
    ///
    /// # Errors
    ///
    /// Where a variant's model, data and recipe don't fit together.
    pub fn new(config: AblationConfig, device: &Device) -> Result<Self, TrainError> {
        let mut variants: Vec<PlannedVariant> = Vec::new();
        for variant in &config.variants {
            let mut variant = variant.clone();
            variant.config = variant.config.with_starting_weights()?;
            // Most variants have the images of one before.
            let images = |config: &RunConfig| {
                let starts = config.finetune.is_some();
                (config.data.clone(), config.preprocessing(), starts)
            };
            let before = variants
                .iter()
                .find(|before| images(&before.variant.config) == images(&variant.config));
            let data = match before {
                Some(before) => before.data.clone(),
                None => Run::load_data(&variant.config)?,
            };
            let summary = Run::outline(&variant.config, &data, device)?;
            variant.config = variant.config.resolve(data.classes.len())?;
            variants.push(PlannedVariant {
                variant,
                data,
                parameters: summary.parameters(),
                multiply_adds: summary.multiply_adds(),
            });
        }
        Ok(Self { config, variants })
    }

    /// Number of runs.
    pub fn runs(&self) -> usize {
        self.variants.len() * self.config.seeds.len()
    }

    /// Epochs of a run.
    pub fn epochs(&self) -> usize {
        self.config.base().config.recipe.epochs
    }

    /// The folder of a run.
    pub fn run_folder(&self, out: &Path, variant: &Variant, seed: u64) -> PathBuf {
        run_folder(out, &variant.folder(), seed)
    }
}

impl PlannedVariant {
    /// About what an epoch costs: multiply-adds, with a backward pass for two forward passes.
    pub(super) fn work(&self) -> f64 {
        let images = 3 * self.data.train.len() + self.data.test.len();
        self.multiply_adds as f64 * images as f64
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let Some(base) = self.variants.first() else {
            return Ok(());
        };
        writeln!(formatter, "{}", self.config.title)?;
        writeln!(
            formatter,
            "{}: {} and {} of {} classes",
            base.data.name,
            counted(base.data.train.len(), "training image"),
            counted(base.data.test.len(), "test image"),
            base.data.classes.len()
        )?;
        let name = |v: &PlannedVariant| v.variant.name.chars().count();
        let width = self.variants.iter().map(name).max().unwrap_or(0).max(7);
        writeln!(
            formatter,
            "  {:<width$}  {:>12}  {:>13}",
            "variant", "parameters", "multiply-adds"
        )?;
        for variant in &self.variants {
            writeln!(
                formatter,
                "  {:<width$}  {:>12}  {:>11.1} M",
                variant.variant.name,
                variant.parameters,
                variant.multiply_adds as f64 / 1e6
            )?;
        }
        let seeds: Vec<_> = self.config.seeds.iter().map(u64::to_string).collect();
        write!(
            formatter,
            "{} x {} ({}) = {} of {}",
            counted(self.variants.len(), "variant"),
            counted(seeds.len(), "seed"),
            seeds.join(", "),
            counted(self.runs(), "run"),
            counted(self.epochs(), "epoch")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_kind_is_singular() {
        let text = r#"{
            "title": "t", "question": "q", "seeds": [7],
            "base": {
                "model": {"xception": {"width": 0.02, "middle_modules": 0, "stem": "small"}},
                "data": {"train_images": 20, "test_images": 1},
                "recipe": {"epochs": 1}
            },
            "variants": [{"name": "only"}]
        }"#;
        let config = AblationConfig::parse("one", text, &[]).unwrap();
        let text = Plan::new(config, &Device::flex()).unwrap().to_string();
        assert!(
            text.ends_with("1 variant x 1 seed (7) = 1 run of 1 epoch"),
            "{text}"
        );
        assert!(
            text.contains("20 training images and 1 test image of 10 classes"),
            "{text}"
        );
    }
}
