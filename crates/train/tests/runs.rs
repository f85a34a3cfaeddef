//! What a run makes of the files that one before has left.

#![allow(clippy::unwrap_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use burn::prelude::Device;
use tempfile::TempDir;
use xception_train::TrainError;
use xception_train::config::RunConfig;
use xception_train::data::{BatchPlan, Batches};
use xception_train::models::ModelConfig;
use xception_train::models::weights::{LoadOptions, load};
use xception_train::record::{RunRecord, RunState};
use xception_train::training::{
    ClassificationTask, Evaluation, ImageBatch, Run, RunFolder, RunStatus, StepRecord,
};

const TINY: &str = r#"{
    "model": {"xception": {"width": 0.03, "middle_modules": 0, "stem": "small"}},
    "data": {"train_images": 40, "test_images": 20},
    "recipe": {"epochs": 3, "batch_size": 20, "learning_rate": 0.05}
}"#;
/// So high that the loss is not a number after a few steps.
const DIVERGING: &str = "recipe.learning_rate=1e30";

/// Burn's generator is one for the whole process: one run at a time draws from it.
static TRAINING: Mutex<()> = Mutex::new(());

/// Trains, and gives the record and the warnings. After an epoch, the folder is copied as a process that is killed
/// then leaves it.
fn train(
    folder: &Path,
    changes: &[&str],
    retrain_damaged: bool,
    copy: Option<(usize, PathBuf)>,
) -> (Result<RunRecord, TrainError>, Vec<String>) {
    let changes: Vec<_> = changes
        .iter()
        .map(|change| change.parse().unwrap())
        .collect();
    let config = match <RunConfig>::parse(TINY, &changes) {
        Ok(config) => config,
        Err(error) => return (Err(error.into()), Vec::new()),
    };
    let (config, data) = Run::prepare(&config).unwrap();
    let _alone = TRAINING.lock().unwrap_or_else(PoisonError::into_inner);
    let warnings = Mutex::new(Vec::new());
    let device = Device::flex();
    let run = Run {
        retrain_damaged,
        warn: &|text| warnings.lock().unwrap().push(text.to_owned()),
        ..Run::new(&config, &data, 1, &device, "flex")
    };
    let from = folder.to_owned();
    let record = run.train(folder, move |record| {
        if let Some((epoch, to)) = &copy
            && record.epochs.len() == *epoch
        {
            copy_folder(&from, to);
        }
    });
    (record, warnings.into_inner().unwrap())
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        match from.is_dir() {
            true => copy_folder(&from, &to),
            false => {
                fs::copy(&from, &to).unwrap();
            }
        }
    }
}

/// Where a test trains: `whole` has a run to its end, `killed` what was there after its second epoch.
struct Workshop {
    folder: TempDir,
    whole: RunRecord,
}

impl Workshop {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let killed = folder.path().join("killed");
        let (whole, warnings) = train(&folder.path().join("whole"), &[], false, Some((2, killed)));
        assert_eq!(warnings, Vec::<String>::new());
        Self {
            folder,
            whole: whole.unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Trains what was killed, which has to give the scores of the whole run, and gives the warnings.
    fn go_on(&self, retrain_damaged: bool) -> Vec<String> {
        let (record, warnings) = train(&self.path("killed"), &[], retrain_damaged, None);
        assert_eq!(scores(&record.unwrap()), scores(&self.whole));
        let left = files(&self.path("killed"));
        let expected = [
            ".lock",
            "model.bpk",
            "record.json",
            "run.json",
            "steps.jsonl",
        ];
        assert_eq!(left, expected);
        warnings
    }
}

const MOSAICS: [&str; 3] = [
    "data.mosaic.grid=2",
    "data.mosaic.labels=2",
    "data.validation_images=40",
];

#[test]
fn averages_leave_the_weights_as_they_are_and_are_what_is_scored_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let bytes = |path: PathBuf| fs::read(path).unwrap();
    let average = "recipe.average={\"decay\": 0.9}";
    let plain = train(&path("plain"), &[], false, None).0.unwrap();
    let averaged = train(
        &path("averaged"),
        &[average],
        false,
        Some((2, path("killed"))),
    );
    let averaged = averaged.0.unwrap();

    let weights = RunFolder::weights_file(&path("averaged"));
    let expected = bytes(RunFolder::model_file(&path("plain")));
    assert!(bytes(weights) == expected, "the weights");
    assert!(bytes(RunFolder::model_file(&path("averaged"))) != expected);
    assert!(!RunFolder::weights_file(&path("plain")).exists());
    for (plain, averaged) in plain.epochs.iter().zip(&averaged.epochs) {
        assert_eq!(averaged.train, plain.train);
        assert_eq!(averaged.weights.unwrap().test, plain.test);
        assert_ne!(averaged.test, plain.test);
        assert_eq!(plain.weights, None);
    }

