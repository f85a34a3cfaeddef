//! What is wrong with a text that isn't JSON, in plain words.

/// Says what a message of serde_json's means; `rest` is the text from the place of the mistake on.
pub(super) fn plain(message: &str, rest: &str) -> String {
    let plain = match message {
        "EOF while parsing a value" => "the text ends where a value is missing",
        "EOF while parsing an object" => "the text ends within an object: a `}` is missing",
        "EOF while parsing a list" => "the text ends within a list: a `]` is missing",
        "EOF while parsing a string" => "the text ends within a string: a `\"` is missing",
        "expected `:`" => "a `:` is missing after the key",
        "expected `,` or `}`" => "a `,` or `}` is missing before this",
        "expected `,` or `]`" => "a `,` or `]` is missing before this",
        "expected value" | "expected ident" | "key must be a string" if is_comment(rest) => {
            "JSON has no comments: leave it out"
        }
        "key must be a string" => "a key has to stand in double quotes",
        "expected value" | "expected ident" if rest.starts_with('\'') => {
            "a string has to stand in double quotes"
        }
        "expected value" | "expected ident" => {
            "a value has to be a number, `true`, `false`, `null`, a string in double quotes, a list in `[]` or an \
             object in `{}`"
        }
        "trailing comma" => "there is a `,` after the last value: leave it out",
        "trailing characters" => "something follows after the end of the value",
        "recursion limit exceeded" => "lists and objects lie in each other more than 127 deep",
        "number out of range" => "the number is too large",
        "invalid number" => "a number has to look like 12, -0.5 or 1e-5",
        "invalid escape" => {
            "a string may have a `\\` only before `\"`, `\\`, `/`, b, f, n, r, t or uXXXX"
        }
        message if message.starts_with("control character") => {
            "a string may not have a line break or another control character; is a `\"` missing?"
        }
        message => message,
    };
    plain.to_owned()
}

fn is_comment(rest: &str) -> bool {
    rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#')
}

#[cfg(test)]
mod tests {
    #[test]
    fn common_mistakes_are_named() {
        let cases = [
            ("{\"a\": 1", "a `}` is missing"),
            ("[1, 2", "a `]` is missing"),
            ("{\"a", "a `\"` is missing"),
            ("{\"a\": ", "a value is missing"),
            ("{\"a\" 1}", "a `:` is missing"),
            ("{\"a\": 1 \"b\": 2}", "a `,` or `}` is missing"),
            ("[1 2]", "a `,` or `]` is missing"),
            ("{\"a\": 1, // one\n}", "JSON has no comments"),
            ("{\"a\": # one\n 1}", "JSON has no comments"),
            ("{'a': 1}", "a key has to stand in double quotes"),
            ("{\"a\": 'b'}", "a string has to stand in double quotes"),
            ("{\"a\": True}", "`true`, `false`"),
            ("{\"a\": 1,}", "after the last value"),
            ("{} {}", "follows after the end"),
            ("1e999", "too large"),
            ("[01]", "has to look like"),
            ("[.5]", "a value has to be a number"),
            ("\"\\x\"", "only before"),
            ("\"a\nb\"", "line break"),
        ];
        for (text, part) in cases {
            let source = super::super::source::Source::text(text);
            let message = source.json().unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
