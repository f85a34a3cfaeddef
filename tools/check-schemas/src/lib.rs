//! Checks the schemas in `configs/schema` with an independent validator: that they are valid, that every
//! shipped file, every example and every file of `tests/configurations` that the program reads fits them,
//! and that every file that it refuses doesn't. The program's own tests see to the program's side.

#![cfg(test)]

use std::fs;
use std::path::PathBuf;

use jsonschema::Validator;
use serde_json::Value;

fn root() -> PathBuf {
    // As the test runs, not as it was compiled: a target folder may serve several checkouts.
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../..")
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn json(path: &str) -> Value {
    serde_json::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn schema(kind: &str) -> Value {
    json(&format!("configs/schema/{kind}.schema.json"))
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::new(schema).unwrap()
}

/// What the schema finds wrong.
fn faults(validator: &Validator, file: &Value) -> Vec<String> {
    let errors = validator.iter_errors(file);
    errors
        .map(|error| format!("`{}`: {error}", error.instance_path()))
        .collect()
}

fn files(path: &str) -> Vec<Value> {
    let Value::Array(files) = json(path) else {
        panic!("{path} is no list");
    };
    assert!(!files.is_empty(), "{path}");
    files
}

#[test]
fn schemas_are_valid() {
    for kind in ["run", "ablation"] {
        let schema = schema(kind);
        jsonschema::meta::validate(&schema).unwrap();
        let draft = "https://json-schema.org/draft/2020-12/schema";
        assert_eq!(schema["$schema"], draft, "{kind}");
    }
}

#[test]
fn every_shipped_file_fits() {
    for (folder, kind) in [
        ("models", "run"),
        ("recipes", "run"),
        ("ablations", "ablation"),
        ("studies", "ablation"),
    ] {
        let validator = validator(&schema(kind));
        let entries = fs::read_dir(root().join("configs").join(folder)).unwrap();
        let mut count = 0;
        for entry in entries {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue; // what explains the files
            }
            let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(faults(&validator, &file), [""; 0], "{}", path.display());
            count += 1;
        }
        assert!(count > 0, "{folder}");
    }
}

#[test]
fn what_the_program_reads_fits() {
    for kind in ["run", "ablation"] {
        let validator = validator(&schema(kind));
        for file in files(&format!("tests/configurations/{kind}.right.json")) {
            assert_eq!(faults(&validator, &file), [""; 0], "{file}");
        }
    }
}

#[test]
fn what_the_program_refuses_does_not_fit() {
    for kind in ["run", "ablation"] {
        let validator = validator(&schema(kind));
        for file in files(&format!("tests/configurations/{kind}.wrong.json")) {
            assert!(!validator.is_valid(&file), "the schema takes {file}");
        }
    }
}

/// Checks the examples and the default of every schema within another.
fn check_values(schema: &Value, definitions: &Value, place: &str, count: &mut usize) {
    let Value::Object(keywords) = schema else {
        if let Value::Array(list) = schema {
            for (index, schema) in list.iter().enumerate() {
                check_values(schema, definitions, &format!("{place}/{index}"), count);
            }
        }
        return;
    };
    let examples = keywords.get("examples").and_then(Value::as_array);
    let values: Vec<_> = examples
        .into_iter()
        .flatten()
        .chain(keywords.get("default"))
        .collect();
    if !values.is_empty() {
        let mut whole = keywords.clone();
        whole.insert("$defs".to_owned(), definitions.clone());
        let validator = validator(&Value::Object(whole));
        for value in values {
            assert_eq!(faults(&validator, value), [""; 0], "{place}: {value}");
            *count += 1;
        }
    }
    for (keyword, schema) in keywords {
        if !matches!(keyword.as_str(), "examples" | "default" | "const" | "enum") {
            check_values(schema, definitions, &format!("{place}/{keyword}"), count);
        }
    }
}

#[test]
fn examples_and_defaults_fit() {
    for kind in ["run", "ablation"] {
        let schema = schema(kind);
        let mut count = 0;
        check_values(&schema, &schema["$defs"], "", &mut count);
        assert!(count > 60, "{kind}: {count}");
    }
}

#[test]
fn the_files_of_the_page_fit() {
    let page = text("docs/configuration.md");
    let blocks = page.split("```json\n").skip(1);
    let mut count = 0;
    for block in blocks {
        let block = block.split("```").next().unwrap();
        let file: Value = serde_json::from_str(block).unwrap();
        let kind = match (file.get("model"), file.get("base")) {
            (Some(_), _) => "run",
            (None, Some(_)) => "ablation",
            (None, None) => continue, // a part of a file
        };
        assert_eq!(faults(&validator(&schema(kind)), &file), [""; 0], "{file}");
        count += 1;
    }
    assert!(count >= 5, "{count}");
}
