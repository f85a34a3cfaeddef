//! The sentences that the page and its Markdown twin share.

use super::measure::unfinished;
use super::summary::{Reached, Summary, SummaryRow, fate};
use super::verdict::{ClaimVerdict, Verdict};
use crate::numbers::{counted, listed, thousands};
use crate::record::{AblationRecord, DamagedRun, RunRecord, VariantRecord};

/// How to read the chart of differences without intervals.
pub(super) const NO_INTERVALS: &str = "Left of zero: less accurate than the base; right of it: more. \
     There are no intervals: they take two seeds or more of the base and of a variant, and differences \
     that aren't the same at each. The choice of seeds alone could have made any of these differences.";

/// How to read the view of a grid by axis.
pub(super) const BY_AXIS: &str = "The variants are all combinations of some values. A mean is that of the \
     variants with a value, each counting once; it is left out where one of them has no finished run.";

/// How to read the effects of a grid's axes.
pub(super) const EFFECTS: &str = "An effect is taken by seed: the mean over all combinations of the other axes with one value, less \
     that with the axis' first value. A contrast is the difference of two such differences: zero where one axis does the \
     same whatever the other is. Only seeds count that have all of these runs. Exploratory: nobody claimed these differences \
     beforehand; the last column is corrected for all rows of both tables (Holm).";

/// How to read the table of claims.
pub(super) const CLAIM_TABLE: &str = "A difference is the first variant less the second. The verdict is corrected for the number of \
     claims, by p (Holm); beside it stands what would follow by itself, if the claim were the only one.";

/// How to read the charts of accuracy against cost: what the accuracy is, and which variants are on the fronts.
pub(super) fn fronts(summary: &Summary) -> String {
    let accuracy = summary
        .fronts
        .first()
        .map_or("", |front| front.accuracy.name());
    let sentences = summary.fronts.iter().map(|front| {
        let on = front.points.iter().filter(|point| point.on_front);
        let names: Vec<_> = on.map(|point| point.name.clone()).collect();
        let verb = if names.len() == 1 { "is" } else { "are" };
        format!(
            "By {}, {} {verb} on the Pareto front.",
            front.cost.name(),
            listed(&names)
        )
    });
    let mut text = format!(
        "The accuracy is {accuracy}. {}",
        sentences.collect::<Vec<_>>().join(" ")
    );
    let mut points = summary.fronts.iter().flat_map(|front| &front.points);
    if points.any(|point| !point.compared) {
        text.push_str(" Variants that may not be compared with the base are shown, and left out of the fronts.");
    }
    text
}

/// How to read the table of what differs between studies.
pub(super) const CONDITIONS: &str = "Settings outside of the networks, and environments, that are not the same in all studies. What is \
     not as in the first study is marked. Where a variant differs from the first study's base in one that matters for accuracy, \
     the two are not compared: such a difference could be the setting's as well as the network's.";

/// How to read the table of settings.
pub(super) const DIFFERING: &str = "Each variant's value of every setting in which two of them differ; what is not the base's stands out.";

/// How to read the table of runs.
pub(super) const RUNS: &str = "Program: the version, and the first letters of the SHA-256 of the executable file that began the run. \
     Two builds of one version differ in it, even of the same sources. Data: the first letters of the SHA-256 over all pixels and \
     labels. The whole hashes are in each run's run.json, and in results.json.";

/// How to read the chart of differences.
pub(super) const DIFFERENCES: &str = "Left of zero: less accurate than the base; right of it: more. \
     A bar is the 95 % interval of the difference. Where it crosses zero, the choice of seeds alone \
     could have made the difference.";

/// How to read this chart of differences.
pub(super) fn differences(summary: &Summary) -> &'static str {
    let differences = |row: &SummaryRow| [row.best_difference, row.final_difference];
    let mut differences = summary.rows.iter().flat_map(differences).flatten();
    match differences.any(|difference| difference.interval.is_some()) {
        true => DIFFERENCES,
        false => NO_INTERVALS,
    }
}

/// Returns the size of the ablation: `4 variants, 3 seeds, 12 epochs`.
pub(super) fn extent(record: &AblationRecord) -> String {
    listed(&[
        counted(record.variants.len(), "variant"),
        counted(record.seeds.len(), "seed"),
        counted(record.epochs, "epoch"),
    ])
}

/// Returns the data set's numbers: `4,000 training and 1,000 test images of 32 × 32 pixels, 10 classes`.
pub(super) fn data_extent(record: &AblationRecord) -> String {
    let data = &record.data;
    let [height, width] = data.size;
    format!(
        "{} training and {} test images of {height}\u{a0}×\u{a0}{width} pixels, {} classes",
        thousands(data.train_images as u64),
        thousands(data.test_images as u64),
        thousands(data.classes as u64),
    )
}

