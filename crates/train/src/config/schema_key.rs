//! The key by which a file names its schema, for editors.

use serde_json::Value;

use super::error::{ConfigError, Invalid};
use super::source::Source;

/// The key, at the top of a file.
pub(super) const KEY: &str = "$schema";

/// Reads a file's JSON without the name of its schema, which is not checked.
pub(super) fn without_schema(source: &Source) -> Result<Value, ConfigError> {
    let mut value = source.json()?;
    match value
        .as_object_mut()
        .and_then(|file| file.shift_remove(KEY))
    {
        None | Some(Value::String(_)) => Ok(value),
        Some(other) => {
            let invalid = Invalid::new(KEY, other, "a string: the address of a JSON Schema");
            Err(source.error(invalid, KEY))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, String> {
        without_schema(&Source::text(text)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_name_of_a_schema_is_no_part_of_the_configuration() {
        let value = read(r#"{"$schema": "x.json", "model": {"$schema": "y"}, "data": {}}"#);
        let expected = r#"{"model":{"$schema":"y"},"data":{}}"#;
        assert_eq!(value.unwrap().to_string(), expected);
        assert_eq!(read("[1]").unwrap().to_string(), "[1]");
        let message = read("{\n  \"$schema\": 3}").unwrap_err();
        assert!(
            message.starts_with("line 2, column 3: `$schema`: is 3, but has to be"),
            "{message}"
        );
    }
}
