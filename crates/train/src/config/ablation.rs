//! What an ablation is.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::comparison::{self, Unlike, check_claims, check_names, check_seeds, unlike};
use super::error::{ConfigError, Invalid};
use super::grid;
use super::layers::{Layers, Places};
use super::overrides::{Override, is_within};
use super::run::RunConfig;
use super::schema_key::without_schema;
use super::source::Source;
use super::strict_json;
use super::variant_folder::{MAX_BYTES, check_name, variant_folders};
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
    folder: String,
}

impl Variant {
    /// Name of the folder that the variant's runs are in, unique in the ablation: the variant's name where that
    /// fits, else with `_` for what doesn't, and the start of a hash where two would be the same.
    pub fn folder(&self) -> String {
        self.folder.clone()
    }
}

impl AblationConfig {
    /// Reads an ablation from a JSON file and changes its base by the overrides.
    ///
    /// # Errors
    ///
    /// Where the file can't be read, isn't JSON, has an unknown key, a key twice or a value out of its range, or
    /// asks for more than 10,000 runs; the error has the line and column.
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
        let value = without_schema(source)?;
        check_form(&value).map_err(here)?;
        let file: AblationFile = strict_json::from_value(value).map_err(here)?;
        check_seeds(&file.seeds).map_err(here)?;
        let listed = grid::variants(&file.variants, &file.axes, file.seeds.len()).map_err(here)?;
        for (index, variant) in file.variants.iter().enumerate() {
            check_name(&variant.name, &format!("variants.{index}.name")).map_err(here)?;
        }
        let names = || listed.iter().map(|variant| variant.name.as_str());
        check_names(names()).map_err(here)?;

        let mut resolved = Vec::new();
        let folders = variant_folders(names());
        for ((index, variant), folder) in listed.iter().enumerate().zip(folders) {
            let layers = file.layers(variant, overrides);
            let config = layers.resolve().map_err(|invalid| {
                let places = Places {
                    source,
                    base: "base",
                    set: &|path| file.origin(index, variant, path),
                };
                layers.error(invalid, &places)
            })?;
            resolved.push(Variant {
                name: variant.name.clone(),
                changes: changes(variant),
                config,
                folder,
            });
        }
        check_claims(&file.claims, &resolved).map_err(here)?;
        if let Some(unlike) = unlike(&resolved) {
            return Err(file.unlike_error(&listed, unlike, overrides, source));
        }
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
        &self.variants[0] // never empty, see `grid::variants`
    }
}

impl AblationFile {
    fn layers<'a>(&'a self, variant: &'a VariantConfig, overrides: &'a [Override]) -> Layers<'a> {
        Layers {
            base: &self.base,
            overrides,
            set: &variant.set,
        }
    }

    /// Where in the file the value of a path comes from in a variant: from what the variant sets, or
    /// else from the base.
    fn origin(&self, index: usize, variant: &VariantConfig, path: &str) -> String {
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

    /// The error of a variant that can't be compared with the first: at the override that makes the difference,
    /// or where one of the two sets its value.
    fn unlike_error(
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
            let config = self.layers(variant, &[]).resolve().ok()?;
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

/// What a variant changes, for people: path and value.
fn changes(variant: &VariantConfig) -> Vec<(String, String)> {
    let changes = variant.set.iter();
    changes
        .map(|(path, value)| (path.clone(), grid::plain(value)))
        .collect()
}

/// Checks what is often given in another form than it has, and shows the form.
fn check_form(value: &Value) -> Result<(), Invalid> {
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
            message.contains("is 0, but has to be from 1 to 1000000"),
            "{message}"
        );
        let message = error(&FILE.replace("\"worse\": \"plain\"", "\"worse\": \"plane\""));
        assert!(message.contains("there is no variant `plane`"), "{message}");
        let message = error(&FILE.replace("\"worse\": \"plain\"", "\"worse\": \"base\""));
        assert!(message.contains("compares `base` with itself"), "{message}");
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
        let expected = "line 6, column 65: `recipe.epochs`: is 4 in `plain`, but 3 in `base`: variants have to \
                        share the number of epochs";
        assert!(message.starts_with(expected), "{message}");
    }

    #[test]
    fn an_override_that_makes_variants_unlike_is_named() {
        let text = FILE.replace(
            "residual\": false",
            "residual\": false, \"recipe.epochs\": 3",
        );
        assert!(AblationConfig::parse("test", &text, &[]).is_ok());
        let overrides = ["recipe.epochs=4".parse().unwrap()];
        let message = AblationConfig::parse("test", &text, &overrides).unwrap_err();
        let message = message.to_string();
        let expected = "`recipe.epochs=4`: `recipe.epochs`: is 3 in `plain`, but 4 in `base`";
        assert!(message.starts_with(expected), "{message}");
        assert!(
            message.ends_with("`plain` sets its own at line 6, column 65"),
            "{message}"
        );
    }

    #[test]
    fn a_natural_guess_gets_the_right_form() {
        let cases = [
            (
                "[1, 2]",
                "3",
                "`seeds`: is 3, but has to be a list, as in `\"seeds\": [1, 2, 3]`",
            ),
            (
                "\"claims\": [",
                "\"axes\": {\"recipe.batch_size\": [1, 2]}, \"claims\": [",
                "`axes`: is an object, but has to be a list, as in `\"axes\": [{\"path\": \"",
            ),
            (
                "\"claims\": [",
                "\"axes\": [{\"recipe.batch_size\": [1, 2]}], \"claims\": [",
                "the keys here are `path` and `values`",
            ),
        ];
        for (from, to, part) in cases {
            let message = error(&FILE.replace(from, to));
            assert!(message.contains(part), "{message}");
        }
        let message = error(r#"{"variants": {"base": {}}}"#);
        let expected = "line 1, column 2: `variants`: is an object, but has to be a list, as in \
                        `\"variants\": [{\"name\": \"base\"}, {";
        assert!(message.starts_with(expected), "{message}");
        let message = error(r#"{"model": "xception"}"#);
        assert!(
            message.contains("which `xception train` takes"),
            "{message}"
        );
        let message = RunConfig::parse(FILE, &[]).unwrap_err().to_string();
        assert!(
            message.contains("which `xception ablate` takes"),
            "{message}"
        );
    }

    #[test]
    fn names_are_checked_when_the_file_is_read() {
        let named =
            |name: &str| error(&FILE.replace("\"name\": \"plain\"", &format!("\"name\": {name}")));
        let expected = "line 6, column 6: `variants.1.name`: is empty, but has to be a name";
        assert!(named("\"\"").starts_with(expected), "{}", named("\"\""));
        assert!(named("\"..\"").contains("is \"..\", but has to be a name with letters or digits"));
        assert!(named("\"a\\u001b[2J\"").contains(r"`a\u{1b}[2J` has a control character"));
        assert!(named("\"a\\nb\"").contains(r"`a\nb` has a control character"));
        let long = format!("\"{}\"", "x".repeat(300));
        assert!(named(&long).contains("is 300 bytes long, but has to be at most 255"));
        let text = FILE.replace("e\": \"base\"", "e\": \"大\"");
        let text = text
            .replace("r\": \"base\"", "r\": \"大\"")
            .replace("\"plain\"", "\"小\"");
        let ablation = AblationConfig::parse("test", &text, &[]).unwrap();
        let folders: Vec<_> = ablation.variants.iter().map(Variant::folder).collect();
        assert_eq!(folders, ["大", "小"]);
    }
}
