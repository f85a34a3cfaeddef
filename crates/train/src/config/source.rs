//! The text of a configuration, and where each value stands in it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::{ConfigError, Invalid};
use super::syntax;
use super::text_tree::Node;
use crate::printable::{is_control, printable};

/// The most bytes that a file may have.
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
        let mut bytes = Vec::new();
        // A pipe is read as well, as a shell's `<(command)` gives it, and may go on forever.
        let file = File::open(path).map_err(failed)?;
        let mut limited = file.take(MAX_BYTES + 1);
        limited.read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_BYTES {
            let cause = "it is larger than 16 MiB, which no configuration is";
            return Err(failed(std::io::Error::other(cause)));
        }
        Self::decode(path, bytes)
    }

    /// Returns the text in UTF-8, with or without a byte-order mark.
    fn decode(path: &Path, bytes: Vec<u8>) -> Result<Self, ConfigError> {
        let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let before = String::from_utf8_lossy(&bytes[..valid]);
            let (line, column) = line_and_column(&before, before.len());
            let cause = match utf16 {
                true => "it looks like UTF-16".to_owned(),
                false => format!("there is a byte 0x{:02x}", bytes[valid]),
            };
            ConfigError::Encoding {
                place: format!("{}:{line}:{column}", path.display()),
                cause: format!("{cause}; save the file as UTF-8"),
            }
        })?;
        Ok(Self {
            path: Some(path.to_owned()),
            text: without_mark(&text).to_owned(),
        })
    }

    pub(super) fn text(text: &str) -> Self {
        Self {
            path: None,
            text: without_mark(text).to_owned(),
        }
    }

    /// Returns the text as JSON, in which no object has a key twice and no string a control character.
    pub(super) fn json(&self) -> Result<Value, ConfigError> {
        let value = serde_json::from_str(&self.text).map_err(|error| self.syntax(&error))?;
        let Some(tree) = Node::read(&self.text) else {
            return Ok(value); // never, of valid JSON
        };
        if let Some(duplicate) = tree.duplicate() {
            let (line, column) = line_and_column(&self.text, duplicate.first);
            let message = format!(
                "the key is there twice, first at line {line}, column {column}: keep one of them"
            );
            return Err(self.error_at(duplicate.again, Invalid::saying(duplicate.path, message)));
        }
        if let Some(found) = tree.find_string(&|text| text.contains(is_control)) {
            let message = format!(
                "`{}` has a control character or a line break, which no text of a configuration may have",
                printable(found.text)
            );
            return Err(self.error_at(found.start, Invalid::saying(found.path, message)));
        }
        Ok(value)
    }

    fn syntax(&self, error: &serde_json::Error) -> ConfigError {
        let cause = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        let cause = cause.strip_suffix(&position).unwrap_or(&cause);
        // The column counts bytes, up to and with the one that is wrong; it is 0 after a line break.
        let lines = self.text.split_inclusive('\n');
        let line: usize = lines
            .take(error.line().saturating_sub(1))
            .map(str::len)
            .sum();
        let mut start = (line + error.column().saturating_sub(1)).min(self.text.len());
        if error.is_eof() {
            start = self.text.trim_end().len();
        }
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let (line, column) = line_and_column(&self.text, start);
        let empty = self.text.trim().is_empty();
        ConfigError::Syntax {
            place: self.place(line, column),
            cause: match empty {
                true => "the file is empty".to_owned(),
                false => syntax::plain(cause, self.text.get(start..).unwrap_or_default()),
            },
        }
    }

    /// Returns an error at the place of the value of this path (or of its nearest parent in the text).
    pub(super) fn error(&self, invalid: Invalid, path: &str) -> ConfigError {
        let (start, _) = self.find(path);
        self.error_at(start, invalid)
    }

    /// Returns where the value of a path stands, for people; `None` where the text doesn't have it.
    pub(super) fn place_of(&self, path: &str) -> Option<String> {
        let (start, there) = self.find(path);
        let (line, column) = line_and_column(&self.text, start);
        there.then(|| self.place(line, column))
    }

    fn error_at(&self, start: usize, invalid: Invalid) -> ConfigError {
        let (line, column) = line_and_column(&self.text, start);
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

    /// As [`Node::find`]; indices may also stand in brackets.
    fn find(&self, path: &str) -> (usize, bool) {
        let path = path.replace('[', ".").replace(']', "");
        Node::read(&self.text).map_or((0, false), |root| root.find(&path))
    }
}

