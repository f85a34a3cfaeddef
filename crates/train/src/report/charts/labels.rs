//! Short names for charts that differ wherever the whole names do.

use std::collections::HashSet;

/// Stands for what was left out.
const ELLIPSIS: char = '…';
/// Ends a word in a name. A point is none, so that numbers stay whole.
const SEPARATORS: [char; 6] = ['-', '_', ' ', '/', ',', ':'];
/// Between the settings in the name of a variant of a grid.
const BETWEEN_PARTS: &str = ", ";
/// A cut at the end is good if labels differ before these last letters.
const CLEAR: usize = 3;
/// A cut in the middle goes back by up to this many letters to the beginning of a word.
const REACH: usize = 3;

/// The short names of a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Labels {
    /// A label for each name, in the same order.
    pub(super) texts: Vec<String>,
    /// What all names share and the labels leave out, with an ellipsis where a label has its text.
    pub(super) shared: Option<String>,
}

impl Labels {
    /// Makes labels of at most `letters` letters. Where a name is longer, all labels leave out what the names
    /// share; what is still too long is cut at the end or in the middle, and gets a number where neither
    /// tells it from the others.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str>, letters: usize) -> Self {
        let names: Vec<&str> = names.collect();
        if fit(&names, letters) {
            return Self {
                texts: names.into_iter().map(str::to_owned).collect(),
                shared: None,
            };
        }
        let (rest, shared) = match without_shared_parts(&names).or_else(|| without_ends(&names)) {
            Some((rest, shared)) => (rest, Some(shared)),
            None => (names.iter().map(|name| (*name).to_owned()).collect(), None),
        };
        Self {
            texts: cut_all(&rest, letters),
            shared,
        }
    }
}

