//! A configuration of which the rest comes later: the base of an ablation, which variants complete.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Adds a copy of a definition in which nothing is required, with copies of those it refers to, and
/// gives its name. Definitions that require nothing are shared.
pub(super) fn add_partial(definitions: &mut Map<String, Value>, root: &str) -> String {
    let requiring = with_requirements(definitions);
    let mut open = vec![root.to_owned()];
    while let Some(name) = open.pop() {
        let copy = partial(&name);
        if !definitions.contains_key(&copy) {
            let definition = relaxed(&definitions[&name], &requiring, &mut open);
            definitions.insert(copy, definition);
        }
    }
    partial(root)
}

fn partial(name: &str) -> String {
    format!("Partial{name}")
}

/// Returns the names of the definitions that require a key, or refer to one that does.
fn with_requirements(definitions: &Map<String, Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    loop {
        let before = found.len();
        for (name, definition) in definitions {
            if requires(definition, &found) {
                found.insert(name.clone());
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

fn requires(value: &Value, names: &BTreeSet<String>) -> bool {
    match value {
        Value::Object(object) => {
            let refers = name(object).is_some_and(|name| names.contains(name));
            refers
                || object.contains_key("required")
                || object.values().any(|value| requires(value, names))
        }
        Value::Array(list) => list.iter().any(|value| requires(value, names)),
        _ => false,
    }
}

/// Returns the name of the definition that a schema refers to.
fn name(schema: &Map<String, Value>) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// Returns a schema without requirements. An object without keys fits every alternative then, so that one
/// of them becomes any. Adds the names of the definitions whose copies it refers to.
fn relaxed(value: &Value, requiring: &BTreeSet<String>, open: &mut Vec<String>) -> Value {
    match value {
        Value::Object(object) => {
            let mut copy = Map::new();
            for (keyword, value) in object {
                match (keyword.as_str(), name(object)) {
                    ("required" | "if" | "then", _) => {}
                    ("oneOf", _) => {
                        copy.insert("anyOf".to_owned(), relaxed(value, requiring, open));
                    }
                    ("$ref", Some(name)) if requiring.contains(name) => {
                        open.push(name.to_owned());
                        let reference = format!("#/$defs/{}", partial(name));
                        copy.insert("$ref".to_owned(), reference.into());
                    }
                    _ => {
                        copy.insert(keyword.clone(), relaxed(value, requiring, open));
                    }
                }
            }
            Value::Object(copy)
        }
        Value::Array(list) => list
            .iter()
            .map(|value| relaxed(value, requiring, open))
            .collect(),
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_requires_something_gets_a_copy_that_does_not() {
        let Value::Object(mut definitions) = json!({
            "Free": {"type": "object"},
            "Strict": {"required": ["a"], "properties": {"a": {"$ref": "#/$defs/Free"}}},
            "Outer": {"oneOf": [{"$ref": "#/$defs/Strict"}, {"const": "required"}]}
        }) else {
            unreachable!()
        };
        assert_eq!(add_partial(&mut definitions, "Outer"), "PartialOuter");
        let names: Vec<_> = definitions.keys().map(String::as_str).collect();
        let expected = ["Free", "Strict", "Outer", "PartialOuter", "PartialStrict"];
        assert_eq!(names, expected);
        let outer = json!({"anyOf": [{"$ref": "#/$defs/PartialStrict"}, {"const": "required"}]});
        assert_eq!(definitions["PartialOuter"], outer);
        let strict = json!({"properties": {"a": {"$ref": "#/$defs/Free"}}});
        assert_eq!(definitions["PartialStrict"], strict);
    }
}
