//! Several ablations side by side: all variants in one record, and what of them may be compared.

mod conditions;

use std::collections::HashMap;

use serde::Serialize;

use super::ReportError;
use super::notes;
use super::summary::{RunCounts, Summary};
use super::validate::validate;
use super::verdict::{ClaimVerdict, verdicts};
use crate::numbers::listed;
use crate::record::{AblationRecord, VariantRecord};

use conditions::{Compared, conditions, conditions_of};

pub use conditions::Condition;

/// Between the name of a study and that of a variant.
const BETWEEN: &str = ": ";

/// Ablations of the same data, side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The ablations, in the order given.
    pub studies: Vec<Study>,
    /// The settings outside of the networks in which the studies differ.
    pub conditions: Vec<Condition>,
    /// The tables of all variants. A variant is compared with the first study's base only where nothing but the network, or what
    /// the studies themselves vary, differs.
    pub summary: Summary,
    /// Why variants are not compared: (name, what differs).
    pub not_compared: Vec<(String, Vec<String>)>,
    /// All variants in one record, under names that are their own.
    #[serde(skip)]
    pub(super) record: AblationRecord,
}

/// One of the ablations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Study {
    /// A name that no other has.
    pub label: String,
    /// Its record.
    pub record: AblationRecord,
    /// Its claims, judged and corrected among themselves.
    pub verdicts: Vec<ClaimVerdict>,
}

impl Comparison {
    /// Puts ablations side by side. Each comes with a name to tell it by where two have the same, such as its folder's.
    ///
    /// # Errors
    ///
    /// If a record does not hold together, or two have different data.
    pub fn of(records: Vec<(String, AblationRecord)>) -> Result<Self, ReportError> {
        let labels = labels(&records);
        let mut studies = Vec::new();
        for (label, (_, record)) in labels.into_iter().zip(records) {
            validate(&record)?;
            let verdicts = verdicts(&record);
            studies.push(Study {
                label,
                record,
                verdicts,
            });
        }
        let Some((first, others)) = studies.split_first() else {
            return Err(ReportError::NoStudy);
        };
        if let Some(other) = others
            .iter()
            .find(|other| other.record.data.sha256 != first.record.data.sha256)
        {
            return Err(ReportError::DifferentData {
                first: first.label.clone(),
                first_data: data_text(&first.record),
                second: other.label.clone(),
                second_data: data_text(&other.record),
            });
        }
        let record = merged(&studies);
        let (summary, not_compared) = summary(&studies, &record);
        Ok(Self {
            conditions: conditions(&studies),
            studies,
            summary,
            not_compared,
            record,
        })
    }

    /// Returns what a reader has to know before the numbers.
    pub(super) fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        for study in &self.studies {
            let own = notes::notices(&study.record, &Summary::of(&study.record));
            notices.extend(
                own.into_iter()
                    .map(|notice| format!("{}: {notice}", study.label)),
            );
        }
        let mut by_reason: Vec<(&Vec<String>, Vec<String>)> = Vec::new();
        for (name, reasons) in &self.not_compared {
            match by_reason.iter_mut().find(|(known, _)| *known == reasons) {
                Some((_, names)) => names.push(name.clone()),
                None => by_reason.push((reasons, vec![name.clone()])),
            }
        }
        for (reasons, names) in by_reason {
            let verb = if names.len() == 1 { "is" } else { "are" };
            notices.push(format!(
                "{} {verb} not compared with {}, since more than the network differs: {}.",
                listed(&names),
                self.record.base,
                listed(reasons)
            ));
        }
        if self.conditions.iter().any(|condition| !condition.decides) {
            notices.push(
                "The studies ran in different environments: times of one are no measure for those of another.".to_owned(),
            );
        }
        notices
    }
}

/// Returns what an error says of the data of a study.
fn data_text(record: &AblationRecord) -> String {
    let images = notes::data_extent(record);
    format!("{} ({images})", record.data.name)
}

/// Returns a name for each study: the ablation's, with the given one where two have the same, and a number where even that is.
fn labels(records: &[(String, AblationRecord)]) -> Vec<String> {
    let count = |name: &str| records.iter().filter(|(_, r)| r.name == name).count();
    let mut used: HashMap<String, usize> = HashMap::new();
    let label = |(given, record): &(String, AblationRecord)| {
        let label = match count(&record.name) {
            1 => record.name.clone(),
            _ => given.clone(),
        };
        let number = used.entry(label.clone()).or_default();
        *number += 1;
        match *number {
            1 => label,
            number => format!("{label} ({number})"),
        }
    };
    records.iter().map(label).collect()
}

/// Returns the name of a variant among those of all studies: with its study's where another has the same.
fn name(studies: &[Study], study: &Study, variant: &str) -> String {
    let with_it = studies
        .iter()
        .filter(|other| other.record.variants.iter().any(|v| v.name == variant));
    match with_it.count() {
        0 | 1 => variant.to_owned(),
        _ => format!("{}{BETWEEN}{variant}", study.label),
    }
}

/// Puts all variants into one record.
fn merged(studies: &[Study]) -> AblationRecord {
    let mut record = studies[0].record.clone(); // never empty, as its maker has checked
    let labels: Vec<_> = studies.iter().map(|study| study.label.clone()).collect();
    record.base = name(studies, &studies[0], &record.base);
    record.name = labels.join(", ");
    record.title = format!("{} compared", listed(&labels));
    record.claims.clear();
    record.variants.clear();
    record.seeds.clear();
    for study in studies {
        let variant = |variant: &VariantRecord| VariantRecord {
            name: name(studies, study, &variant.name),
            ..variant.clone()
        };
        record
            .variants
            .extend(study.record.variants.iter().map(variant));
        record.epochs = record.epochs.max(study.record.epochs);
        for &seed in &study.record.seeds {
            if !record.seeds.contains(&seed) {
                record.seeds.push(seed);
            }
        }
    }
    record
}

