//! What an ablation is going to do, checked before it starts.

use std::fmt;
use std::path::{Path, PathBuf};

use burn::prelude::Device;
use xception_models::ModelConfig;

use super::study::run_folder;
use crate::TrainError;
use crate::config::{AblationConfig, RunConfig, Variant, check_measured};
use crate::data::{Dataset, Skipped};
use crate::network::{NetworkConfig, NetworkSize};
use crate::numbers::counted;
use crate::training::{Run, check_at_once};

/// An ablation whose every variant was checked once, so that none can fail for its configuration after
/// hours.
pub struct Plan<M = ModelConfig> {
    /// The ablation.
    pub config: AblationConfig<M>,
    /// The variants, in the order of the configuration; the first is the base.
    pub variants: Vec<PlannedVariant<M>>,
}

/// A variant with its data and its size.
pub struct PlannedVariant<M = ModelConfig> {
    /// Name and configuration.
    pub variant: Variant<M>,
    /// Its images.
    pub data: Dataset,
    /// The cost of its network.
    pub size: NetworkSize,
}

/// A run of a plan.
pub(super) struct PlannedRun<'a, M> {
    /// Its place in the order in which runs start, from 0.
    pub(super) index: usize,
    /// The variant.
    pub(super) planned: &'a PlannedVariant<M>,
    /// The seed.
    pub(super) seed: u64,
    /// Variant and seed, for people.
    pub(super) label: String,
    /// Where it leaves its files.
    pub(super) folder: PathBuf,
    /// About what an epoch costs.
    pub(super) work: f64,
}

/// Returns whether two prepared configurations have the same images.
pub(super) fn have_same_images<M: NetworkConfig>(a: &RunConfig<M>, b: &RunConfig<M>) -> bool {
    a.data == b.data
        && a.preprocessing() == b.preprocessing()
        && a.finetune.is_some() == b.finetune.is_some()
}

impl<M: NetworkConfig> Plan<M> {
    /// Loads the data, and counts every network once without making its weights.
    ///
    /// # Errors
    ///
    /// Where a variant's model, data and recipe don't fit together.
    pub fn new(config: AblationConfig<M>, device: &Device) -> Result<Self, TrainError> {
        let mut variants: Vec<PlannedVariant<M>> = Vec::new();
        for variant in &config.variants {
            let mut variant = variant.clone();
            variant.config = variant.config.with_starting_weights()?;
            // Most variants have the images of one before.
            let before = variants
                .iter()
                .find(|before| have_same_images(&before.variant.config, &variant.config));
            let data = match before {
                Some(before) => before.data.clone(),
                None => Run::load_data(&variant.config)?,
            };
            check_measured(&config.claims, &data)?;
            let (classes, image) = (data.classes.len(), data.size());
            let fitted = variant.config.at_complexity(classes, image);
            variant.config = fitted.map_err(|cause| TrainError::Variant {
                name: variant.name.clone(),
                cause,
            })?;
            let size = Run::outline(&variant.config, &data, device)?;
            variant.config = variant.config.resolve(data.classes.len())?;
            variants.push(PlannedVariant {
                variant,
                data,
                size,
            });
        }
        Ok(Self { config, variants })
    }

    /// Returns the number of runs.
    pub fn runs(&self) -> usize {
        self.variants.len() * self.config.seeds.len()
    }

    /// Returns the number of epochs of a run.
    pub fn epochs(&self) -> usize {
        self.config.base().config.recipe.epochs
    }

    /// Says where a variant's batches have fewer images than its recipe asks for.
    pub fn warnings(&self) -> Vec<String> {
        let of = |planned: &PlannedVariant<M>| {
            let warning = Run::batch_warning(&planned.variant.config, &planned.data)?;
            Some(format!("{}: {warning}", planned.variant.name))
        };
        self.variants.iter().filter_map(of).collect()
    }

    /// Lists the files and folders that were passed over when the images were read, each once.
    pub fn skipped(&self) -> Vec<&Skipped> {
        let mut skipped: Vec<&Skipped> = Vec::new();
        for file in self
            .variants
            .iter()
            .flat_map(|variant| &variant.data.skipped)
        {
            if !skipped.contains(&file) {
                skipped.push(file);
            }
        }
        skipped
    }

