//! The claims in numbers.

use super::format::{NONE, Unit, p_value};
use super::measure::metric_name;
use super::table::Table;
use super::verdict::{Basis, ClaimVerdict};
use crate::record::AblationRecord;

/// Returns a row of numbers for each claim; `None` where there are no claims.
pub(super) fn claim_table(record: &AblationRecord, verdicts: &[ClaimVerdict]) -> Option<Table> {
    if verdicts.is_empty() {
        return None;
    }
    let head = [
        "Claim",
        "Difference",
        "95 % interval",
        "Compared",
        "p",
        "p (Holm)",
        "By itself",
        "Verdict",
    ];
    Some(Table {
        title: "The claims in numbers".to_owned(),
        head: head.map(str::to_owned).to_vec(),
        texts: 1,
        rows: verdicts
            .iter()
            .map(|verdict| row(record, verdict))
            .collect(),
        variants: Vec::new(),
    })
}

fn row(record: &AblationRecord, verdict: &ClaimVerdict) -> Vec<String> {
    let claim = &verdict.claim;
    let unit = Unit::of(claim.metric, record.data.test_images);
    let difference = verdict.difference.as_ref();
    let none = || NONE.to_owned();
    vec![
        format!(
            "{} better than {}: {}",
            claim.better,
            claim.worse,
            metric_name(claim.metric)
        ),
        difference.map_or_else(none, |d| unit.signed_with_unit(d.mean)),
        difference.map_or_else(none, |d| unit.bare_interval(d)),
        compared(verdict),
        p_value(verdict.p_value),
        p_value(verdict.adjusted_p_value),
        verdict.uncorrected.label().to_owned(),
        verdict.verdict.label().to_owned(),
    ]
}

/// Says what the verdict rests on: the seeds of the difference, or those of the comparison by seed where runs diverged.
fn compared(verdict: &ClaimVerdict) -> String {
    let seeds = verdict.divergence.map_or(0, |divergence| divergence.seeds);
    match verdict.basis {
        Some(Basis::SignTest) => format!("sign test, {seeds} seeds"),
        Some(Basis::Divergence) => format!("divergence, {seeds} seeds"),
        Some(Basis::TTest) | None => match &verdict.difference {
            Some(difference) => difference.design.label(),
            None => NONE.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;
    use crate::report::verdict::verdicts;

    #[test]
    fn every_claim_has_a_row() {
        let record = synthetic::complete();
        let table = claim_table(&record, &verdicts(&record)).unwrap();
        assert_eq!(table.rows.len(), record.claims.len());
        let row = &table.rows[0];
        assert_eq!(row.len(), table.head.len());
        assert_eq!(row[0], "xception better than no-residual: best test top-1");
        assert!(row[1].ends_with("\u{a0}pp"), "{row:?}");
        assert_eq!(row[3], "paired, 3 seeds");
        assert!(table.rows[2][1].ends_with("nats"));
        let mut record = synthetic::diverged();
        let table = claim_table(&record, &verdicts(&record)).unwrap();
        assert_eq!(
            table.rows[0][1..],
            [
                NONE,
                NONE,
                "divergence, 3 seeds",
                NONE,
                NONE,
                "Agrees",
                "Agrees"
            ]
        );
        record.claims.clear();
        assert_eq!(claim_table(&record, &[]), None);
    }
}
