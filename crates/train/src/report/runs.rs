//! Every run in a row: how it ended, and the code and the data that it was made with.

use super::format::{NONE, Unit};
use super::measure::measure;
use super::table::Table;
use crate::record::{AblationRecord, ClaimMetric, RunOrigin, RunRecord, RunState};

/// Letters of a hash that a table shows: enough to tell a handful of builds or data sets apart.
const HASH_LETTERS: usize = 12;

/// Returns a row for each run; `None` where none has started.
pub(super) fn runs_table(record: &AblationRecord) -> Option<Table> {
    let runs = || {
        let variants = record.variants.iter().enumerate();
        variants
            .flat_map(|(place, variant)| variant.runs.iter().map(move |run| (place, variant, run)))
    };
    runs().next()?;
    let unit = Unit::percent(record.data.test_images);
    let has_chosen = runs().any(|(.., run)| run.chosen_epoch().is_some());
    let figure = |run: &RunRecord, metric| match measure(run, metric) {
        Some(value) if run.state != RunState::Diverged => unit.number(value),
        _ => NONE.to_owned(),
    };
    let mut head = vec![
        "Variant",
        "Seed",
        "State",
        "Program",
        "Data",
        "Best (%)",
        "Final (%)",
    ];
    if has_chosen {
        head.extend(["Chosen (%)", "Chosen epoch"]);
    }
    let rows = runs().map(|(_, variant, run)| {
        let mut row = vec![
            variant.name.clone(),
            run.seed.to_string(),
            state(run),
            program(run.origin.as_ref()),
            run.origin
                .as_ref()
                .map_or_else(|| NONE.to_owned(), |origin| short(&origin.data_sha256)),
            figure(run, ClaimMetric::BestTop1),
            figure(run, ClaimMetric::FinalTop1),
        ];
        if has_chosen {
            let epoch = run
                .chosen_epoch()
                .filter(|_| run.state != RunState::Diverged);
            row.push(figure(run, ClaimMetric::ChosenTop1));
            row.push(epoch.map_or_else(|| NONE.to_owned(), |epoch| epoch.epoch.to_string()));
        }
        row
    });
    Some(Table {
        title: "Every run".to_owned(),
        head: head.into_iter().map(str::to_owned).collect(),
        texts: 5,
        rows: rows.collect(),
        variants: runs().map(|(place, ..)| vec![place]).collect(),
    })
}

fn state(run: &RunRecord) -> String {
    let done = run.epochs.len();
    match run.state {
        RunState::Finished => "finished".to_owned(),
        RunState::Diverged => format!("diverged in epoch {done}"),
        RunState::Unfinished => format!("unfinished, {done} done"),
    }
}

/// Returns the version of the program and the beginning of its hash: `0.1.0 1f2e3d4c5b6a`.
fn program(origin: Option<&RunOrigin>) -> String {
    let Some(origin) = origin else {
        return NONE.to_owned();
    };
    let version = origin.versions.first().map(|(_, version)| version.clone());
    let hash = origin.program_sha256.as_deref().map(short);
    let parts: Vec<_> = version.into_iter().chain(hash).collect();
    parts.join(" ")
}

/// Returns the beginning of a hash.
fn short(hash: &str) -> String {
    hash.chars().take(HASH_LETTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::synthetic;

    #[test]
    fn every_run_has_a_row_with_its_hashes() {
        let record = synthetic::validated();
        let table = runs_table(&record).unwrap();
        assert_eq!((table.rows.len(), table.variants.len()), (12, 12));
        let row = &table.rows[3];
        assert_eq!(row[..3], ["no-residual", "1", "finished"]);
        assert_eq!(row[3..5], ["0.0.0 c0dec0dec0de", "5eed5eed5eed"]);
        assert_eq!(table.head[7..], ["Chosen (%)", "Chosen epoch"]);
        assert_eq!(table.variants[3], [1]);
        let diverged = runs_table(&synthetic::diverged()).unwrap();
        assert_eq!(
            diverged.rows[3][2..],
            ["diverged in epoch 4", NONE, NONE, NONE, NONE]
        );
        assert_eq!(runs_table(&synthetic::not_started()), None);
    }
}
