//! What an ablation is.

use std::collections::HashSet;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::overrides::{Override, apply, set};
use super::run::RunConfig;
use super::schema_key::without_schema;
use super::source::Source;
use super::strict_json::{self, ConfigError, Invalid};
use crate::record::Claim;

/// An ablation as a file describes it: a base configuration, what is varied, and the seeds.
///
/// Either `variants` lists what to compare, or `axes` spans a grid; the first variant is the base
/// that the others are compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AblationFile {
    /// One line for people, the headline of the report.
    #[schemars(example = &"Residual connections in Xception")]
    title: String,
    /// What the ablation asks, in a sentence or two.
    #[schemars(example = &"Does Xception converge faster with residual connections?")]
    question: String,
    /// The run that the variants change, with the keys of a run's file. What every variant sets may be
    /// left out here.
    #[schemars(with = "RunConfig", example = serde_json::json!({"model": "xception"}))]
    base: Value,
    /// A grid: every combination of the axes' values is a variant. Give either `axes` or `variants`.
    #[serde(default)]
    #[schemars(example = serde_json::json!([{"path": "recipe.learning_rate", "values": [0.1, 0.05]}]))]
    axes: Vec<Axis>,
    /// The variants one by one; the first is the base that the others are compared with.
    #[serde(default)]
    #[schemars(example = serde_json::json!([{"name": "base"}, {"name": "half", "set": {"model.xception.width": 0.5}}]))]
    variants: Vec<VariantConfig>,
    /// The seeds of the runs: each variant is trained once with each.
    #[schemars(example = [1, 2, 3], extend("minItems" = 1, "uniqueItems" = true))]
    seeds: Vec<u64>,
    /// What the literature says about the variants; the report has a verdict on each claim.
    #[serde(default)]
    #[schemars(example = serde_json::json!([{
        "text": "With residual connections the network ends at a higher accuracy.",
        "source": "F. Chollet, Xception, section 4.6 and figure 9",
        "metric": "final_top1",
        "better": "base",
        "worse": "no residual"
    }]))]
    claims: Vec<Claim>,
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
    /// Name, unique in the ablation.
    #[schemars(example = &"no residual", extend("pattern" = "[^.]"))]
    pub name: String,
    /// What the variant changes of the base: values by path, with dots between keys. Nothing where left
    /// out.
    #[serde(default)]
    #[schemars(example = serde_json::json!({"model.xception.residual": false}))]
    pub set: Map<String, Value>,
}

/// An ablation with every variant's configuration resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct AblationConfig {
    /// Name: the file's name without its ending.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What the ablation asks.
    pub question: String,
    /// The variants; the first is the base.
    pub variants: Vec<Variant>,
    /// One run a variant and seed.
    pub seeds: Vec<u64>,
    /// What the literature says about the variants.
    pub claims: Vec<Claim>,
}

/// A variant with its configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Name, unique in the ablation.
    pub name: String,
    /// What it changes, for people: path and value.
    pub changes: Vec<(String, String)>,
    /// The whole configuration.
    pub config: RunConfig,
}

impl Variant {
    /// The name with everything but letters, digits and `-_.=+` replaced by `_`: fit for a folder.
    pub fn folder(&self) -> String {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_=+.".contains(c);
        let name = self.name.chars().map(|c| if fits(c) { c } else { '_' });
        name.collect::<String>().trim_start_matches('.').to_owned()
    }
}

impl AblationConfig {
    /// Reads an ablation from a JSON file and changes its base by the overrides.
    ///
    /// # Errors
    ///
    /// Where the file can't be read, isn't JSON, has an unknown key or a value out of its range; the
    /// error has the line and column.
    pub fn read(path: &Path, overrides: &[Override]) -> Result<Self, ConfigError> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::from_source(&name, &Source::read(path)?, overrides)
    }

    /// As [`read`](Self::read), from text.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn parse(name: &str, text: &str, overrides: &[Override]) -> Result<Self, ConfigError> {
        Self::from_source(name, &Source::text(text), overrides)
    }

    fn from_source(
        name: &str,
        source: &Source,
        overrides: &[Override],
    ) -> Result<Self, ConfigError> {
        let here = |invalid: Invalid| {
            let path = invalid.path.clone();
            source.error(invalid, &path)
        };
        let mut file: AblationFile =
            strict_json::from_value(without_schema(source)?).map_err(here)?;
        apply(&mut file.base, overrides)?;

        let mut resolved = Vec::new();
        for (index, variant) in listed(&file).map_err(here)?.iter().enumerate() {
            resolved.push(resolve(&file.base, variant).map_err(|invalid| {
                match overrides.iter().find(|change| change.covers(&invalid.path)) {
                    Some(change) => change.error(invalid),
                    None => {
                        let path = origin(&file, index, variant, &invalid.path);
                        source.error(invalid, &path)
                    }
                }
            })?);
        }
        check(&file, &resolved).map_err(here)?;
        Ok(Self {
            name: name.to_owned(),
            title: file.title,
            question: file.question,
            variants: resolved,
            seeds: file.seeds,
            claims: file.claims,
        })
    }

    /// The variant that the others are compared with.
    pub fn base(&self) -> &Variant {
        &self.variants[0] // never empty, see `check`
    }
}

