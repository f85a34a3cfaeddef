//! The settings in which variants differ, side by side.

use std::collections::BTreeSet;

use crate::record::{AblationRecord, VariantRecord};

/// The key of the network in a configuration.
const MODEL: &str = "model";
/// Stands for a value that is not among a variant's settings.
pub(super) const NOT_SET: &str = "not set";

/// The settings in which variants differ: a column each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Differing {
    /// Paths in the configuration.
    pub(super) paths: Vec<String>,
    /// For each variant, in the order of the record, its value of every path.
    pub(super) rows: Vec<Vec<Setting>>,
}

/// A variant's value of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    /// The value; `None` where the variant has none.
    pub(super) value: Option<String>,
    /// Whether it is another than the base's.
    pub(super) differs: bool,
}

impl Setting {
    /// Returns the value for people.
    pub(super) fn text(&self) -> &str {
        self.value.as_deref().unwrap_or(NOT_SET)
    }
}

impl Differing {
    /// Compares the settings of all variants.
    ///
    /// What networks of one family have in common is compared within the family; that of another family is not a difference by
    /// itself, the family is.
    pub(super) fn of(record: &AblationRecord) -> Self {
        let settings: Vec<_> = record.variants.iter().map(|v| known(record, v)).collect();
        let mut paths: Vec<&String> = Vec::new();
        for (path, _) in settings.iter().flatten() {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
        let families: Vec<_> = settings.iter().map(|settings| family(settings)).collect();
        let differs = |path: &&&String| {
            let values = settings
                .iter()
                .zip(&families)
                .filter(|(_, family)| is_of(path, family));
            let values: BTreeSet<_> = values.map(|(settings, _)| value(settings, path)).collect();
            values.len() > 1
        };
        let mut differing: Vec<String> =
            paths.iter().filter(differs).map(|p| (*p).clone()).collect();
        // Before all have a run, some families aren't known.
        let several = families.iter().collect::<BTreeSet<_>>().len() > 1
            && families.iter().all(Option::is_some);
        if several && !differing.iter().any(|path| path == MODEL) {
            differing.insert(0, MODEL.to_owned());
        }
        let cell = |variant: usize, path: &String| match path == MODEL && several {
            true => families[variant].clone(),
            false => value(&settings[variant], path).cloned(),
        };
        let base = record
            .variants
            .iter()
            .position(|v| v.name == record.base)
            .unwrap_or(0);
        let rows = (0..settings.len()).map(|variant| {
            let setting = |path: &String| {
                let value = cell(variant, path);
                let differs = value != cell(base, path);
                Setting { value, differs }
            };
            differing.iter().map(setting).collect()
        });
        Self {
            rows: rows.collect(),
            paths: differing,
        }
    }
}

/// Returns the settings of a variant: all, once it has a run; before that, what it changes.
fn known(record: &AblationRecord, variant: &VariantRecord) -> Vec<(String, String)> {
    let all = record
        .variants
        .iter()
        .all(|variant| !variant.settings.is_empty());
    match all {
        true => variant.settings.clone(),
        false => variant.changes.clone(),
    }
}

fn value<'a>(settings: &'a [(String, String)], path: &str) -> Option<&'a String> {
    settings
        .iter()
        .find(|(name, _)| name == path)
        .map(|(_, value)| value)
}

/// Returns the family of the network: the key below `model`, or the name that stands there.
fn family(settings: &[(String, String)]) -> Option<String> {
    settings
        .iter()
        .find_map(|(path, value)| match path.strip_prefix(MODEL)? {
            "" => Some(value.clone()),
            rest => Some(rest.strip_prefix('.')?.split('.').next()?.to_owned()),
        })
}

/// Returns whether networks of a family may have a value at a path.
fn is_of(path: &str, family: &Option<String>) -> bool {
    let mut keys = path.split('.');
    match (keys.next(), keys.next(), family) {
        (Some(MODEL), Some(key), Some(family)) => key == family,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    fn with_settings(settings: &[&[(&str, &str)]]) -> AblationRecord {
        let mut record = synthetic::complete();
        record.variants.truncate(settings.len());
        for (variant, settings) in record.variants.iter_mut().zip(settings) {
            let pair = |(path, value): &(&str, &str)| ((*path).to_owned(), (*value).to_owned());
            variant.settings = settings.iter().map(pair).collect();
        }
        record
    }

    #[test]
    fn what_all_share_is_left_out_and_what_differs_from_the_base_is_marked() {
        let record = with_settings(&[
            &[("model.xception.residual", "true"), ("recipe.epochs", "3")],
            &[("model.xception.residual", "false"), ("recipe.epochs", "3")],
        ]);
        let differing = Differing::of(&record);
        assert_eq!(differing.paths, ["model.xception.residual"]);
        let [base, other] = [0, 1].map(|row| &differing.rows[row][0]);
        assert_eq!((base.text(), base.differs), ("true", false));
        assert_eq!((other.text(), other.differs), ("false", true));
    }

    #[test]
    fn of_other_families_the_family_is_the_difference() {
        let record = with_settings(&[
            &[("model.xception.width", "1"), ("model.xception.order", "a")],
            &[("model.resnet.depth", "50"), ("recipe.epochs", "3")],
            &[("model.xception.width", "2"), ("model.xception.order", "a")],
        ]);
        let differing = Differing::of(&record);
        assert_eq!(
            differing.paths,
            ["model", "model.xception.width", "recipe.epochs"]
        );
        let texts: Vec<Vec<_>> = differing
            .rows
            .iter()
            .map(|row| row.iter().map(Setting::text).collect())
            .collect();
        assert_eq!(texts[0], ["xception", "1", NOT_SET]);
        assert_eq!(texts[1], ["resnet", NOT_SET, "3"]);
        assert_eq!(texts[2], ["xception", "2", NOT_SET]);
    }

    #[test]
    fn before_all_have_a_run_the_changes_are_compared() {
        let differing = Differing::of(&synthetic::complete());
        assert_eq!(differing.paths, ["model.kind"]);
        assert_eq!(differing.rows[0][0].text(), NOT_SET);
        assert!(differing.rows[1][0].differs);
    }
}
