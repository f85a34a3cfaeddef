//! Values and names in a message.

use serde_json::Value;

/// Longest text of a value that a message quotes, in characters.
const QUOTED: usize = 60;

/// Shows a value to people: short, and as JSON writes it.
pub(in crate::config) fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        plain => shortened(&plain.to_string()),
    }
}

/// Leaves the middle of a long text out.
pub(super) fn shortened(text: &str) -> String {
    let length = text.chars().count();
    if length <= QUOTED {
        return text.to_owned();
    }
    let part = |skip, take| text.chars().skip(skip).take(take).collect::<String>();
    let half = QUOTED / 2;
    format!("{}...{}", part(0, half), part(length - half, half))
}

/// Lists names in backticks as alternatives: "`a`", "`a` or `b`", "`a`, `b` or `c`".
pub(super) fn one_of(names: &[&str]) -> String {
    listed(names, "or")
}

/// Lists names in backticks, with a word before the last.
pub(super) fn listed(names: &[&str], word: &str) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [name] => name.clone(),
        [names @ .., last] => format!("{} {word} {last}", names.join(", ")),
    }
}
