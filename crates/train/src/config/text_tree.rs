//! Where each value stands in a JSON text.

/// A value and where it starts, in bytes.
pub(super) struct Node {
    pub(super) start: usize,
    pub(super) content: Content,
}

/// What is in a value.
pub(super) enum Content {
    Object(Vec<Member>),
    Array(Vec<Node>),
    String(String),
    /// A number, `true`, `false` or `null`.
    Plain,
}

/// A key and its value.
pub(super) struct Member {
    pub(super) start: usize,
    pub(super) name: String,
    pub(super) value: Node,
}

impl Node {
    /// Reads a text that serde_json has read before: it is valid and not nested deeply. `None` for
    /// any other.
    pub(super) fn read(text: &str) -> Option<Self> {
        Reader { text, at: 0 }.value()
    }

    /// Returns the start of the value of a path, or of its key where it has one, and whether the path is there. Where it
    /// isn't, the start is that of the nearest parent.
    ///
    /// A path has dots between keys and indices; a key may itself have dots.
    pub(super) fn find(&self, path: &str) -> (usize, bool) {
        let path = path.trim_matches('.');
        if path.is_empty() {
            return (self.start, true);
        }
        match &self.content {
            Content::Object(members) => {
                // The longest key, in an object with both `a` and `a.b`.
                let fits = members
                    .iter()
                    .filter_map(|member| Some((member, below(path, &member.name)?)))
                    .max_by_key(|(member, _)| member.name.len());
                match fits {
                    Some((member, "")) => (member.start, true),
                    Some((member, rest)) => match member.value.find(rest) {
                        (start, false) if start == member.value.start => (member.start, false),
                        found => found,
                    },
                    None => (self.start, false),
                }
            }
            Content::Array(elements) => {
                let (index, rest) = path.split_once('.').unwrap_or((path, ""));
                let element = index.parse().ok().and_then(|i: usize| elements.get(i));
                element.map_or((self.start, false), |element| element.find(rest))
            }
            Content::String(_) | Content::Plain => (self.start, false),
        }
    }

    /// Returns the first key that an object has twice: its path, and where it stands first and again.
    pub(super) fn duplicate(&self) -> Option<Duplicate> {
        match &self.content {
            Content::Object(members) => {
                let mut seen = std::collections::HashMap::new();
                members.iter().find_map(|member| {
                    let within = || member.value.duplicate().map(|d| d.within(&member.name));
                    match seen.insert(member.name.as_str(), member.start) {
                        Some(first) => Some(Duplicate {
                            path: member.name.clone(),
                            first,
                            again: member.start,
                        }),
                        None => within(),
                    }
                })
            }
            Content::Array(elements) => elements.iter().enumerate().find_map(|(index, element)| {
                let duplicate = element.duplicate()?;
                Some(duplicate.within(&index.to_string()))
            }),
            Content::String(_) | Content::Plain => None,
        }
    }

    /// Returns the first string, key or value, of which something holds: its path, its text and where it stands.
    pub(super) fn find_string(&self, holds: &dyn Fn(&str) -> bool) -> Option<Found<'_>> {
        match &self.content {
            Content::Object(members) => members.iter().find_map(|member| {
                if holds(&member.name) {
                    return Some(Found {
                        path: member.name.clone(),
                        text: &member.name,
                        start: member.start,
                    });
                }
                let found = member.value.find_string(holds)?;
                Some(found.within(&member.name))
            }),
            Content::Array(elements) => elements.iter().enumerate().find_map(|(index, element)| {
                let found = element.find_string(holds)?;
                Some(found.within(&index.to_string()))
            }),
            Content::String(text) => holds(text).then(|| Found {
                path: String::new(),
                text,
                start: self.start,
            }),
            Content::Plain => None,
        }
    }
}

/// A key that an object has twice.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Duplicate {
    pub(super) path: String,
    pub(super) first: usize,
    pub(super) again: usize,
}

impl Duplicate {
    fn within(mut self, name: &str) -> Self {
        self.path = join(name, &self.path);
        self
    }
}

/// A string in a text.
pub(super) struct Found<'a> {
    pub(super) path: String,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl Found<'_> {
    fn within(mut self, name: &str) -> Self {
        self.path = join(name, &self.path);
        self
    }
}

fn join(name: &str, path: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{name}.{path}"),
    }
}

/// Returns what follows a name in a path that starts with it.
fn below<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(name)?;
    match rest {
        "" => Some(rest),
        rest => rest.strip_prefix('.'),
    }
}