/// The variants, listed or spanned by the axes.
fn listed(file: &AblationFile) -> Result<Vec<VariantConfig>, Invalid> {
    match (file.variants.is_empty(), file.axes.is_empty()) {
        (false, true) => Ok(file.variants.clone()),
        (true, false) => grid(&file.axes),
        (false, false) => Err(Invalid {
            path: "axes".to_owned(),
            message: "give either `axes` or `variants`, not both".to_owned(),
        }),
        (true, true) => Err(Invalid {
            path: String::new(),
            message: "nothing to compare: give `axes` or `variants`".to_owned(),
        }),
    }
}

/// Where in the file the value of a path comes from in a variant: from what the variant sets, or
/// else from the base.
fn origin(file: &AblationFile, index: usize, variant: &VariantConfig, path: &str) -> String {
    let covers = |key: &str| Override::new(key, Value::Null).covers(path);
    let Some(key) = variant.set.keys().find(|key| covers(key)) else {
        return format!("base.{path}");
    };
    let axis = file.axes.iter().position(|axis| axis.path == *key);
    let Some(axis) = axis else {
        return format!("variants.{index}.set.{path}");
    };
    let value = &variant.set[key.as_str()];
    let place = file.axes[axis].values.iter().position(|v| v == value);
    format!(
        "axes.{axis}.values.{}{}",
        place.unwrap_or(0),
        &path[key.len()..]
    )
}

/// Every combination of the axes' values; the last axis changes fastest.
fn grid(axes: &[Axis]) -> Result<Vec<VariantConfig>, Invalid> {
    let mut variants = vec![VariantConfig {
        name: String::new(),
        set: Map::new(),
    }];
    for (index, axis) in axes.iter().enumerate() {
        if axis.values.is_empty() {
            let path = format!("axes.{index}.values");
            return Err(Invalid::new(path, "empty", "a list of values"));
        }
        let key = axis.path.rsplit('.').next().unwrap_or(&axis.path);
        variants = variants
            .iter()
            .flat_map(|variant| {
                axis.values.iter().map(move |value| {
                    let mut next = variant.clone();
                    let comma = if next.name.is_empty() { "" } else { ", " };
                    next.name = format!("{}{comma}{key}={}", next.name, plain(value));
                    next.set.insert(axis.path.clone(), value.clone());
                    next
                })
            })
            .collect();
    }
    Ok(variants)
}

fn resolve(base: &Value, variant: &VariantConfig) -> Result<Variant, Invalid> {
    let mut value = base.clone();
    for (path, change) in &variant.set {
        set(&mut value, path, change.clone())?;
    }
    let changes = variant.set.iter();
    Ok(Variant {
        name: variant.name.clone(),
        changes: changes.map(|(path, v)| (path.clone(), plain(v))).collect(),
        config: RunConfig::from_value(value)?,
    })
}

