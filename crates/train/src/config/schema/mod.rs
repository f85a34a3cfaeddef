//! JSON Schemas of the files that a run and an ablation are described by, made from the types that read
//! them. Editors complete and check a file by its schema.

mod ablation;
mod keys;
mod partial;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};
use xception_models::ModelConfig;

pub use keys::Key;

use super::ablation_file::AblationFile;
use super::run::RunConfig;
use super::schema_key;
use crate::network::NetworkConfig;

/// A kind of configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A run, as `xception train` takes it.
    Run,
    /// An ablation, as `xception ablate` takes it.
    Ablation,
}

impl FileKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Run, Self::Ablation];

    /// Returns the kind's name, such as `run`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Ablation => "ablation",
        }
    }

    /// Returns the schema of the files of this kind, in JSON Schema's draft 2020-12.
    pub fn schema(self) -> Value {
        self.schema_of::<ModelConfig>()
    }

    /// Returns the schema of the files of this kind whose networks have configurations of this type.
    pub fn schema_of<M: NetworkConfig + JsonSchema>(self) -> Value {
        let mut schema = match self {
            Self::Run => generate::<RunConfig<M>>("A training run of xception"),
            Self::Ablation => generate::<AblationFile<M>>("An ablation of xception"),
        };
        if self == Self::Ablation {
            ablation::complete(&mut schema);
        }
        allow_schema_key(&mut schema);
        Value::Object(schema)
    }

    /// Lists the keys of a file of this kind, at any depth and in the order of the types. An ablation's `base`
    /// has the keys of a run.
    pub fn keys(self) -> Vec<Key> {
        let schema = match self {
            Self::Run => generate::<RunConfig>(""),
            Self::Ablation => generate::<AblationFile<ModelConfig>>(""),
        };
        let mut keys = keys::keys(&Value::Object(schema), "");
        keys.retain(|key| !key.path.starts_with("base."));
        keys
    }
}

/// Returns the schema of a type, with the definitions that it refers to.
fn generate<T: JsonSchema>(title: &str) -> Map<String, Value> {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(tidy));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    std::mem::take(schema.ensure_object())
}

/// Joins the lines of doc comments, moves what describes an alternative to the key that chooses it, and
/// says the range of a format that only schemars knows.
fn tidy(schema: &mut Schema) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    let alternatives = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    for alternative in alternatives.into_iter().flatten() {
        describe_key(alternative);
    }
    if let Some(Value::String(description)) = schema.get_mut("description") {
        let paragraphs = description.split("\n\n");
        let lines = paragraphs.map(|paragraph| paragraph.replace('\n', " "));
        *description = lines.collect::<Vec<_>>().join("\n\n");
    }
    let format = schema.shift_remove("format");
    if matches!(
        format.as_ref().and_then(Value::as_str),
        Some("uint" | "uint64")
    ) {
        schema.entry("maximum").or_insert(u64::MAX.into());
    }
}

fn describe_key(alternative: &mut Value) {
    let Some(alternative) = alternative
        .as_object_mut()
        .filter(|a| a.contains_key("properties"))
    else {
        return;
    };
    let Some(description) = alternative.shift_remove("description") else {
        return;
    };
    let properties = alternative
        .get_mut("properties")
        .and_then(Value::as_object_mut);
    if let Some((_, Value::Object(key))) = properties.and_then(|keys| keys.iter_mut().next()) {
        key.entry("description").or_insert(description);
    }
}

fn allow_schema_key(schema: &mut Map<String, Value>) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        let key = json!({
            "type": "string",
            "description": "The address of this schema, by which editors complete and check the file. \
                            The program ignores it."
        });
        properties.shift_insert(0, schema_key::KEY.to_owned(), key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(kind: FileKind, pointer: &str) -> Value {
        let schema = kind.schema();
        schema.pointer(pointer).cloned().unwrap_or_default()
    }

    #[test]
    fn ranges_defaults_and_descriptions_are_those_of_the_types() {
        let rate = schema(FileKind::Run, "/$defs/Recipe/properties/learning_rate");
        assert_eq!(rate["exclusiveMinimum"], json!(0));
        assert_eq!(rate["default"], json!(0.05));
        assert_eq!(rate["description"], "Learning rate at its highest.");
        let size = schema(FileKind::Run, "/$defs/DataConfig/properties/image_size");
        assert_eq!(
            (&size["minimum"], &size["maximum"]),
            (&json!(1), &json!(8192))
        );
        let depth = schema(FileKind::Run, "/$defs/ResNetConfig/properties/depth");
        assert_eq!(depth["enum"], json!([18, 34, 50, 101, 152]));
    }

    #[test]
    fn a_base_has_the_keys_of_a_run_and_needs_none_of_them() {
        let base = schema(FileKind::Ablation, "/properties/base/$ref");
        assert_eq!(base, "#/$defs/PartialRunConfig");
        let partial = schema(FileKind::Ablation, "/$defs/PartialRunConfig");
        assert_eq!(partial["additionalProperties"], json!(false));
        assert_eq!(partial.get("required"), None);
        let run = schema(FileKind::Ablation, "/$defs/RunConfig");
        assert_eq!(run["required"], json!(["model"]));
    }

    #[test]
    fn paths_are_those_of_a_run_and_have_its_values() {
        let set = schema(FileKind::Ablation, "/$defs/VariantConfig/properties/set");
        let reference = &set["properties"]["model.xception.width"]["$ref"];
        assert_eq!(reference, "#/$defs/XceptionConfig/properties/width");
        let keys = FileKind::Run.keys();
        let paths: Vec<_> = keys.iter().map(|key| key.path.as_str()).collect();
        assert!(
            paths.contains(&"recipe.schedule.cosine.warmup_epochs"),
            "{paths:?}"
        );
        assert_eq!(set["properties"].as_object().unwrap().len(), paths.len());
    }

    #[test]
    fn descriptions_read_without_rustdoc() {
        for kind in FileKind::ALL {
            let text = kind.schema().to_string();
            assert!(
                !text.contains("[`") && !text.contains("]("),
                "{}",
                kind.name()
            );
            for key in kind.keys() {
                let description = key.description();
                assert!(description.ends_with('.'), "{}: {description}", key.path);
            }
        }
    }
}