/// `text`, with its middle replaced by an ellipsis where it has more than `letters` letters.
pub(super) fn shortened(text: &str, letters: usize) -> String {
    cut(text, letters, letters / 2)
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn fit(names: &[impl AsRef<str>], letters: usize) -> bool {
    names.iter().all(|name| length(name.as_ref()) <= letters)
}

fn distinct(names: &[impl AsRef<str>]) -> usize {
    let names: HashSet<&str> = names.iter().map(AsRef::as_ref).collect();
    names.len()
}

/// Names such as `residual=false, width=0.5` without the settings and the keys that all of them have: what is
/// left of each, and what was left out.
fn without_shared_parts(names: &[&str]) -> Option<(Vec<String>, String)> {
    let parts: Vec<Vec<&str>> = names
        .iter()
        .map(|name| name.split(BETWEEN_PARTS).collect())
        .collect();
    let count = parts.first()?.len();
    if names.len() < 2 || parts.iter().any(|parts| parts.len() != count) {
        return None;
    }
    let mut rest: Vec<Vec<&str>> = vec![Vec::new(); names.len()];
    let mut shared = Vec::new();
    for place in 0..count {
        let column: Vec<&str> = parts.iter().map(|parts| parts[place]).collect();
        if column.iter().all(|part| *part == column[0]) {
            shared.push(column[0].to_owned());
            continue;
        }
        let key = column[0].split_inclusive('=').next().unwrap_or_default();
        let has_key = |part: &&str| part.len() > key.len() && part.starts_with(key);
        let start = match key.ends_with('=') && column.iter().all(has_key) {
            true => key.len(),
            false => 0,
        };
        shared.push(format!("{}{ELLIPSIS}", &column[0][..start]));
        for (rest, part) in rest.iter_mut().zip(column) {
            rest.push(&part[start..]);
        }
    }
    let says_nothing = shared.iter().all(|part| part.chars().eq([ELLIPSIS]));
    if says_nothing || rest[0].is_empty() {
        return None;
    }
    let rest = rest.iter().map(|parts| parts.join(BETWEEN_PARTS));
    Some((rest.collect(), shared.join(BETWEEN_PARTS)))
}

/// Returns the names without the words that all of them begin and end with: what is left of each, and what was left out.
fn without_ends(names: &[&str]) -> Option<(Vec<String>, String)> {
    if distinct(names) < 2 {
        return None;
    }
    let start = shared_start(names);
    let rest: Vec<&str> = names.iter().map(|name| &name[start..]).collect();
    let end = shared_end(&rest);
    if start + end == 0 {
        return None;
    }
    let first = names[0];
    let shared = format!(
        "{}{ELLIPSIS}{}",
        &first[..start],
        &first[first.len() - end..]
    );
    let rest = rest.iter().map(|name| name[..name.len() - end].to_owned());
    Some((rest.collect(), shared))
}

/// Returns the bytes of the words that all names begin with, with a separator after them and something left of each name.
fn shared_start(names: &[&str]) -> usize {
    let first = names[0];
    let ends = first.char_indices().filter(|(_, c)| SEPARATORS.contains(c));
    let ends = ends.map(|(index, separator)| index + separator.len_utf8());
    let is_shared = |end: &usize| {
        let start = &first[..*end];
        names
            .iter()
            .all(|name| name.starts_with(start) && name.len() > *end)
    };
    ends.take_while(is_shared).last().unwrap_or(0)
}

/// Returns the bytes of the words that all names end with, with a separator before them and something left of each name.
fn shared_end(names: &[&str]) -> usize {
    let first = names[0];
    let starts = first.rmatch_indices(SEPARATORS).map(|(index, _)| index);
    let is_shared = |start: &usize| {
        let end = &first[*start..];
        names
            .iter()
            .all(|name| name.ends_with(end) && name.len() > end.len())
    };
    let start = starts.take_while(is_shared).last();
    start.map_or(0, |start| first.len() - start)
}

/// Cuts what is longer than `letters`, all names in the same way.
fn cut_all(names: &[String], letters: usize) -> Vec<String> {
    if fit(names, letters) {
        return names.to_vec();
    }
    let wanted = distinct(names);
    let cut_to = |letters: usize, tail: usize| -> Vec<String> {
        names.iter().map(|name| cut(name, letters, tail)).collect()
    };
    let at_the_end = cut_to(letters, 0);
    if distinct(&cut_to(letters.saturating_sub(CLEAR), 0)) == wanted {
        return at_the_end;
    }
    // Halves first, then whatever tells all of them apart.
    let tails = [letters / 2, letters / 3, 2 * letters / 3];
    let tails = tails.into_iter().chain(1..letters.saturating_sub(1));
    for tail in tails {
        let labels = cut_to(letters, tail);
        if distinct(&labels) == wanted {
            return labels;
        }
    }
    if distinct(&at_the_end) == wanted {
        return at_the_end;
    }
    numbered(names, letters)
}

/// Labels cut at the end, with the place of the name in the list.
fn numbered(names: &[String], letters: usize) -> Vec<String> {
    let number = |(index, name): (usize, &String)| {
        let number = format!(" #{}", index + 1);
        let room = letters.saturating_sub(number.len()).max(2);
        format!("{}{number}", cut(name, room, 0))
    };
    names.iter().enumerate().map(number).collect()
}

/// `text` of at most `letters` letters. Where it is cut, an ellipsis stands before the last `tail` letters, or
/// a few more where a word begins there.
fn cut(text: &str, letters: usize, tail: usize) -> String {
    let text: Vec<char> = text.chars().collect();
    if text.len() <= letters {
        return text.iter().collect();
    }
    let begins_word = |tail: &usize| {
        let before = text.len().checked_sub(tail + 1);
        before.is_some_and(|place| SEPARATORS.contains(&text[place]))
    };
    let tail = match tail {
        0 => 0,
        _ => (tail..=(tail + REACH).min(letters.saturating_sub(1)))
            .find(begins_word)
            .unwrap_or(tail),
    };
    let head: String = text[..letters.saturating_sub(1 + tail)].iter().collect();
    let tail: String = text[text.len() - tail..].iter().collect();
    format!("{}{ELLIPSIS}{}", head.trim_end(), tail.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str], letters: usize) -> (Vec<String>, Option<String>) {
        let labels = Labels::of(names.iter().copied(), letters);
        for text in &labels.texts {
            assert!(length(text) <= letters, "{text}");
        }
        assert_eq!(
            distinct(&labels.texts),
            distinct(names),
            "{:?}",
            labels.texts
        );
        (labels.texts, labels.shared)
    }

    #[test]
    fn short_names_stay() {
        let names = ["residual=true", "residual=false"];
        assert_eq!(
            labels(&names, 18),
            (names.map(str::to_owned).to_vec(), None)
        );
    }

    #[test]
    fn a_grids_labels_are_its_values() {
        let names = [
            "residual=true, learning_rate=0.1, width=0.5",
            "residual=true, learning_rate=0.01, width=0.5",
            "residual=false, learning_rate=0.1, width=0.5",
            "residual=false, learning_rate=0.01, width=0.5",
        ];
        let (texts, shared) = labels(&names, 18);
        assert_eq!(
            texts,
            ["true, 0.1", "true, 0.01", "false, 0.1", "false, 0.01"]
        );
        assert_eq!(
            shared.as_deref(),
            Some("residual=…, learning_rate=…, width=0.5")
        );
    }

    #[test]
    fn words_that_all_names_share_are_left_out() {
        let names = ["segments-1-of-728-channels", "segments-16-of-728-channels"];
        let (texts, shared) = labels(&names, 18);
        assert_eq!(texts, ["1", "16"]);
        assert_eq!(shared.as_deref(), Some("segments-…-of-728-channels"));
        // Numbers stay whole, and no label is empty.
        let (texts, _) = labels(&["learning-rate-0.1-cosine", "learning-rate-0.15-step"], 18);
        assert_eq!(texts, ["0.1-cosine", "0.15-step"]);
        let (texts, _) = labels(&["a-long-beginning", "a-long-beginning-and-more"], 18);
        assert_eq!(texts, ["beginning", "beginning-and-more"]);
    }

    #[test]
    fn names_that_differ_late_keep_their_ends() {
        let names = [
            "xception",
            "without-any-residual-connection-in-the-entry-flow",
            "without-any-residual-connection-in-the-exit-flow",
        ];
        let (texts, shared) = labels(&names, 24);
        assert_eq!(shared, None);
        assert_eq!(texts[1], "without-a…the-entry-flow");
        assert_eq!(
            labels(&names, 18).0[1..],
            ["without…entry-flow", "without-…exit-flow"]
        );
        let names = ["xception", "no-residual-connections-anywhere"];
        assert_eq!(labels(&names, 18).0[1], "no-residual-conne…");
    }

    #[test]
    fn names_that_can_not_be_cut_apart_are_numbered() {
        let (a, b) = ("a".repeat(60), "b".repeat(60));
        let names = [format!("{a}x{a}"), format!("{a}y{a}"), format!("{b}x{a}")];
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (texts, _) = labels(&names, 18);
        assert!(texts[0].ends_with("… #1") && texts[1].ends_with("… #2"));
    }

    #[test]
    fn one_name_and_equal_names_are_cut() {
        assert_eq!(labels(&["abcdefgh"], 5).0, ["abcd…"]);
        assert_eq!(labels(&["crane", "crane", "a-long-name"], 6).0.len(), 3);
        assert_eq!(shortened("äöüßäöüß", 5), "äö…üß");
    }
}