/// Computes the tables of all variants, which compare only what may be compared.
fn summary(studies: &[Study], record: &AblationRecord) -> (Summary, Vec<(String, Vec<String>)>) {
    let own = || {
        let studies = studies.iter().enumerate();
        studies.flat_map(|(place, study)| {
            study
                .record
                .variants
                .iter()
                .map(move |variant| (place, study, variant))
        })
    };
    let compared: Vec<_> = own()
        .map(|(place, study, variant)| Compared {
            study: place,
            conditions: conditions_of(study, variant),
        })
        .collect();
    let mut summary = Summary::among(record, &|a, b| compared[a].may_be_compared(&compared[b]));
    // A grid is a study's own.
    summary.grid = None;
    summary.runs = RunCounts::default();
    for (row, (_, study, variant)) in summary.rows.iter_mut().zip(own()) {
        // Each study has its own seeds and epochs.
        row.runs = RunCounts::of(variant, study.record.seeds.len());
        summary.runs = summary.runs.add(row.runs);
        if study.record.epochs != record.epochs {
            row.epochs_of_unfinished.clear();
        }
    }
    let base = record
        .variants
        .iter()
        .position(|variant| variant.name == record.base);
    let not_compared = base.map_or_else(Vec::new, |base| {
        let named = record.variants.iter().zip(&compared);
        let others = named.filter(|(_, variant)| !variant.may_be_compared(&compared[base]));
        others
            .map(|(variant, own)| (variant.name.clone(), own.reasons(&compared[base])))
            .collect()
    });
    (summary, not_compared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    fn given(record: AblationRecord) -> (String, AblationRecord) {
        ("folder".to_owned(), record)
    }

    /// A study of other networks with the recipe of [`synthetic::validated`].
    fn other() -> AblationRecord {
        let mut record = synthetic::validated();
        record.name = "other".to_owned();
        record.variants.truncate(2);
        record.claims.truncate(1);
        record.seeds.truncate(2);
        for variant in &mut record.variants {
            variant.runs.truncate(2);
        }
        record.variants[1].name = "narrow".to_owned();
        (record.claims[0].better, record.claims[0].worse) =
            ("xception".to_owned(), "narrow".to_owned());
        record
    }

    #[test]
    fn only_names_that_two_studies_have_are_prefixed() {
        let comparison =
            Comparison::of(vec![given(synthetic::validated()), given(other())]).unwrap();
        let names: Vec<_> = comparison
            .record
            .variants
            .iter()
            .map(|v| v.name.as_str())
            .collect();
        assert_eq!(names[0], "synthetic: xception");
        assert_eq!(names[1], "no-residual");
        assert_eq!(names[4..], ["other: xception", "narrow"]);
        assert_eq!(comparison.record.base, "synthetic: xception");
        assert_eq!(comparison.studies[1].verdicts.len(), 1);
        // Runs are counted by what each study asked for.
        assert!(comparison.summary.runs.is_complete());
        assert!(comparison.notices().is_empty());
        assert!(comparison.summary.rows[5].final_difference.is_some());
    }

    #[test]
    fn names_of_studies_are_their_own() {
        let mut records = vec![given(other()), given(other()), given(synthetic::complete())];
        records[1].0 = "elsewhere".to_owned();
        assert_eq!(labels(&records), ["folder", "elsewhere", "synthetic"]);
        records[1].0 = "folder".to_owned();
        assert_eq!(labels(&records), ["folder", "folder (2)", "synthetic"]);
    }

    #[test]
    fn what_was_trained_in_another_way_is_not_compared() {
        let mut longer = other();
        for variant in &mut longer.variants {
            variant.settings[1].1 = "128".to_owned();
        }
        longer.environment.threads = 2;
        let comparison =
            Comparison::of(vec![given(synthetic::validated()), given(longer)]).unwrap();
        let notices = comparison.notices();
        let expected = "other: xception and narrow are not compared with synthetic: xception, since more than the network \
             differs: recipe.batch_size is 128, not 64.";
        assert_eq!(notices[0], expected);
        assert!(notices[1].starts_with("The studies ran in different environments"));
        let rows = &comparison.summary.rows;
        assert!(rows[1].final_difference.is_some() && rows[5].final_difference.is_none());
        let pairs = &comparison.summary.pairs.pairs;
        // Those of each study among themselves.
        assert_eq!(pairs.len(), 6 + 1);
        let points = &comparison.summary.fronts[0].points;
        assert!(points[0].compared && !points[5].compared && !points[5].on_front);
        let condition = &comparison.conditions[0];
        assert_eq!(
            (condition.path.as_str(), condition.decides),
            ("recipe.batch_size", true)
        );
        assert_eq!(condition.values, ["64", "128"]);
    }

    #[test]
    fn other_data_are_refused() {
        let mut strange = other();
        strange.data.sha256 = "0".repeat(64);
        let error = Comparison::of(vec![given(synthetic::complete()), given(strange)]).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("`synthetic` and `other` have different data"),
            "{text}"
        );
    }
}