/// Returns what a reader has to know before the numbers.
pub(super) fn notices(record: &AblationRecord, summary: &Summary) -> Vec<String> {
    let mut notices = Vec::new();
    let runs = &summary.runs;
    if runs.not_started == runs.planned {
        notices.push(format!(
            "None of {} has started yet.",
            counted(runs.planned, "run")
        ));
    } else if !runs.is_complete() {
        let mut notice = format!(
            "{} of {} finished.",
            runs.finished,
            counted(runs.planned, "run")
        );
        for row in summary.rows.iter().filter(|row| !row.runs.is_complete()) {
            notice.push_str(&format!(" {}: {}.", row.name, fate(&row.runs)));
        }
        notice.push_str(" Means and differences are over the finished runs only.");
        notices.push(notice);
    }
    let base = summary.rows.iter().find(|row| row.is_base);
    if let Some(base) = base
        && base.runs.finished == 0
        && runs.finished > 0
    {
        notices.push(format!(
            "{}, which the others are compared with, has no finished run: there are no differences.",
            base.name
        ));
    }
    notices.extend(states(record, "Unfinished", |variant| {
        let epochs = record.epochs;
        let run = |run: &RunRecord| (run.seed, format!("epoch {} of {epochs}", run.epochs.len()));
        unfinished(variant).map(run).collect()
    }));
    notices.extend(states(record, "Damaged and left out", |variant| {
        let run = |run: &DamagedRun| (run.seed, run.problem.clone());
        variant.damaged.iter().map(run).collect()
    }));
    if record.seeds.len() < 2 {
        notices.push(
            "One seed has no spread: there are no intervals, and no claim can be decided."
                .to_owned(),
        );
    }
    notices
}

/// Says how far some runs are: `Unfinished: base, seed 1: epoch 3 of 12.` `runs` gives those of a variant, each with
/// its seed.
fn states(
    record: &AblationRecord,
    title: &str,
    runs: impl Fn(&VariantRecord) -> Vec<(u64, String)>,
) -> Option<String> {
    let runs = record.variants.iter().flat_map(|variant| {
        let runs = runs(variant).into_iter();
        runs.map(|(seed, state)| format!("{}, seed {seed}: {state}", variant.name))
    });
    let runs: Vec<_> = runs.collect();
    (!runs.is_empty()).then(|| format!("{title}: {}.", runs.join("; ")))
}

/// How many claims came out which way.
pub(super) fn tally(verdicts: &[ClaimVerdict]) -> String {
    let count = |verdict| verdicts.iter().filter(|v| v.verdict == verdict).count();
    let parts: Vec<_> = [Verdict::Agrees, Verdict::Contradicts, Verdict::TooFewToTell]
        .into_iter()
        .map(|verdict| (count(verdict), verdict))
        .filter(|(count, _)| *count > 0)
        .map(|(count, verdict)| match verdict {
            Verdict::Agrees => format!("agrees with {count}"),
            Verdict::Contradicts => format!("contradicts {count}"),
            Verdict::TooFewToTell => format!("leaves {count} undecided"),
        })
        .collect();
    format!(
        "Of {}, the measurement {}.{}",
        counted(verdicts.len(), "claim"),
        listed(&parts),
        correction(verdicts)
    )
}

/// Says which claims were corrected together.
fn correction(verdicts: &[ClaimVerdict]) -> String {
    let tested = verdicts.iter().filter(|v| v.p_value.is_some()).count();
    let others = verdicts.len() - tested;
    let mut text = match tested {
        0 => return String::new(),
        1 if others == 0 => return String::new(),
        1 => " One of them was tested, so there is nothing to correct for.".to_owned(),
        _ => format!(
            " Verdicts are corrected for {} (Holm).",
            counted(tested, "claim")
        ),
    };
    if others > 0 && tested > 1 {
        text.push_str(&format!(
            " {} without a p-value {} count among them.",
            counted(others, "claim"),
            if others == 1 { "does not" } else { "do not" }
        ));
    }
    text
}

/// Returns the runs of a variant in a table's cell: `3`, `2 of 3`, `2 of 3, 1 diverged`, or `1 of 3, epoch 4 of 12`
/// where one is unfinished.
pub fn runs_cell(row: &SummaryRow, epochs: usize) -> String {
    let runs = &row.runs;
    if runs.is_complete() {
        return runs.finished.to_string();
    }
    let done: Vec<_> = row
        .epochs_of_unfinished
        .iter()
        .map(usize::to_string)
        .collect();
    let unfinished = match done.as_slice() {
        [] => String::new(),
        [one] => format!(", epoch {one} of {epochs}"),
        several => format!(", epochs {} of {epochs}", listed(several)),
    };
    let diverged = match runs.diverged {
        0 => String::new(),
        diverged => format!(", {diverged} diverged"),
    };
    format!(
        "{} of {}{diverged}{unfinished}",
        runs.finished, runs.planned
    )
}

