//! The text of a configuration, and where each value stands in it.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use jsonc_parser::ast::Value as Node;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::Value;

use super::strict_json::{ConfigError, Invalid};

/// The most bytes of a configuration that are read.
const MAX_BYTES: u64 = 16 << 20;

/// The text of a configuration and the file it came from.
pub(super) struct Source {
    path: Option<PathBuf>,
    text: String,
}

impl Source {
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let failed = |cause| ConfigError::Read {
            path: path.to_owned(),
            cause,
        };
        let file = File::open(path).map_err(failed)?;
        let mut text = String::new();
        // A pipe is read as well, as a shell's `<(command)` gives it, and may go on forever.
        let read = file.take(MAX_BYTES + 1).read_to_string(&mut text);
        if read.map_err(failed)? as u64 > MAX_BYTES {
            let message = format!("it has more than {MAX_BYTES} bytes, which is no configuration");
            return Err(failed(io::Error::new(ErrorKind::InvalidData, message)));
        }
        Ok(Self {
            path: Some(path.to_owned()),
            text,
        })
    }

    pub(super) fn text(text: &str) -> Self {
        Self {
            path: None,
            text: text.to_owned(),
        }
    }

    /// The text as JSON.
    pub(super) fn json(&self) -> Result<Value, ConfigError> {
        serde_json::from_str(&self.text).map_err(|error| {
            let cause = error.to_string();
            let position = format!(" at line {} column {}", error.line(), error.column());
            ConfigError::Syntax {
                place: self.place(error.line(), error.column()),
                cause: cause.strip_suffix(&position).unwrap_or(&cause).to_owned(),
            }
        })
    }

    /// An error at the place of the value of this path (or of its nearest parent in the text).
    pub(super) fn error(&self, invalid: Invalid, path: &str) -> ConfigError {
        let (line, column) = self.locate(path);
        ConfigError::Invalid {
            place: self.place(line, column),
            invalid,
        }
    }

    fn place(&self, line: usize, column: usize) -> String {
        match &self.path {
            Some(path) => format!("{}:{line}:{column}", path.display()),
            None => format!("line {line}, column {column}"),
        }
    }

    /// Line and column, from 1, of the value of a path. A path has dots between keys and indices, or
    /// indices in brackets; a key of the text may itself have dots.
    fn locate(&self, path: &str) -> (usize, usize) {
        let tree = parse_to_ast(
            &self.text,
            &CollectOptions::default(),
            &ParseOptions::default(),
        );
        let root = tree.ok().and_then(|tree| tree.value);
        let start = root.map_or(0, |root| deepest(&root, &path.replace(['[', ']'], ".")));
        let before = self.text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        (line, column)
    }
}

/// Start of the deepest node on the way along the path: of the key where there is one.
fn deepest(node: &Node, path: &str) -> usize {
    let path = path.trim_matches('.');
    let follow = |name: &str| -> Option<String> {
        let rest = path.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with('.')).then(|| rest.to_owned())
    };
    match node {
        Node::Object(object) => {
            for property in &object.properties {
                if let Some(rest) = follow(property.name.as_str()) {
                    let key = property.name.range().start;
                    let value = deepest(&property.value, &rest);
                    let descended = !rest.is_empty() && value != property.value.range().start;
                    return if descended { value } else { key };
                }
            }
        }
        Node::Array(array) => {
            for (index, element) in array.elements.iter().enumerate() {
                if let Some(rest) = follow(&index.to_string()) {
                    return deepest(element, &rest);
                }
            }
        }
        _ => {}
    }
    node.range().start
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
  "model": {"xception": {"widht": 1}},
  "variants": [
    {"name": "a"},
    {"name": "b", "set": {"model.xception.residual": 3}}
  ]
}"#;

    #[test]
    fn finds_keys_elements_and_keys_with_dots() {
        let source = Source::text(TEXT);
        assert_eq!(source.locate("model.xception.widht"), (2, 26));
        assert_eq!(source.locate("variants[1].name"), (5, 6));
        let path = "variants[1].set.model.xception.residual";
        assert_eq!(source.locate(path), (5, 27));
    }

    #[test]
    fn falls_back_to_the_nearest_parent() {
        let source = Source::text(TEXT);
        assert_eq!(source.locate("model.missing.key"), (2, 3));
        assert_eq!(source.locate("missing"), (1, 1));
        assert_eq!(source.locate(""), (1, 1));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_without_an_end_is_an_error() {
        let error = Source::read(Path::new("/dev/zero")).err().unwrap();
        assert!(
            error.to_string().contains("more than 16777216 bytes"),
            "{error}"
        );
    }

    #[test]
    fn a_syntax_error_has_line_and_column() {
        let error = Source::text("{\n  \"a\": 1,,\n}").json().unwrap_err();
        assert!(
            error.to_string().starts_with("line 2, column 10"),
            "{error}"
        );
    }
}