    /// Checks that the memory of this machine can hold as many runs at once, whichever they are.
    ///
    /// # Errors
    ///
    /// Where the largest of them surely take more.
    pub fn check_memory(&self, at_once: usize, device: &Device) -> Result<(), TrainError> {
        let needed = self.variants.iter().flat_map(|planned| {
            let needed = Run::least_memory(
                &planned.variant.config,
                &planned.data,
                &planned.size,
                device,
            );
            std::iter::repeat_n(needed, self.config.seeds.len())
        });
        check_at_once(needed.collect(), at_once)
    }

    /// Lists the runs in the order in which they start: seed by seed, so that every variant has a result as soon as
    /// possible.
    pub(super) fn list(&self, out: &Path) -> Vec<PlannedRun<'_, M>> {
        let seeds = self.config.seeds.iter();
        let pairs = seeds.flat_map(|&seed| self.variants.iter().map(move |v| (v, seed)));
        pairs
            .enumerate()
            .map(|(index, (planned, seed))| PlannedRun {
                index,
                planned,
                seed,
                label: format!("{}, seed {seed}", planned.variant.name),
                folder: self.run_folder(out, &planned.variant, seed),
                work: self.work(planned),
            })
            .collect()
    }

    /// Returns the folder of a run.
    pub fn run_folder(&self, out: &Path, variant: &Variant<M>, seed: u64) -> PathBuf {
        run_folder(out, &variant.folder(), seed)
    }
}

impl<M> Plan<M> {
    /// Returns about what an epoch of a variant costs: multiply-adds, with a backward pass for two forward passes; or,
    /// if they aren't known of every variant, images.
    fn work(&self, variant: &PlannedVariant<M>) -> f64 {
        let images = (3 * variant.data.train.len() + variant.data.test.len()) as f64;
        let counted = self.variants.iter().all(|v| v.size.multiply_adds.is_some());
        match variant.size.multiply_adds.filter(|_| counted) {
            Some(multiply_adds) => images * multiply_adds as f64,
            None => images,
        }
    }
}

impl<M: NetworkConfig> fmt::Display for Plan<M> {
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
        let name = |v: &PlannedVariant<M>| v.variant.name.chars().count();
        let width = self.variants.iter().map(name).max().unwrap_or(0).max(7);
        writeln!(
            formatter,
            "  {:<width$}  {:>12}  {:>13}",
            "variant", "parameters", "multiply-adds"
        )?;
        for variant in &self.variants {
            writeln!(
                formatter,
                "  {:<width$}  {:>12}  {:>13}",
                variant.variant.name,
                variant.size.parameters,
                match variant.size.multiply_adds {
                    Some(multiply_adds) => format!("{:.1} M", multiply_adds as f64 / 1e6),
                    None => "unknown".to_owned(),
                }
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
    fn variants_have_the_complexity_of_the_base() {
        let text = r#"{
            "title": "t", "question": "q", "seeds": [1],
            "base": {
                "model": {"xception": {"middle_modules": 1, "stem": "small"}},
                "complexity": {"parameters": 60000},
                "data": {"train_images": 20, "test_images": 10},
                "recipe": {"epochs": 1}
            },
            "axes": [{"path": "model.xception.segments", "values": [1, 4, "channels"]}]
        }"#;
        let config = <AblationConfig>::parse("x", text, &[]).unwrap();
        let plan = Plan::new(config, &Device::flex()).unwrap();
        let widths: Vec<_> = plan
            .variants
            .iter()
            .map(|planned| {
                let difference = planned.size.parameters as f64 / 60_000.0 - 1.0;
                assert!(difference.abs() <= 0.01, "{}", planned.size.parameters);
                planned.variant.config.model.width()
            })
            .collect();
        // The more segments, the fewer weights they have, and the more channels there are.
        assert!(widths.is_sorted() && widths[0] < widths[2], "{widths:?}");

        let tiny = text.replace("60000", "60");
        let config = <AblationConfig>::parse("x", &tiny, &[]).unwrap();
        let error = Plan::new(config, &Device::flex()).err().unwrap();
        let error = error.to_string();
        assert!(
            error.starts_with("variant `segments=1`: `complexity`: no width gives xception 60"),
            "{error}"
        );
    }

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
        let config = <AblationConfig>::parse("one", text, &[]).unwrap();
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
