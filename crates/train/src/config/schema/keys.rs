//! The keys of a file, by their paths.

use serde_json::{Map, Value};
use xception_messages::Bounds;

/// A key of a configuration file.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Path, with dots between keys and `[]` after the key of a list of objects.
    pub path: String,
    /// Whether the object that has the key can't do without it.
    pub required: bool,
    /// The schema of its value.
    pub schema: Map<String, Value>,
    /// Where that schema is in the whole one.
    pub(super) pointer: String,
}

impl Key {
    /// Returns what the value means.
    pub fn description(&self) -> &str {
        let description = self.schema.get("description");
        description.and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the range of a number, or of the numbers of a list.
    pub fn bounds(&self) -> Option<Bounds> {
        let items = self.schema.get("items").and_then(Value::as_object);
        let mut schema = items.unwrap_or(&self.schema).clone();
        if schema.get("maximum").and_then(Value::as_u64) == Some(u64::MAX) {
            schema.shift_remove("maximum"); // the type's
        }
        Bounds::of_schema(&schema)
    }

    /// Returns an example of the value: the type's, or a choice that is not the default.
    pub fn example(&self) -> Option<Value> {
        let examples = self.schema.get("examples").and_then(Value::as_array);
        if let Some(example) = examples.and_then(|examples| examples.first()) {
            return Some(example.clone());
        }
        let mut choices: Vec<Value> = self
            .choices()
            .into_iter()
            .map(|(choice, _)| choice)
            .collect();
        if self.schema.get("type").and_then(Value::as_str) == Some("boolean") {
            choices = vec![true.into(), false.into()];
        }
        let default = self.schema.get("default");
        choices.into_iter().find(|choice| Some(choice) != default)
    }

    /// Returns the values that the schema lists, each with its meaning.
    pub fn choices(&self) -> Vec<(Value, &str)> {
        let mut choices = Vec::new();
        list_choices(&self.schema, &mut choices);
        choices
    }
}

fn list_choices<'a>(schema: &'a Map<String, Value>, choices: &mut Vec<(Value, &'a str)>) {
    if let Some(choice) = schema.get("const") {
        let description = schema.get("description").and_then(Value::as_str);
        choices.push((choice.clone(), description.unwrap_or_default()));
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        choices.extend(values.iter().map(|value| (value.clone(), "")));
    }
    for (_, alternative) in alternatives(schema) {
        if let Some(alternative) = alternative.as_object() {
            list_choices(alternative, choices);
        }
    }
}

/// Returns the keys of the object with the schema at a pointer, and all below them.
pub(super) fn keys(root: &Value, pointer: &str) -> Vec<Key> {
    let mut found = Vec::new();
    collect(root, pointer, "", false, &mut found);
    found
}

/// Returns the schema's alternatives, each after its pointer within the schema.
fn alternatives(schema: &Map<String, Value>) -> impl Iterator<Item = (String, &Value)> {
    ["oneOf", "anyOf"].into_iter().flat_map(|keyword| {
        let list = schema.get(keyword).and_then(Value::as_array);
        let list = list.into_iter().flatten().enumerate();
        list.map(move |(index, alternative)| (format!("/{keyword}/{index}"), alternative))
    })
}

/// Adds what is below a path. One key of `tagged` objects chooses among alternatives and so is not
/// required, whatever the schema has.
fn collect(root: &Value, pointer: &str, path: &str, tagged: bool, keys: &mut Vec<Key>) {
    let Some(schema) = root.pointer(pointer).and_then(Value::as_object) else {
        return;
    };
    if let Some(target) = target(schema) {
        collect(root, target, path, tagged, keys);
    }
    let required = schema.get("required").and_then(Value::as_array);
    let required = |key: &str| required.is_some_and(|list| list.iter().any(|name| name == key));
    let properties = schema.get("properties").and_then(Value::as_object);
    for key in properties.into_iter().flat_map(Map::keys) {
        let pointer = format!("{pointer}/properties/{key}");
        let path = match path {
            "" => key.clone(),
            path => format!("{path}.{key}"),
        };
        keys.push(Key {
            path: path.clone(),
            required: required(key) && !tagged,
            schema: resolved(root, &pointer),
            pointer: pointer.clone(),
        });
        collect(root, &pointer, &path, false, keys);
    }
    for (place, _) in alternatives(schema) {
        let tagged = place.starts_with("/oneOf");
        collect(root, &format!("{pointer}{place}"), path, tagged, keys);
    }
    if schema.contains_key("items") {
        let path = format!("{path}[]");
        collect(root, &format!("{pointer}/items"), &path, false, keys);
    }
}

/// Returns the pointer that a schema refers to.
fn target(schema: &Map<String, Value>) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix('#')
}

/// Returns a schema with what it refers to, at any depth of alternatives; its own keywords come first.
fn resolved(root: &Value, pointer: &str) -> Map<String, Value> {
    let schema = root.pointer(pointer).and_then(Value::as_object);
    let mut schema = schema.cloned().unwrap_or_default();
    if let Some(target) = target(&schema).map(str::to_owned) {
        schema.shift_remove("$ref");
        for (keyword, value) in resolved(root, &target) {
            schema.entry(keyword).or_insert(value);
        }
        return schema;
    }
    let places: Vec<_> = alternatives(&schema).map(|(place, _)| place).collect();
    let mut value = Value::Object(schema);
    for place in places {
        if let Some(alternative) = value.pointer_mut(&place) {
            *alternative = Value::Object(resolved(root, &format!("{pointer}{place}")));
        }
    }
    match value {
        Value::Object(schema) => schema,
        _ => Map::new(), // never: it was put in above
    }
}