    // What is saved has the scores that were recorded.
    let network = load(
        &RunFolder::model_file(&path("averaged")),
        &LoadOptions::default(),
        &Device::flex(),
    );
    let (config, data) = Run::prepare(&<RunConfig>::parse(TINY, &[]).unwrap()).unwrap();
    let task = ClassificationTask::new(network.unwrap().model, &config.recipe);
    let mut evaluation = Evaluation::new(&task, data.classes.clone());
    let plan = BatchPlan::test(config.recipe.batch_size, data.normalization);
    for batch in Batches::new(data.test.clone(), plan).unwrap() {
        let batch = ImageBatch::new(batch.unwrap(), data.size(), &Device::flex());
        assert!(evaluation.add(batch).unwrap().is_empty());
    }
    assert_eq!(evaluation.finish().unwrap().0, averaged.epochs[2].test);

    // Killed after two epochs, it goes on to the same.
    let (resumed, warnings) = train(&path("killed"), &[average], false, None);
    assert_eq!(
        (scores(&resumed.unwrap()), warnings),
        (scores(&averaged), Vec::new())
    );
    for file in [RunFolder::model_file, RunFolder::weights_file] {
        assert!(bytes(file(&path("killed"))) == bytes(file(&path("averaged"))));
    }
}

#[test]
fn gradients_are_clipped_where_their_norm_is_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let model = |name: &str| fs::read(RunFolder::model_file(&path(name))).unwrap();
    let norms = |name: &str| -> Vec<f64> {
        let text = fs::read_to_string(path(name).join("steps.jsonl")).unwrap();
        let steps = text
            .lines()
            .map(|line| serde_json::from_str::<StepRecord>(line).unwrap());
        steps.filter_map(|step| step.gradient_norm).collect()
    };
    for (name, changes) in [
        ("plain", &[][..]),
        ("loose", &["recipe.clip_norm=1e9"][..]),
        ("tight", &["recipe.clip_norm=0.01"][..]),
    ] {
        train(&path(name), changes, false, None).0.unwrap();
    }
    assert!(model("loose") == model("plain"));
    assert!(model("tight") != model("plain"));
    assert!(norms("plain").is_empty());
    assert_eq!(norms("loose").len(), 6);
    assert!(norms("loose").iter().all(|&norm| norm > 0.01 && norm < 1e9));
    assert_eq!(norms("tight")[0], norms("loose")[0]); // before the first step all is the same
}

#[test]
fn mixed_precision_ends_near_full_precision_and_goes_on_with_its_loss_scale() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let steps = |name: &str| -> Vec<StepRecord> {
        let text = fs::read_to_string(path(name).join("steps.jsonl")).unwrap();
        let steps = text.lines();
        steps
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let clipped = "recipe.clip_norm=0.5";
    let (full, _) = train(&path("full"), &[clipped], false, None);
    let full = full.unwrap();
    for (option, scale) in [("mixed", Some(65536.0)), ("mixed_bf16", None)] {
        let precision = format!("recipe.precision={option}");
        let changes = [clipped, precision.as_str()];
        let killed = format!("killed {option}");
        let (record, warnings) = train(&path(option), &changes, false, Some((2, path(&killed))));
        let record = record.unwrap();
        assert_eq!(warnings, Vec::<String>::new());
        for (half, full) in record.epochs.iter().zip(&full.epochs) {
            assert_eq!((half.steps, half.skipped_steps), (full.steps, 0));
            let [found, expected] = [half, full].map(|epoch| epoch.train.loss);
            assert!(found != expected, "{option}: {found}");
            assert!(
                (found - expected).abs() < 0.02 * expected,
                "{option}: {found} {expected}"
            );
        }
        let half = steps(option);
        for step in &half {
            assert_eq!((step.loss_scale, step.skipped), (scale, false));
        }
        // Of the first step, before weights differ. The norm is that of the loss's gradients, whatever the scale.
        let norms = [&half, &steps("full")].map(|steps| steps[0].gradient_norm.unwrap());
        assert!(
            (norms[0] - norms[1]).abs() < 0.1 * norms[1],
            "{option}: {norms:?}"
        );

        let scale_file = path(&killed).join("checkpoint/epoch-2/loss_scale.json");
        assert_eq!(scale_file.exists(), scale.is_some());
        let (resumed, warnings) = train(&path(&killed), &changes, false, None);
        assert_eq!(
            (scores(&resumed.unwrap()), warnings),
            (scores(&record), Vec::new())
        );
        let model = |name: &str| fs::read(RunFolder::model_file(&path(name))).unwrap();
        assert!(model(&killed) == model(option));
    }
}