/// Without the byte-order mark that some editors put at the start.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Returns the line and column, in characters and from 1, of a byte of a text.
fn line_and_column(text: &str, start: usize) -> (usize, usize) {
    let before = text.get(..start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    (line, column)
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

    fn locate(text: &str, path: &str) -> (usize, usize) {
        let source = Source::text(text);
        line_and_column(&source.text, source.find(path).0)
    }

    fn error(text: &str) -> String {
        Source::text(text).json().unwrap_err().to_string()
    }

    fn decoded(bytes: &[u8]) -> Result<Source, ConfigError> {
        Source::decode(Path::new("x.json"), bytes.to_vec())
    }

    #[test]
    fn finds_keys_elements_and_keys_with_dots() {
        assert_eq!(locate(TEXT, "model.xception.widht"), (2, 26));
        assert_eq!(locate(TEXT, "variants[1].name"), (5, 6));
        let path = "variants[1].set.model.xception.residual";
        assert_eq!(locate(TEXT, path), (5, 27));
        // Behind characters of several bytes, and after a pair of escapes for one.
        assert_eq!(
            locate("{\"ä\": \"\\ud83d\\ude00\", \"b\": 1}", "b"),
            (1, 23)
        );
    }

    #[test]
    fn falls_back_to_the_nearest_parent() {
        assert_eq!(locate(TEXT, "model.missing.key"), (2, 3));
        assert_eq!(locate(TEXT, "missing"), (1, 1));
        assert_eq!(locate(TEXT, ""), (1, 1));
        assert_eq!(Source::text(TEXT).place_of("model.missing"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_without_an_end_is_an_error() {
        let error = Source::read(Path::new("/dev/zero")).err().unwrap();
        assert!(error.to_string().contains("larger than 16 MiB"), "{error}");
    }

    #[test]
    fn a_syntax_error_has_line_and_column() {
        let message = error("{\n  \"a\": 1,,\n}");
        assert!(message.starts_with("line 2, column 10"), "{message}");
        // In characters, not bytes.
        let message = error("{\"ä\": 1,,}");
        assert!(message.starts_with("line 1, column 9"), "{message}");
        assert_eq!(
            error(""),
            "line 1, column 1: not valid JSON: the file is empty"
        );
        assert!(error(" \n").contains("the file is empty"));
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused_with_both_places() {
        let text = "{\n  \"a\": {\"b\": 1},\n  \"a\": {\"b\": 2}\n}";
        let expected = "line 3, column 3: `a`: the key is there twice, first at line 2, column 3: keep \
                        one of them";
        assert_eq!(error(text), expected);
        let text = "{\"a\": [{\"b\": 1,\n \"b\": 2}]}";
        assert!(
            error(text).starts_with("line 2, column 2: `a.0.b`:"),
            "{}",
            error(text)
        );
    }

    #[test]
    fn control_characters_are_refused_and_shown_escaped() {
        let message = error(r#"{"title": "a\u001b[31m"}"#);
        assert!(
            message.starts_with("line 1, column 11: `title`:"),
            "{message}"
        );
        assert!(message.contains(r"`a\u{1b}[31m`"), "{message}");
        assert!(error(r#"{"a\nb": 1}"#).contains(r"`a\nb`"));
        assert!(error(r#"{"x": ["\u202e"]}"#).contains(r"\u{202e}"));
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_columns_stay_right() {
        let source = decoded(b"\xef\xbb\xbf{\"a\": 1}").unwrap();
        assert!(source.json().is_ok());
        assert_eq!(source.place_of("a").unwrap(), "x.json:1:2");
        let message = decoded(b"\xef\xbb\xbf{\"a\" 1}")
            .unwrap()
            .json()
            .unwrap_err();
        assert!(message.to_string().starts_with("x.json:1:6:"), "{message}");
    }

    #[test]
    fn what_is_not_utf8_is_named() {
        let message = decoded(b"{\n\"a\xe9\": 1}").map(|_| ()).unwrap_err();
        let expected =
            "x.json:2:3: not text in UTF-8: there is a byte 0xe9; save the file as UTF-8";
        assert_eq!(message.to_string(), expected);
        let message = decoded(b"\xff\xfe{\0}\0").map(|_| ()).unwrap_err();
        assert!(message.to_string().contains("UTF-16"), "{message}");
    }

    #[test]
    fn a_file_without_end_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.json");
        File::create(&path).unwrap().set_len(MAX_BYTES + 1).unwrap();
        let message = Source::read(&path).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains("larger than 16 MiB"), "{message}");
    }
}
