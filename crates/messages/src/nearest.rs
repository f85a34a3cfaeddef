//! The known name that a wrong one is most like.

/// Returns the known name with the fewest changes of a character from `name`, whatever its capitals, unless more than half of
/// it would have to change.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found = name.to_lowercase();
    known
        .into_iter()
        .map(|known| {
            (
                strsim::damerau_levenshtein(&known.to_lowercase(), &found),
                known,
            )
        })
        .min_by_key(|(changes, _)| *changes)
        .filter(|(changes, known)| *changes <= known.chars().count().max(found.chars().count()) / 2)
        .map(|(_, known)| known)
}

/// Writes the hint in parentheses that follows a wrong name: ` (did you mean `known`?)`, or nothing.
pub fn hint(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!(" (did you mean `{name}`?)"))
        .unwrap_or_default()
}

/// Asks whether the [`nearest`] name was meant, as an end to a message; empty if none is like the one that was found.
pub fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(name, known) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_finds_the_one_it_is_like() {
        let known = ["xception", "inception_v3", "resnet18", "resnet152", "größe"];
        assert_eq!(nearest("inceptionv3", known), Some("inception_v3"));
        assert_eq!(nearest("Xcepton", known), Some("xception"));
        assert_eq!(nearest("grösse", known), Some("größe"));
        assert_eq!(nearest("zzz", known), None);
        assert_eq!(nearest("x", []), None);
        assert_eq!(hint(Some("width")), " (did you mean `width`?)");
        assert_eq!(hint(None), "");
        assert_eq!(suggestion("xceptoin", known), "; did you mean `xception`?");
        assert_eq!(suggestion("zzz", known), "");
    }
}
