//! The file of an ablation.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::comparison::{self, Unlike};
use super::error::{ConfigError, Invalid};
use super::layers::Layers;
use super::overrides::{Override, is_within};
use super::run::RunConfig;
use super::source::Source;
use super::strict_json;
use super::variant_folder::MAX_BYTES;
use crate::network::NetworkConfig;
use crate::record::Claim;

/// Matches the names that a folder can be named after, as [`check_name`] has it: all but dots alone and
/// spaces alone.
const NAME: &str = r"[^.\s]|\.\s|\s\.";
/// Matches the characters that no text of a configuration may have, as `is_control` has them.
const CONTROL: &str = r"[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]";

/// An ablation as a file describes it: a base configuration, what is varied, and the seeds.
///
/// Either `variants` lists what to compare, or `axes` spans a grid; the first variant is the base
/// that the others are compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "")]
#[schemars(rename = "AblationFile")]
pub(super) struct AblationFile<M> {
    /// One line for people, the headline of the report.
    #[schemars(example = &"Residual connections in Xception")]
    pub(super) title: String,
    /// What the ablation asks, in a sentence or two.
    #[schemars(example = &"Does Xception converge faster with residual connections?")]
    pub(super) question: String,
    /// The run that the variants change, with the keys of a run's file. What every variant sets may be
    /// left out here.
    #[schemars(with = "RunConfig<M>", example = serde_json::json!({"model": "xception"}))]
    pub(super) base: Value,
    /// A grid: every combination of the axes' values is a variant. Give either `axes` or `variants`.
    #[serde(default)]
    #[schemars(example = serde_json::json!([{"path": "recipe.learning_rate", "values": [0.1, 0.05]}]))]
    pub(super) axes: Vec<Axis>,
    /// The variants one by one; the first is the base that the others are compared with.
    #[serde(default)]
    #[schemars(example = serde_json::json!([{"name": "base"}, {"name": "half", "set": {"model.xception.width": 0.5}}]))]
    pub(super) variants: Vec<VariantConfig>,
    /// The seeds of the runs: each variant is trained once with each.
    #[schemars(example = [1, 2, 3], extend("minItems" = 1, "uniqueItems" = true))]
    pub(super) seeds: Vec<u64>,
    /// What the literature says about the variants; the report has a verdict on each claim.
    #[serde(default)]
    #[schemars(example = serde_json::json!([{
        "text": "With residual connections the network ends at a higher accuracy.",
        "source": "F. Chollet, Xception, section 4.6 and figure 9",
        "metric": "final_top1",
        "better": "base",
        "worse": "no residual"
    }]))]
    pub(super) claims: Vec<Claim>,
    /// The configuration of the base's network.
    #[serde(skip)]
    pub(super) network: PhantomData<M>,
}

/// One dimension of a grid of variants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Path of the value that is varied, with dots between keys.
    #[schemars(example = &"model.xception.residual")]
    pub path: String,
    /// The values, each once. The first of every axis together make the base that the other variants are
    /// compared with.
    #[schemars(example = [true, false], extend("minItems" = 1, "uniqueItems" = true))]
    pub values: Vec<Value>,
}

/// One variant: a name and what it changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantConfig {
    /// Name, unique in the ablation: at most 255 bytes, not only dots or spaces, and without control
    /// characters.
    #[schemars(
        example = &"no residual",
        extend("pattern" = NAME, "not" = {"pattern": CONTROL}, "maxLength" = MAX_BYTES)
    )]
    pub name: String,
    /// What the variant changes of the base: values by path, with dots between keys. Nothing where left
    /// out.
    #[serde(default)]
    #[schemars(example = serde_json::json!({"model.xception.residual": false}))]
    pub set: Map<String, Value>,
}

impl<M: NetworkConfig> AblationFile<M> {
    pub(super) fn layers<'a>(
        &'a self,
        variant: &'a VariantConfig,
        overrides: &'a [Override],
    ) -> Layers<'a> {
        Layers {
            base: &self.base,
            overrides,
            set: &variant.set,
        }
    }

    /// Returns where in the file the value of a path comes from in a variant: from what the variant sets, or
    /// else from the base.
    pub(super) fn origin(&self, index: usize, variant: &VariantConfig, path: &str) -> String {
        let Some(key) = variant.set.keys().find(|key| is_within(path, key)) else {
            return format!("base.{path}");
        };
        let axis = self.axes.iter().position(|axis| axis.path == *key);
        let Some(axis) = axis else {
            return format!("variants.{index}.set.{path}");
        };
        let value = &variant.set[key.as_str()];
        let place = self.axes[axis].values.iter().position(|v| v == value);
        format!(
            "axes.{axis}.values.{}{}",
            place.unwrap_or(0),
            &path[key.len()..]
        )
    }

    /// Returns the error of a variant that can't be compared with the first: at the override that makes the
    /// difference, or where one of the two sets its value.
    pub(super) fn unlike_error(
        &self,
        listed: &[VariantConfig],
        unlike: Unlike,
        overrides: &[Override],
        source: &Source,
    ) -> ConfigError {
        let (path, index) = (unlike.path, unlike.index);
        let mut invalid = Invalid::saying(path, unlike.message);
        let sets = |index: &usize| listed[*index].set.keys().any(|key| is_within(path, key));
        let index = [index, 0].into_iter().find(sets).unwrap_or(index);
        let place = self.origin(index, &listed[index], path);
        let covers = overrides.iter().rev().find(|o| is_within(path, o.path()));
        let shared = |variant| {
            let config: RunConfig<M> = self.layers(variant, &[]).resolve().ok()?;
            comparison::value(&config, path)
        };
        match covers {
            Some(change) if shared(&listed[0]) == shared(&listed[unlike.index]) => {
                if let Some(place) = source.place_of(&place) {
                    let name = &listed[index].name;
                    invalid.message += &format!("; `{name}` sets its own at {place}");
                }
                change.error(invalid)
            }
            _ => source.error(invalid, &place),
        }
    }
}

/// Checks what is often given in another form than it has, and shows the form.
pub(super) fn check_form(value: &Value) -> Result<(), Invalid> {
    if value.get("model").is_some() && value.get("base").is_none() {
        let message = "is the configuration of a run, which `xception train` takes; an ablation has `base`, with \
                       such a configuration, `seeds`, and `variants` or `axes`";
        return Err(Invalid::saying("", message));
    }
    let forms = [
        (
            "axes",
            r#"[{"path": "recipe.learning_rate", "values": [0.05, 0.1]}]"#,
        ),
        (
            "variants",
            r#"[{"name": "base"}, {"name": "fast", "set": {"recipe.learning_rate": 0.1}}]"#,
        ),
        ("seeds", "[1, 2, 3]"),
        (
            "claims",
            r#"[{"text": "...", "source": "...", "metric": "final_top1", "better": "fast", "worse": "base"}]"#,
        ),
    ];
    for (key, form) in forms {
        if let Some(other) = value.get(key).filter(|value| !value.is_array()) {
            let expected = format!("a list, as in `\"{key}\": {form}`");
            return Err(Invalid::new(key, strict_json::shown(other), &expected));
        }
    }
    Ok(())
}