/// Returns the epochs to the base's accuracy in a table's cell: `7.3`, `5.0 (2 of 3)`, `not reached`, or that runs
/// diverged where none finished.
pub(super) fn reached_cell(row: &SummaryRow) -> Option<String> {
    if row.runs.finished == 0 {
        return row.runs.diverged_text();
    }
    let Reached {
        reached,
        finished,
        mean_epochs,
    } = row.epochs_to_base.filter(|reached| reached.finished > 0)?;
    Some(match mean_epochs {
        None => "not reached".to_owned(),
        Some(mean) if reached == finished => format!("{mean:.1}"),
        Some(mean) => format!("{mean:.1} ({reached} of {finished})"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ClaimMetric, synthetic};
    use crate::report::verdict::verdicts;

    #[test]
    fn a_complete_record_needs_no_notice() {
        let record = synthetic::complete();
        let summary = Summary::of(&record);
        assert!(notices(&record, &summary).is_empty());
        assert_eq!(extent(&record), "4 variants, 3 seeds and 12 epochs");
    }

    #[test]
    fn missing_runs_are_told() {
        let record = synthetic::incomplete();
        let notice = notices(&record, &Summary::of(&record)).remove(0);
        assert!(notice.starts_with("6 of 12 runs finished."), "{notice}");
        assert!(
            notice.contains("no-residual: 2 not started, of 3 runs."),
            "{notice}"
        );
        assert!(notice.contains("1 diverged"), "{notice}");
        let record = synthetic::single_seed();
        assert!(notices(&record, &Summary::of(&record))[0].contains("One seed"));
        let record = synthetic::not_started();
        assert_eq!(
            notices(&record, &Summary::of(&record)),
            ["None of 12 runs has started yet."]
        );
    }

    #[test]
    fn a_base_without_a_finished_run_is_told() {
        let mut record = synthetic::diverged();
        record.base = "no-residual".to_owned();
        let notices = notices(&record, &Summary::of(&record));
        assert!(
            notices
                .iter()
                .any(|notice| notice.starts_with("no-residual, which")),
            "{notices:?}"
        );
    }

    #[test]
    fn unfinished_runs_have_their_epoch_and_damaged_ones_their_fault() {
        let mut record = synthetic::incomplete();
        record.variants[3].runs[1].epochs.clear();
        record.variants[3].runs.pop();
        record.variants[1].damaged = vec![DamagedRun {
            seed: 2,
            problem: "record.json can't be used: EOF".to_owned(),
        }];
        let summary = Summary::of(&record);
        let notices = notices(&record, &summary);
        assert_eq!(
            notices[1..],
            [
                "Unfinished: intermediate-elu, seed 1: epoch 5 of 12; intermediate-elu, seed 2: epoch 0 of 12.",
                "Damaged and left out: no-residual, seed 2: record.json can't be used: EOF."
            ]
        );
        assert!(
            notices[0].contains("no-residual: 1 damaged and 1 not started, of 3 runs."),
            "{}",
            notices[0]
        );
        let cells: Vec<_> = summary.rows.iter().map(|row| runs_cell(row, 12)).collect();
        assert_eq!(
            cells,
            [
                "3",
                "1 of 3",
                "2 of 3, 1 diverged",
                "0 of 3, epochs 5 and 0 of 12"
            ]
        );
        record.variants[3].runs.pop();
        let cell = runs_cell(&Summary::of(&record).rows[3], 12);
        assert_eq!(cell, "0 of 3, epoch 5 of 12");
    }

    #[test]
    fn claims_are_tallied() {
        assert_eq!(
            tally(&verdicts(&synthetic::complete())),
            "Of 3 claims, the measurement agrees with 1, contradicts 1 and leaves 1 undecided. Verdicts are corrected \
             for 3 claims (Holm)."
        );
        let mut record = synthetic::diverged();
        assert_eq!(
            tally(&verdicts(&record)),
            "Of 3 claims, the measurement agrees with 1, contradicts 1 and leaves 1 undecided. One of them was tested, so \
             there is nothing to correct for."
        );
        let more = synthetic::claim(ClaimMetric::FinalTop1, "intermediate-elu", "xception");
        record.claims.push(more);
        let tally = tally(&verdicts(&record));
        let expected = "Verdicts are corrected for 2 claims (Holm). 2 claims without a p-value do not count among them.";
        assert!(tally.ends_with(expected), "{tally}");
        assert_eq!(correction(&verdicts(&synthetic::single_seed())), "");
    }

    #[test]
    fn cells_tell_what_is_missing() {
        let mut row = Summary::of(&synthetic::complete()).rows.remove(0);
        let mut cell = |reached, mean_epochs| {
            row.epochs_to_base = Some(Reached {
                reached,
                finished: 3,
                mean_epochs,
            });
            reached_cell(&row).unwrap()
        };
        assert_eq!(cell(3, Some(7.0)), "7.0");
        assert_eq!(cell(2, Some(5.5)), "5.5 (2 of 3)");
        assert_eq!(cell(0, None), "not reached");
    }
}