#[test]
fn a_run_on_mosaics_scores_their_average_precision_and_goes_on_as_if_it_had_not_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, killed] = ["whole", "killed"].map(|name| folder.path().join(name));
    let changes = [&MOSAICS[..], &["data.train_images=80"]].concat();
    let (record, warnings) = train(&whole, &changes, false, Some((2, killed.clone())));
    assert_eq!(warnings, Vec::<String>::new());
    let record = record.unwrap();
    for epoch in &record.epochs {
        assert_eq!((epoch.train.images, epoch.test.images), (20, 5));
        assert_eq!(epoch.train.map100, None);
        let [test, validation] = [epoch.test, epoch.validation.unwrap()];
        for map100 in [test.map100.unwrap(), validation.map100.unwrap()] {
            // The worst ranking of two of ten labels has (1/9 + 2/10) / 2.
            assert!((0.15..=1.0).contains(&map100), "{map100}");
        }
    }
    let (again, _) = train(&killed, &changes, false, None);
    assert_eq!(scores(&again.unwrap()), scores(&record));
    let map100 = |folder: &Path| {
        let text = fs::read_to_string(folder.join("record.json")).unwrap();
        let record: RunRecord = serde_json::from_str(&text).unwrap();
        let epochs = record.epochs.iter();
        epochs.map(|epoch| epoch.test.map100).collect::<Vec<_>>()
    };
    assert_eq!(map100(&killed), map100(&whole));
}

#[test]
fn a_network_of_mosaics_of_a_folder_takes_images_of_their_size() {
    let folder = tempfile::tempdir().unwrap();
    for (class, shade) in [("dark", 40), ("light", 200)] {
        let path = folder.path().join("images").join(class);
        fs::create_dir_all(&path).unwrap();
        for number in 0..40 {
            let image = image::RgbImage::from_pixel(16, 16, image::Rgb([shade + number; 3]));
            image.save(path.join(format!("{number}.png"))).unwrap();
        }
    }
    let source = format!(
        "data.source=folder:{}",
        folder.path().join("images").display()
    );
    let sizes = [
        "data.image_size=16",
        "data.train_images=null",
        "data.test_images=null",
        "data.mosaic.labels=1",
    ];
    let changes = [&[source.as_str()], &sizes[..]].concat();
    let run = folder.path().join("run");
    train(&run, &changes, false, None).0.unwrap();
    let options = LoadOptions::default();
    let loaded = load(&run.join("model.bpk"), &options, &Device::flex()).unwrap();
    assert_eq!(loaded.preprocessing.size, [32, 32]);
}

#[test]
fn other_mosaics_are_another_run() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), &MOSAICS, false, None).0.unwrap();
    let changes = [&MOSAICS[..], &["data.mosaic.skew=0"]].concat();
    let error = train(folder.path(), &changes, false, None).0.unwrap_err();
    assert!(error.to_string().contains("data.mosaic.skew"), "{error}");
}

fn scores(record: &RunRecord) -> Vec<[f64; 4]> {
    assert_eq!(record.state, RunState::Finished);
    let epochs = record.epochs.iter();
    epochs
        .map(|e| [e.train.loss, e.train.top1, e.test.loss, e.test.top1])
        .collect()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn cut(file: &Path) {
    let length = fs::metadata(file).unwrap().len();
    File::options()
        .write(true)
        .open(file)
        .unwrap()
        .set_len(length - 1)
        .unwrap();
}

#[test]
fn a_run_that_was_killed_goes_on_and_takes_leftovers_away() {
    let workshop = Workshop::new();
    let left = ["checkpoint/unfinished/model.bpk", ".record.aB3xYz.tmp"].map(|name| {
        let path = workshop.path("killed").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "half").unwrap();
        path
    });
    assert!(workshop.go_on(false).is_empty());
    assert!(!left.iter().any(|path| path.exists()));
}

