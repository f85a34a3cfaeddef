//! Text that comes from outside, shown to people.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

/// Escapes characters that steer a terminal, as `\u{1b}`; any other stays as it is.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_control) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match is_control(c) {
            true => escaped.extend(c.escape_default()),
            false => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// Returns whether a character changes how the text around it is shown, rather than being shown itself: control
/// characters, line separators, and those that change the direction of writing.
pub(crate) fn is_control(c: char) -> bool {
    let steers = |c| matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || steers(c)
}

/// Shows a value with [`printable`].
pub(crate) struct Printable<T>(pub(crate) T);

impl<T: Display> Display for Printable<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let mut text = String::new();
        write!(text, "{}", self.0)?;
        formatter.write_str(&printable(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped() {
        assert_eq!(printable("a\u{1b}[31mb\n"), "a\\u{1b}[31mb\\n");
        assert_eq!(printable("\u{202e}abc"), "\\u{202e}abc");
        assert_eq!(printable("\u{9b}2J"), "\\u{9b}2J");
        assert_eq!(printable("Größe, 大 🙂 \\n"), "Größe, 大 🙂 \\n");
        assert_eq!(Printable("a\u{7}").to_string(), "a\\u{7}");
    }
}
