//! What an ablation is going to do, checked before it starts.

use std::fmt;
use std::path::{Path, PathBuf};

use burn::prelude::Device;
use xception_models::{Network, Summary};

use crate::TrainError;
use crate::config::{AblationConfig, RunConfig, Variant};
use crate::data::Dataset;
use crate::training::Run;

/// An ablation whose every variant was made once, so that none can fail for its configuration after
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
    /// Loads the data, makes every network once and measures it.
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
            let network = Run::init_network(&variant.config, &data, 0, device)?;
            let summary = Summary::new(&network, data.train.size())?;
            variant.config = variant.config.resolve(data.classes.len())?;
            variants.push(PlannedVariant {
                variant,
                data,
                parameters: network.trainable_parameters() as u64,
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
        out.join(variant.folder()).join(format!("seed-{seed}"))
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
            "{}: {} training and {} test images of {} classes",
            base.data.name,
            base.data.train.len(),
            base.data.test.len(),
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
            "{} variants x {} seeds ({}) = {} runs of {} epochs",
            self.variants.len(),
            seeds.len(),
            seeds.join(", "),
            self.runs(),
            self.epochs()
        )
    }
}
