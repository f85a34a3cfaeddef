//! Checks that a record holds together before anything is made from it.

use std::collections::HashSet;

use super::ReportError;
use crate::record::{AblationRecord, RECORD_VERSION, RunState, VariantRecord};

/// Checks that every name, seed and epoch that a report relies on is there.
///
/// Runs may be missing or unfinished: a report of those says so.
///
/// # Errors
///
/// Names the first thing that does not fit.
pub fn validate(record: &AblationRecord) -> Result<(), ReportError> {
    validate_version(record.version)?;
    let mut names = HashSet::new();
    for variant in &record.variants {
        if !names.insert(variant.name.as_str()) {
            return Err(ReportError::DuplicateVariant {
                name: variant.name.clone(),
            });
        }
        validate_runs(record, variant)?;
    }
    let known = |place: String, name: &str| {
        if names.contains(name) {
            return Ok(());
        }
        Err(ReportError::UnknownVariant {
            place,
            name: name.to_owned(),
            known: record.variants.iter().map(|v| v.name.clone()).collect(),
        })
    };
    known("the base".to_owned(), &record.base)?;
    for (index, claim) in record.claims.iter().enumerate() {
        let number = index + 1;
        known(format!("claim {number}"), &claim.better)?;
        known(format!("claim {number}"), &claim.worse)?;
        if claim.better == claim.worse {
            return Err(ReportError::SelfComparison {
                claim: number,
                name: claim.better.clone(),
            });
        }
    }
    Ok(())
}

/// Checks the version of a record's layout.
pub(super) fn validate_version(found: u32) -> Result<(), ReportError> {
    if found == RECORD_VERSION {
        return Ok(());
    }
    Err(ReportError::Version {
        found,
        expected: RECORD_VERSION,
    })
}

fn validate_runs(record: &AblationRecord, variant: &VariantRecord) -> Result<(), ReportError> {
    let mut seeds = HashSet::new();
    for run in &variant.runs {
        let wrong = |problem: String| {
            Err(ReportError::Run {
                variant: variant.name.clone(),
                seed: run.seed,
                problem,
            })
        };
        validate_version(run.version)?;
        if !record.seeds.contains(&run.seed) {
            return wrong("has a seed that is not one of the ablation's".to_owned());
        }
        if !seeds.insert(run.seed) {
            return wrong("is there twice".to_owned());
        }
        let numbers = run.epochs.iter().map(|epoch| epoch.epoch);
        if !numbers.eq(1..=run.epochs.len()) {
            return wrong("does not number its epochs 1, 2, 3...".to_owned());
        }
        let last_loss = run.epochs.last().map(|epoch| epoch.train.loss);
        if run.state == RunState::Finished && !last_loss.is_some_and(f64::is_finite) {
            return wrong("is finished, but did not end with a finite loss".to_owned());
        }
        if run.epochs.len() > record.epochs {
            return wrong(format!(
                "has {} epochs, the ablation only {}",
                run.epochs.len(),
                record.epochs
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::synthetic;

    fn error_after(change: impl FnOnce(&mut AblationRecord)) -> String {
        let mut record = synthetic::complete();
        change(&mut record);
        validate(&record).unwrap_err().to_string()
    }

    #[test]
    fn whole_and_partial_records_pass() {
        for record in synthetic::all() {
            validate(&record).unwrap();
        }
    }

    #[test]
    fn unknown_variants_are_named() {
        let error = error_after(|record| record.claims[1].worse = "sepnet".to_owned());
        assert!(
            error.contains("claim 2") && error.contains("`sepnet`"),
            "{error}"
        );
        let error = error_after(|record| record.base = "nothing".to_owned());
        assert!(
            error.contains("the base") && error.contains("`nothing`"),
            "{error}"
        );
    }

    #[test]
    fn other_mistakes_are_named() {
        let error = error_after(|record| record.version += 1);
        assert!(error.contains("layout version"), "{error}");
        let error = error_after(|record| record.variants[1].name = record.base.clone());
        assert!(error.contains("two variants"), "{error}");
        let error = error_after(|record| record.claims[0].worse = record.claims[0].better.clone());
        assert!(error.contains("with itself"), "{error}");
        let error = error_after(|record| record.variants[0].runs[0].seed = 99);
        assert!(error.contains("seed 99"), "{error}");
        let error = error_after(|record| record.variants[0].runs[1].seed = 1);
        assert!(error.contains("twice"), "{error}");
        let error = error_after(|record| record.variants[0].runs[0].epochs[2].epoch = 9);
        assert!(error.contains("1, 2, 3"), "{error}");
        let error = error_after(|record| record.variants[0].runs[0].epochs.clear());
        assert!(error.contains("finite loss"), "{error}");
        let error = error_after(|record| record.epochs = 2);
        assert!(error.contains("only 2"), "{error}");
    }
}