/// Reads valid JSON from front to back.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Option<Node> {
        let first = self.peek()?;
        let start = self.at;
        let content = match first {
            b'{' => Content::Object(self.members()?),
            b'[' => Content::Array(self.elements()?),
            b'"' => Content::String(self.string()?),
            _ => {
                let rest = self.text.get(start..)?;
                let ends = |c: char| c == ',' || c == '}' || c == ']' || c.is_ascii_whitespace();
                self.at = start + rest.find(ends).unwrap_or(rest.len());
                Content::Plain
            }
        };
        Some(Node { start, content })
    }

    fn members(&mut self) -> Option<Vec<Member>> {
        let mut members = Vec::new();
        self.at += 1; // the brace
        while self.peek()? != b'}' {
            let start = self.at;
            let name = self.string()?;
            self.skip(b':')?;
            let value = self.value()?;
            members.push(Member { start, name, value });
            let _last = self.skip(b',');
        }
        self.at += 1;
        Some(members)
    }

    fn elements(&mut self) -> Option<Vec<Node>> {
        let mut elements = Vec::new();
        self.at += 1; // the bracket
        while self.peek()? != b']' {
            elements.push(self.value()?);
            let _last = self.skip(b',');
        }
        self.at += 1;
        Some(elements)
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1; // the quote
        while *bytes.get(self.at)? != b'"' {
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        serde_json::from_str(self.text.get(start..self.at)?).ok()
    }

    /// Returns the next byte that isn't a space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn skip(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duplicate(text: &str) -> Option<(String, usize, usize)> {
        let duplicate = Node::read(text).unwrap().duplicate()?;
        Some((duplicate.path, duplicate.first, duplicate.again))
    }

    #[test]
    fn finds_keys_elements_and_keys_with_dots() {
        let text = r#"{"a": {"b": [1, {"c.d": 2}]}, "a.b": 3, "é\u00e9\ud83d\ude00\"": [-1e5]}"#;
        let tree = Node::read(text).unwrap();
        let at = |path: &str| {
            let (start, there) = tree.find(path);
            (&text[start..start + 3], there)
        };
        assert_eq!(at(""), (r#"{"a"#, true));
        assert_eq!(at("a"), (r#""a""#, true));
        assert_eq!(at("a.b"), (r#""a."#, true));
        assert_eq!(at("a.b.1"), (r#""a."#, false)); // the longer key
        assert_eq!(at("a.x"), (r#""a""#, false));
        assert_eq!(at("x"), (r#"{"a"#, false));
        assert_eq!(at("éé😀\".0"), ("-1e", true));
        let text = r#"{"b": [1, {"c.d": 2}]}"#;
        let tree = Node::read(text).unwrap();
        assert_eq!(tree.find("b.1.c.d"), (11, true));
        assert_eq!(tree.find("b.1.c.d.e"), (11, false));
        assert_eq!(tree.find("b.7"), (1, false));
    }

    #[test]
    fn finds_a_key_that_is_there_twice_at_any_depth() {
        assert_eq!(
            duplicate(r#"{"a": 1, "b": {"a": 2}, "c": [{"a": 1}, {"a": 1}]}"#),
            None
        );
        assert_eq!(duplicate(r#"{"a": 1, "a": 1}"#), Some(("a".into(), 1, 9)));
        let text = r#"{"v": [{}, {"set": {"x.y": 1, "x.y": 2}}]}"#;
        assert_eq!(duplicate(text), Some(("v.1.set.x.y".into(), 20, 30)));
        // However they are written.
        assert_eq!(
            duplicate(r#"{"a": 1, "\u0061": 1}"#),
            Some(("a".into(), 1, 9))
        );
        let text = r#"{"x": "\ud83d\ude00", "a": {"b": 1, "b": 1}}"#;
        assert_eq!(duplicate(text), Some(("a.b".into(), 28, 36)));
    }

    #[test]
    fn finds_a_string_in_keys_and_values() {
        let tree = Node::read(r#"{"a": [{"b": "xy"}], "x": 1}"#).unwrap();
        let path = |part: &'static str| {
            let found = tree.find_string(&move |text| text.contains(part))?;
            Some((found.path, found.start))
        };
        assert_eq!(path("y"), Some(("a.0.b".into(), 13)));
        assert_eq!(path("b"), Some(("a.0.b".into(), 8)));
        assert_eq!(path("z"), None);
    }

    #[test]
    fn what_is_not_json_is_none() {
        for text in ["", " ", "{", "[1", "\"a", "{\"a\"", "{\"a\" 1}", "\"\\"] {
            assert!(Node::read(text).is_none(), "{text}");
        }
    }
}
