//! Markdown, block by block, and texts escaped for it.

/// Text that grows by lines and blocks.
#[derive(Default)]
pub(super) struct Page(pub(super) String);

impl Page {
    pub(super) fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// Returns a line with an empty one before it, unless it is the first.
    pub(super) fn block(&mut self, line: &str) {
        if !self.0.is_empty() && !self.0.ends_with("\n\n") {
            self.0.push('\n');
        }
        if !line.is_empty() {
            self.line(line);
        }
    }

    /// Returns a table; columns after the first `texts` are right-aligned.
    pub(super) fn table<Row: AsRef<[String]>>(
        &mut self,
        head: &[&str],
        texts: usize,
        rows: impl Iterator<Item = Row>,
    ) {
        self.block(&format!("| {} |", head.join(" | ")));
        let rule = |column| if column < texts { "---" } else { "---:" };
        let rules: Vec<_> = (0..head.len()).map(rule).collect();
        self.line(&format!("| {} |", rules.join(" | ")));
        for row in rows {
            self.line(&format!("| {} |", row.as_ref().join(" | ")));
        }
    }
}

/// `content` with every character escaped that Markdown or HTML would take for its own.
pub(super) fn text(content: &str) -> String {
    let mut escaped = String::with_capacity(content.len());
    for letter in content.chars() {
        match letter {
            '\n' | '\r' => escaped.push(' '),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// `content` as code within a line, also in a table.
pub(super) fn code(content: &str) -> String {
    let content = content.replace(['\n', '\r'], " ").replace('|', "\\|");
    let fence = "`".repeat(longest_run(&content) + 1);
    let space = if content.contains('`') { " " } else { "" };
    format!("{fence}{space}{content}{space}{fence}")
}

/// `content` as a block of code.
pub(super) fn fenced(content: &str) -> String {
    let fence = "`".repeat(longest_run(content).max(2) + 1);
    format!("{fence}sh\n{content}\n{fence}")
}

/// Returns the length of the longest run of backticks.
fn longest_run(content: &str) -> usize {
    let runs = content.split(|letter| letter != '`').map(str::len);
    runs.max().unwrap_or(0)
}
