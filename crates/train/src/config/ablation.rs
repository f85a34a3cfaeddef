//! What an ablation is.

use std::path::Path;

use xception_models::ModelConfig;

use super::ablation_file::{AblationFile, VariantConfig, check_form};
use super::comparison::{check_claims, check_metrics, check_names, check_seeds, unlike};
use super::error::{ConfigError, Invalid};
use super::grid::{self, check_runs};
use super::layers::Places;
use super::overrides::Override;
use super::run::RunConfig;
use super::schema_key::without_schema;
use super::seeds::Seeds;
use super::source::Source;
use super::strict_json;
use super::variant_folder::{check_name, variant_folders};
use crate::network::NetworkConfig;
use crate::record::Claim;

/// An ablation with every variant's configuration resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct AblationConfig<M = ModelConfig> {
    /// Name: the file's name without its ending.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What the ablation asks.
    pub question: String,
    /// The variants; the first is the base.
    pub variants: Vec<Variant<M>>,
    /// One run a variant and seed.
    pub seeds: Vec<u64>,
    /// What the literature says about the variants.
    pub claims: Vec<Claim>,
}

/// A variant with its configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant<M = ModelConfig> {
    /// Name, unique in the ablation.
    pub name: String,
    /// The values that it changes, for people: path and value.
    pub changes: Vec<(String, String)>,
    /// The whole configuration.
    pub config: RunConfig<M>,
    folder: String,
}

impl<M> Variant<M> {
    /// Returns the name of the folder that the variant's runs are in, unique in the ablation: the variant's name where
    /// that fits, else with `_` for what doesn't, and the start of a hash where two would be the same.
    pub fn folder(&self) -> String {
        self.folder.clone()
    }
}

impl<M: NetworkConfig> AblationConfig<M> {
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
        let file: AblationFile<M> = strict_json::from_value(value).map_err(here)?;
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
                layers.error::<M>(invalid, &places)
            })?;
            resolved.push(Variant {
                name: variant.name.clone(),
                changes: changes(variant),
                config,
                folder,
            });
        }
        check_claims(&file.claims, &names().collect::<Vec<_>>()).map_err(here)?;
        if let Some(unlike) = unlike(&resolved) {
            return Err(file.unlike_error(&listed, unlike, overrides, source));
        }
        if let Some(base) = resolved.first() {
            check_metrics(&file.claims, &base.config.data).map_err(here)?;
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

    /// Returns the ablation with other seeds than the file's. Runs that are there already stay what they are.
    ///
    /// # Errors
    ///
    /// If these would be more than 10,000 runs.
    pub fn with_seeds(self, seeds: &Seeds) -> Result<Self, ConfigError> {
        let count = seeds.as_slice().len();
        check_runs(&[self.variants.len()], count, "").map_err(|invalid| ConfigError::Override {
            argument: seeds.to_string(),
            cause: invalid.message,
        })?;
        Ok(Self {
            seeds: seeds.as_slice().to_vec(),
            ..self
        })
    }

    /// Returns the variant that the others are compared with.
    pub fn base(&self) -> &Variant<M> {
        &self.variants[0] // never empty, see `grid::variants`
    }
}

/// Returns what a variant changes, for people: path and value.
fn changes(variant: &VariantConfig) -> Vec<(String, String)> {
    let changes = variant.set.iter();
    changes
        .map(|(path, value)| (path.clone(), grid::plain(value)))
        .collect()
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
        <AblationConfig>::parse("test", text, &[])
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn resolves_variants() {
        let ablation = <AblationConfig>::parse("test", FILE, &[]).unwrap();
        assert_eq!(ablation.base().name, "base");
        let plain = &ablation.variants[1];
        let expected = ("model.xception.residual".to_owned(), "false".to_owned());
        assert_eq!(plain.changes, [expected]);
        assert_eq!(plain.config.recipe.epochs, 3);
        let overrides = ["recipe.epochs=7".parse().unwrap()];
        let ablation = <AblationConfig>::parse("test", FILE, &overrides).unwrap();
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
        let ablation = <AblationConfig>::parse("grid", text, &[]).unwrap();
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
        let message = error(&FILE.replace("best_top1", "mean_map100"));
        assert!(
            message.contains("`claims.0.metric`") && message.contains("`data.mosaic`"),
            "{message}"
        );
        let message = error(&FILE.replace("best_top1", "chosen_top1"));
        assert!(message.contains("`data.validation_images`"), "{message}");
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
        assert!(<AblationConfig>::parse("test", &text, &[]).is_ok());
        let overrides = ["recipe.epochs=4".parse().unwrap()];
        let message = <AblationConfig>::parse("test", &text, &overrides).unwrap_err();
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
        let message = <RunConfig>::parse(FILE, &[]).unwrap_err().to_string();
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
        let ablation = <AblationConfig>::parse("test", &text, &[]).unwrap();
        let folders: Vec<_> = ablation.variants.iter().map(Variant::folder).collect();
        assert_eq!(folders, ["大", "小"]);
    }
}
