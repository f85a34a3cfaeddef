//! What the types of an ablation don't say: that paths are those of a run, with its values.

use serde_json::{Map, Value, json};

use super::keys::{Key, keys};
use super::partial::add_partial;

/// Completes the schema of an ablation.
pub(super) fn complete(schema: &mut Map<String, Value>) {
    let whole = Value::Object(schema.clone());
    let paths = keys(&whole, "/$defs/RunConfig");
    let Some(Value::Object(definitions)) = schema.get_mut("$defs") else {
        return;
    };
    if let Some(axis) = definitions.get_mut("Axis") {
        type_axis(axis, &paths);
    }
    if let Some(variant) = definitions.get_mut("VariantConfig") {
        type_set(&mut variant["properties"]["set"], &paths);
    }
    let partial = add_partial(definitions, "RunConfig");

    let mut root = Value::Object(std::mem::take(schema));
    root["properties"]["base"]["$ref"] = format!("#/$defs/{partial}").into();
    root["oneOf"] = json!([
        {"required": ["variants"], "properties": {"variants": {"minItems": 1}, "axes": {"maxItems": 0}}},
        {"required": ["axes"], "properties": {"axes": {"minItems": 1}, "variants": {"maxItems": 0}}}
    ]);
    if let Value::Object(root) = root {
        *schema = root;
    }
}

fn reference(key: &Key) -> Value {
    json!({"$ref": format!("#{}", key.pointer)})
}

/// Lists the paths that a variant may set.
fn type_set(set: &mut Value, paths: &[Key]) {
    let properties = paths.iter().map(|key| (key.path.clone(), reference(key)));
    set["properties"] = Value::Object(properties.collect());
    set["additionalProperties"] = false.into();
}

/// Lists the paths that an axis may have, each with the values that fit it.
fn type_axis(axis: &mut Value, paths: &[Key]) {
    axis["properties"]["path"]["enum"] = paths.iter().map(|key| key.path.clone()).collect();
    let rules = paths.iter().map(|key| {
        json!({
            "if": {"properties": {"path": {"const": key.path}}},
            "then": {"properties": {"values": {"items": reference(key)}}}
        })
    });
    axis["allOf"] = rules.collect();
}
