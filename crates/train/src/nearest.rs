//! The known name that is most like one that isn't known.

/// Returns the known name with the fewest changes of a character from the one that was found, unless more than half of
/// it would have to change.
pub(crate) fn nearest<'a>(
    found: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(name, found), name))
        .min_by_key(|(changes, _)| *changes)
        .filter(|(changes, name)| *changes <= name.chars().count().max(found.chars().count()) / 2)
        .map(|(_, name)| name)
}

/// Asks whether the [nearest] name was meant, as an end to a message; empty if none is like the one that was found.
pub(crate) fn suggestion<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(found, known) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let known = ["width", "classes", "größe"];
        assert_eq!(nearest("widht", known), Some("width"));
        assert_eq!(nearest("classses", known), Some("classes"));
        assert_eq!(nearest("grösse", known), Some("größe"));
        assert_eq!(nearest("residual", known), None);
        assert_eq!(nearest("x", []), None);
        assert_eq!(suggestion("widht", known), "; did you mean `width`?");
        assert_eq!(suggestion("residual", known), "");
    }
}