/// A value for people: a string without quotes, anything else as JSON.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// What has to hold between the parts of an ablation.
fn check(file: &AblationFile, variants: &[Variant]) -> Result<(), Invalid> {
    let mut seeds = HashSet::new();
    if file.seeds.is_empty() {
        return Err(Invalid::new(
            "seeds",
            "empty",
            "a list of at least one seed",
        ));
    }
    if let Some((index, seed)) = file
        .seeds
        .iter()
        .enumerate()
        .find(|(_, s)| !seeds.insert(**s))
    {
        return Err(Invalid {
            path: format!("seeds.{index}"),
            message: format!("seed {seed} is there twice"),
        });
    }
    let mut folders = HashSet::new();
    for (index, variant) in variants.iter().enumerate() {
        let path = || format!("variants.{index}.name");
        let folder = variant.folder();
        if folder.is_empty() {
            return Err(Invalid::new(path(), &variant.name, "a name with letters"));
        }
        if !folders.insert(folder.to_lowercase()) {
            return Err(Invalid {
                path: path(),
                message: format!("another variant is already called `{}`", variant.name),
            });
        }
    }
    let names: Vec<_> = variants
        .iter()
        .map(|variant| variant.name.as_str())
        .collect();
    for (index, claim) in file.claims.iter().enumerate() {
        for (key, name) in [("better", &claim.better), ("worse", &claim.worse)] {
            if !names.contains(&name.as_str()) {
                return Err(Invalid {
                    path: format!("claims.{index}.{key}"),
                    message: format!(
                        "there is no variant `{name}`; the variants are {}",
                        names.join("; ")
                    ),
                });
            }
        }
    }
    let first = &variants[0].config;
    for (index, variant) in variants.iter().enumerate() {
        let same = variant.config.recipe.epochs == first.recipe.epochs
            && variant.config.data.source == first.data.source
            && variant.config.data.test_images == first.data.test_images;
        if !same {
            return Err(Invalid {
                path: format!("variants.{index}"),
                message: "variants have to share the number of epochs and the test images, \
                          or they can't be compared"
                    .to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
  "title": "t", "question": "q", "seeds": [1, 2],
  "base": {"model": "xception", "recipe": {"epochs": 3}},
  "variants": [
    {"name": "base"},
    {"name": "plain", "set": {"model.xception.residual": false}}
  ],
  "claims": [{"text": "c", "source": "s", "metric": "best_top1", "better": "base", "worse": "plain"}]
}"#;

    fn error(text: &str) -> String {
        AblationConfig::parse("test", text, &[])
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn resolves_variants() {
        let ablation = AblationConfig::parse("test", FILE, &[]).unwrap();
        assert_eq!(ablation.base().name, "base");
        let plain = &ablation.variants[1];
        let expected = ("model.xception.residual".to_owned(), "false".to_owned());
        assert_eq!(plain.changes, [expected]);
        assert_eq!(plain.config.recipe.epochs, 3);
        let overrides = ["recipe.epochs=7".parse().unwrap()];
        let ablation = AblationConfig::parse("test", FILE, &overrides).unwrap();
        assert_eq!(ablation.variants[1].config.recipe.epochs, 7);
    }

    #[test]
    fn spans_a_grid() {
        let text = r#"{
  "title": "t", "question": "q", "seeds": [1], "base": {"model": "xception"},
  "axes": [
    {"path": "model.xception.residual", "values": [true, false]},
    {"path": "model.xception.intermediate_activation", "values": ["none", "relu"]}
  ]
}"#;
        let ablation = AblationConfig::parse("grid", text, &[]).unwrap();
        let names: Vec<_> = ablation.variants.iter().map(|v| v.name.as_str()).collect();
        let expected = [
            "residual=true, intermediate_activation=none",
            "residual=true, intermediate_activation=relu",
            "residual=false, intermediate_activation=none",
            "residual=false, intermediate_activation=relu",
        ];
        assert_eq!(names, expected);
        let folder = ablation.variants[3].folder();
        assert_eq!(folder, "residual=false__intermediate_activation=relu");
        let wrong = text.replace("\"relu\"", "\"rellu\"");
        let message = error(&wrong);
        assert!(message.contains("did you mean `relu`?"), "{message}");
        assert!(message.starts_with("line 5, column 75"), "{message}");
    }

    #[test]
    fn a_mistake_has_its_place_and_a_remedy() {
        let message = error(&FILE.replace("residual\": false", "residuals\": false"));
        assert!(message.starts_with("line 6, column 31"), "{message}");
        assert!(message.contains("did you mean `residual`?"), "{message}");
        let message = error(&FILE.replace("\"epochs\": 3", "\"epochs\": 0"));
        assert!(message.starts_with("line 3, column 44"), "{message}");
        assert!(
            message.contains("is 0, but has to be at least 1"),
            "{message}"
        );
        let message = error(&FILE.replace("\"worse\": \"plain\"", "\"worse\": \"plane\""));
        assert!(message.contains("there is no variant `plane`"), "{message}");
        let message = error(&FILE.replace("[1, 2]", "[1, 1]"));
        assert!(message.contains("seed 1 is there twice"), "{message}");
        let message = error(&FILE.replace("\"name\": \"plain\"", "\"name\": \"base\""));
        assert!(message.contains("already called `base`"), "{message}");
        let message = error(&FILE.replace("\"seeds\": [1, 2]", "\"seeds\": []"));
        assert!(message.contains("at least one seed"), "{message}");
        let message = error(&FILE.replace(
            "residual\": false",
            "residual\": false, \"recipe.epochs\": 4",
        ));
        assert!(message.contains("share the number of epochs"), "{message}");
    }
}
