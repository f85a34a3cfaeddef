//! Escaping of foreign text for a terminal.

use std::path::Path;

use xception_files::name_text;

/// Returns text on one line, in which no character controls a terminal: control characters, and those that change the
/// direction of writing, are escaped as in Rust, such as `\n` and `\u{1b}`.
pub fn escaped(text: &str) -> String {
    escape(text, |_| false)
}

/// Returns text escaped as by [`escaped`], except for its line breaks.
pub fn escaped_lines(text: &str) -> String {
    escape(text, |character| character == '\n')
}

/// Returns a path escaped as by [`escaped`], with bytes that aren't UTF-8 as `\xE9`.
pub fn escaped_path(path: &Path) -> String {
    escaped(&name_text(path.as_os_str()))
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if controls(character) && !keep(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn controls(character: char) -> bool {
    let turns = matches!(
        character,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    character.is_control() || turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_controls_the_terminal() {
        let text = "a\nb\t\u{1b}[31mred\u{7f}\u{9b}2J\u{202e}gnp\r";
        let safe = "a\\nb\\t\\u{1b}[31mred\\u{7f}\\u{9b}2J\\u{202e}gnp\\r";
        assert_eq!(escaped(text), safe);
        assert_eq!(escaped_lines("a\nb\u{1b}"), "a\nb\\u{1b}");
    }

    #[test]
    fn text_stays_as_it_is() {
        let text = r"C:\Möwen\鳥 🐦.png";
        assert_eq!(escaped(text), text);
    }

    #[cfg(unix)]
    #[test]
    fn paths_show_their_bytes() {
        use std::os::unix::ffi::OsStrExt;

        let path = Path::new(std::ffi::OsStr::from_bytes(b"caf\xe9\n.png"));
        assert_eq!(escaped_path(path), "caf\\xE9\\n.png");
    }
}
