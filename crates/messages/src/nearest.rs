//! The known name that a wrong one is most like.

/// The least similarity (Jaro-Winkler, 0 to 1) at which a name is worth a hint.
const SIMILAR: f64 = 0.8;

/// Returns the known name that is most like `name`, whatever its capitals; none if no name is like it.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&known.to_lowercase(), &name), known))
        .filter(|(similarity, _)| *similarity > SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

/// Writes the hint that follows a wrong name: ` (did you mean `known`?)`, or nothing.
pub fn hint(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!(" (did you mean `{name}`?)"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_finds_the_one_it_is_like() {
        let known = ["xception", "inception_v3", "resnet18", "resnet152"];
        assert_eq!(nearest("inceptionv3", known), Some("inception_v3"));
        assert_eq!(nearest("Xcepton", known), Some("xception"));
        assert_eq!(nearest("zzz", known), None);
        assert_eq!(hint(Some("width")), " (did you mean `width`?)");
        assert_eq!(hint(None), "");
    }
}
