//! The folders of an ablation's variants.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::error::Invalid;
use crate::record::layout;

/// The most bytes that the name of a folder has on common file systems.
pub(super) const MAX_BYTES: usize = 255;

/// Checks that a folder can be named after a variant.
pub(super) fn check_name(name: &str, path: &str) -> Result<(), Invalid> {
    let expected = "a name with letters or digits";
    if name.trim().is_empty() {
        return Err(Invalid::new(path, "empty", expected));
    }
    if folder(name).is_empty() {
        return Err(Invalid::new(path, format!("\"{name}\""), expected));
    }
    if name.len() > MAX_BYTES {
        let found = format!("{} bytes long", name.len());
        return Err(Invalid::new(path, found, "at most 255 bytes long"));
    }
    Ok(())
}

/// Returns the folders of an ablation's variants with these names, in their order; none has the name of a file beside them.
pub(crate) fn variant_folders<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    folders(names, &layout::FILES)
}

/// Returns the folders of variants with these names, in their order. No two are the same, also where the file system
/// takes `A` for `a`, and none is one of those that are taken.
fn folders<'a>(names: impl Iterator<Item = &'a str>, taken: &[&str]) -> Vec<String> {
    let mut seen: HashSet<_> = taken.iter().map(|name| name.to_lowercase()).collect();
    names
        .map(|name| {
            let mut folder = folder(name);
            if !seen.insert(folder.to_lowercase()) {
                folder = with_hash(&folder, name);
                seen.insert(folder.to_lowercase());
            }
            folder
        })
        .collect()
}

/// Returns the name with everything but letters, digits and `-_.=+` replaced by `_`, and without dots at its start. A
/// hash follows where the name is too long, or had symbols beyond ASCII.
fn folder(name: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || "-_=+.".contains(c);
    let folder: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    let folder = folder.trim_start_matches('.');
    let lost = name.chars().any(|c| !c.is_ascii() && !fits(c));
    match lost || folder.len() > MAX_BYTES {
        true => with_hash(folder, name),
        false => folder.to_owned(),
    }
}

/// Returns a folder's name, shortened where it has to be, with the start of a hash.
fn with_hash(folder: &str, name: &str) -> String {
    let hash = format!("-{:x}", Sha256::digest(name));
    let hash = &hash[..9]; // in ASCII
    let mut end = folder.len().min(MAX_BYTES - hash.len());
    while !folder.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{hash}", &folder[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_have_the_folders_they_always_had() {
        let names = [
            ("base", "base"),
            ("no residual", "no_residual"),
            (
                "residual=true, intermediate_activation=none",
                "residual=true__intermediate_activation=none",
            ),
            ("a/b\\c:d", "a_b_c_d"),
            (".hidden", "hidden"),
            ("../up", "_up"),
            ("x_1.5+2-3", "x_1.5+2-3"),
        ];
        for (name, expected) in names {
            assert_eq!(folder(name), expected);
        }
        let long = "x".repeat(MAX_BYTES);
        assert_eq!(folder(&long), long);
    }

    #[test]
    fn different_names_have_different_folders() {
        let names = [
            "Größe", "Grüße", "大", "小", "α→β", "α←β", "🙂", "🙃", "a b", "a_b", "A_B", "a/b",
            "é", "e\u{301}",
        ];
        let folders = folders(names.into_iter(), &[]);
        let mut lower: Vec<_> = folders.iter().map(|folder| folder.to_lowercase()).collect();
        lower.sort();
        lower.dedup();
        assert_eq!(lower.len(), names.len(), "{folders:?}");
        assert_eq!(folders[..4], ["Größe", "Grüße", "大", "小"]);
        assert_eq!(folders[8], "a_b");
        assert!(
            folders[9].starts_with("a_b-") && folders[9].len() == 12,
            "{folders:?}"
        );
        for folder in &folders {
            assert!(
                folder
                    .chars()
                    .all(|c| c.is_alphanumeric() || "-_".contains(c)),
                "{folder}"
            );
        }
    }

    #[test]
    fn files_beside_the_folders_keep_their_names() {
        let folders = folders(
            ["charts", "Report.html", "x"].into_iter(),
            &["charts", "report.html"],
        );
        assert!(
            folders[0].starts_with("charts-") && folders[1].starts_with("Report.html-"),
            "{folders:?}"
        );
        assert_eq!(folders[2], "x");
    }

    #[test]
    fn no_folder_is_too_long() {
        for name in [
            "x".repeat(256),
            "ä".repeat(400),
            "大".repeat(400),
            "→".repeat(400),
        ] {
            let folder = folder(&name);
            assert!((240..=MAX_BYTES).contains(&folder.len()), "{folder}");
        }
    }

    #[test]
    fn names_that_cannot_be_folders_are_refused() {
        let error = |name: &str| check_name(name, "variants.0.name").unwrap_err().to_string();
        let expected = "`variants.0.name`: is empty, but has to be a name with letters or digits";
        assert_eq!(error(""), expected);
        assert_eq!(error("  "), expected);
        assert!(error(".").contains("is \".\", but"));
        assert!(error("..").contains("is \"..\", but"));
        assert!(error(&"x".repeat(256)).contains("is 256 bytes long, but has to be at most 255"));
        assert!(check_name("no residual", "").is_ok());
    }
}