#[test]
fn damaged_checkpoints_give_way_to_the_one_before_or_else_start_the_run_again() {
    for damaged in [&["epoch-2"][..], &["epoch-2", "epoch-1"]] {
        let workshop = Workshop::new();
        for name in damaged {
            cut(&workshop.path(&format!("killed/checkpoint/{name}/optimizer.bpk")));
        }
        let mut warnings = workshop.go_on(false).into_iter();
        for name in damaged {
            let warning = warnings.next().unwrap();
            let part = format!("{name}/optimizer.bpk can't be used");
            assert!(warning.contains(&part), "{warning}");
        }
        if damaged.len() == 2 {
            let warning = warnings.next().unwrap();
            assert!(
                warning.contains("starts again from the first epoch"),
                "{warning}"
            );
        }
        assert_eq!(warnings.next(), None);
    }
}

#[test]
fn a_missing_checkpoint_starts_the_run_again() {
    let workshop = Workshop::new();
    fs::remove_dir_all(workshop.path("killed/checkpoint")).unwrap();
    let warnings = workshop.go_on(false);
    assert!(
        warnings[0].contains("no checkpoint that can be used"),
        "{warnings:?}"
    );
}

#[test]
fn a_damaged_record_is_made_again_from_the_checkpoint() {
    let workshop = Workshop::new();
    fs::write(workshop.path("killed/record.json"), "{").unwrap();
    let warnings = workshop.go_on(false);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("record.json can't be used")
            && warnings[0].contains("last checkpoint"),
        "{warnings:?}"
    );
}

#[test]
fn a_damaged_run_is_refused_with_a_remedy_and_trained_again_where_that_is_asked_for() {
    let workshop = Workshop::new();
    type Damage = fn(&Path);
    let damages: [(Damage, &str); 7] = [
        (
            |run| {
                let mut bytes = fs::read(run.join("model.bpk")).unwrap();
                let last = bytes.len() - 1;
                bytes[last] ^= 1;
                fs::write(run.join("model.bpk"), bytes).unwrap();
            },
            "model.bpk, the trained network, has SHA-256",
        ),
        (
            |run| fs::remove_file(run.join("record.json")).unwrap(),
            "record.json is missing, though the trained network is there",
        ),
        (|run| cut(&run.join("model.bpk")), "truncated"),
        (
            |run| fs::write(run.join("model.bpk"), "").unwrap(),
            "model.bpk",
        ),
        (
            |run| fs::write(run.join("record.json"), [0xff]).unwrap(),
            "record.json can't be used",
        ),
        (
            |run| fs::write(run.join("run.json"), "{}").unwrap(),
            "run.json can't be used",
        ),
        (
            |run| fs::remove_file(run.join("run.json")).unwrap(),
            "can't read",
        ),
    ];
    for (damage, part) in damages {
        let _ = fs::remove_dir_all(workshop.path("killed"));
        copy_folder(&workshop.path("whole"), &workshop.path("killed"));
        damage(&workshop.path("killed"));
        let before = files(&workshop.path("killed"));
        let (error, warnings) = train(&workshop.path("killed"), &[], false, None);
        let error = error.unwrap_err();
        assert!(matches!(error, TrainError::DamagedRun { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains(part) && text.contains("--retrain damaged"),
            "{text}"
        );
        assert!(warnings.is_empty(), "{warnings:?}");
        assert_eq!(files(&workshop.path("killed")), before);

        let warnings = workshop.go_on(true);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].contains("trained again from the start"),
            "{warnings:?}"
        );
    }
}

#[test]
fn a_run_that_ended_needs_no_network_unless_it_is_asked_for() {
    let workshop = Workshop::new();
    let folder = workshop.path("whole");
    fs::remove_file(folder.join("model.bpk")).unwrap();
    assert!(matches!(
        RunStatus::of(&folder),
        RunStatus::WithoutNetwork(_)
    ));
    let (record, warnings) = train(&folder, &[], false, None);
    assert_eq!(
        (record.unwrap(), warnings.len()),
        (workshop.whole.clone(), 0)
    );
    assert!(!folder.join("model.bpk").exists());
    let error = RunFolder::trained_network(&folder).unwrap_err().to_string();
    assert!(error.contains("model.bpk is missing"), "{error}");
    let (record, warnings) = train(&folder, &[], true, None);
    assert_eq!(scores(&record.unwrap()), scores(&workshop.whole));
    assert!(
        warnings[0].contains("trained again from the start"),
        "{warnings:?}"
    );
    assert!(folder.join("model.bpk").exists());
}

#[test]
fn a_run_that_was_killed_after_it_diverged_still_gets_its_network() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let copy = Some((1, killed.clone()));
    let (record, _) = train(&whole, &[DIVERGING], false, copy);
    let record = record.unwrap();
    assert_eq!((record.state, record.epochs.len()), (RunState::Diverged, 1));

    assert_eq!(
        files(&killed),
        [
            ".lock",
            "checkpoint",
            "record.json",
            "run.json",
            "steps.jsonl"
        ]
    );
    assert_eq!(
        RunFolder::read_record(&killed).unwrap().unwrap().state,
        RunState::Diverged
    );
    let error = RunFolder::trained_network(&killed).unwrap_err().to_string();
    assert!(error.contains("diverged in epoch 1"), "{error}");
    let (again, warnings) = train(&killed, &[DIVERGING], false, None);
    let again = again.unwrap();
    assert_eq!((again.state, again.epochs.len()), (RunState::Diverged, 1));
    assert!(
        warnings[0].contains("model.bpk, the trained network, is missing"),
        "{warnings:?}"
    );
    assert_eq!(files(&killed), files(&whole));
    assert!(matches!(RunStatus::of(&killed), RunStatus::Ended(_)));
}

#[test]
fn what_does_not_fit_together_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let (error, _) = train(&out, &["data.train_images=1"], false, None);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("is 1, but has to be at least 2"), "{error}");
    let (error, _) = train(&out, &["model=inception_v3"], false, None);
    assert!(error.is_err());
    assert!(!out.exists());
}

#[test]
fn a_batch_larger_than_the_data_is_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let (record, _) = train(folder.path(), &["recipe.batch_size=1000"], false, None);
    let record = record.unwrap();
    for epoch in &record.epochs {
        assert_eq!(
            (epoch.steps, epoch.train.images, epoch.test.images),
            (1, 40, 20)
        );
    }
    // What was asked for stays.
    let recipe = RunFolder::manifest::<ModelConfig>(folder.path())
        .unwrap()
        .config
        .recipe;
    assert_eq!(recipe.batch_size, 1000);
}

#[test]
fn a_run_without_an_epoch_is_replaced_and_one_with_an_epoch_is_not() {
    let workshop = Workshop::new();
    let killed = workshop.path("killed");
    let change = ["recipe.batch_size=10"];
    let (error, _) = train(&killed, &change, true, None);
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("`config.recipe.batch_size` is 20 there, 10 here"),
        "{error}"
    );

    fs::remove_file(killed.join("record.json")).unwrap();
    fs::remove_dir_all(killed.join("checkpoint")).unwrap();
    let (record, warnings) = train(&killed, &change, false, None);
    assert_eq!(record.unwrap().epochs[0].steps, 4);
    assert!(warnings.is_empty(), "{warnings:?}");
    let recipe = RunFolder::manifest::<ModelConfig>(&killed)
        .unwrap()
        .config
        .recipe;
    assert_eq!(recipe.batch_size, 10);
}

#[test]
fn images_held_back_are_scored_after_every_epoch_and_the_same_whatever_is_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = |changes: &[&str]| {
        let changes: Vec<_> = changes
            .iter()
            .map(|change| change.parse().unwrap())
            .collect();
        let config = <RunConfig>::parse(TINY, &changes).unwrap();
        Run::prepare(&config).unwrap().1
    };
    let changes = ["data.validation_images=60"];
    let found = data(&changes);
    let held_back = found.validation.unwrap();
    let validation = held_back.in_memory().unwrap();
    assert_eq!((found.train.len(), validation.len()), (40, 60));
    assert_eq!(validation.class_counts(10), [6; 10]);
    let more = data(&["data.validation_images=60", "data.train_images=90"]);
    assert_eq!(more.validation.unwrap().in_memory().unwrap(), validation);
    for index in 0..more.train.len() {
        let image = more.train.in_memory().unwrap().image(index);
        assert!((0..validation.len()).all(|held_back| validation.image(held_back) != image));
    }

    let (record, warnings) = train(folder.path(), &changes, false, None);
    assert_eq!(warnings, Vec::<String>::new());
    let record = record.unwrap();
    assert_eq!(record.epochs.len(), 3);
    let scores = |epoch: &xception_train::record::EpochRecord| epoch.validation.unwrap();
    assert!(record.epochs.iter().all(|epoch| scores(epoch).images == 60));
    let best = record
        .epochs
        .iter()
        .map(|epoch| scores(epoch).top1)
        .fold(0.0, f64::max);
    let chosen = record.chosen_epoch().unwrap();
    assert_eq!(scores(chosen).top1, best);
    // Read again, it is the same.
    let again = train(folder.path(), &changes, false, None).0.unwrap();
    assert_eq!(again, record);
    let without = train(&folder.path().join("without"), &[], false, None)
        .0
        .unwrap();
    assert_eq!(without.chosen_epoch(), None);
}
