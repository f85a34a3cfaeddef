//! A run that is killed again and again leaves what one that was never stopped leaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Workshop, json as read_json, program, succeed};

/// A run of 22 steps an epoch, with dropout, augmentation, and all that a recipe can keep from step to step.
const RUN: &str = r#"{
    "model": {"xception": {"width": 0.05, "middle_modules": 1, "stem": "small", "dropout": 0.2}},
    "data": {"source": "embedded", "train_images": 160, "validation_images": 20, "test_images": 50},
    "recipe": {
        "epochs": 8, "batch_size": 7, "accumulation": 2, "learning_rate": 0.002, "clip_norm": 2,
        "optimizer": {"rms_prop": {"weight_decay": 1e-4, "weight_decay_on": "kernels"}},
        "schedule": {"exponential_by_samples": {"factor": 0.9, "every_samples": 300, "warmup_epochs": 1}},
        "average": {"decay": 0.99}
    }
}"#;

/// The times that the run is killed.
const KILLS: usize = 24;

/// Names of the whole checkpoints in a run's folder.
fn checkpoints(run: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(run.join("checkpoint")) else {
        return Vec::new();
    };
    let names = entries.filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| name != "unfinished").collect();
    names.sort();
    names
}

fn is_writing(run: &Path) -> bool {
    run.join("checkpoint/unfinished").exists()
}

/// The value of a run's record without what depends on the clock.
fn without_times(mut record: Value) -> Value {
    for epoch in record["epochs"].as_array_mut().unwrap() {
        let epoch = epoch.as_object_mut().unwrap();
        epoch.remove("train_seconds").unwrap();
        epoch.remove("test_seconds").unwrap();
    }
    record
}

/// What the log of steps says, without what depends on the clock.
fn steps(run: &Path) -> Vec<Value> {
    let text = fs::read_to_string(run.join("steps.jsonl")).unwrap();
    let lines = text.lines().map(|line| {
        let step: Value = serde_json::from_str(line).unwrap();
        assert!(step["images_per_second"].as_f64().unwrap() > 0.0);
        assert!(step["wait_seconds"].as_f64().unwrap() >= 0.0);
        json!([
            step["step"],
            step["epoch"],
            step["loss"],
            step["learning_rate"],
            step["gradient_norm"],
            step["images"]
        ])
    });
    lines.collect()
}

fn start(file: &str, out: &str) -> Child {
    program(&[
        "train",
        file,
        "--out",
        out,
        "--checkpoint-every",
        "1",
        "--keep-best",
    ])
    .stdout(Stdio::null())
    .stderr(Stdio::null())
    .spawn()
    .unwrap()
}

/// Waits until something is so, while the run goes on; returns whether it came to be.
fn wait(child: &mut Child, mut there: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(60));
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        sleep(Duration::from_micros(200));
    }
    true
}

/// A number that looks random, by a linear congruential generator (D. Knuth's MMIX).
fn random(state: &mut u64, below: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

#[test]
fn killed_at_random_moments_a_run_ends_with_the_same_files() {
    let workshop = Workshop::new();
    fs::write(workshop.path("run.json"), RUN).unwrap();
    let (file, out) = (workshop.text("run.json"), workshop.text("killed"));
    let run: PathBuf = workshop.path("killed");

    // What moments come is a matter of the machine anyway; the seed is told, and so is what happened.
    let mut seed = u64::from(std::process::id());
    println!("seed {seed}");
    let (mut within_checkpoints, mut within_epochs) = (0, 0);
    for kill in 0..KILLS {
        let before = checkpoints(&run);
        let mut child = start(&file, &out);
        assert!(
            wait(&mut child, || checkpoints(&run) != before),
            "kill {kill}: the run had ended"
        );
        sleep(Duration::from_micros(random(&mut seed, 30_000)));
        if kill % 3 == 0 {
            assert!(
                wait(&mut child, || is_writing(&run)),
                "kill {kill}: the run had ended"
            );
        }
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        within_checkpoints += usize::from(is_writing(&run));
        let last = checkpoints(&run).pop(); // of two, that of a whole epoch comes first
        within_epochs += usize::from(last.is_some_and(|name| name.contains("step")));
    }
    println!(
        "{KILLS} kills, {within_checkpoints} within a checkpoint, {within_epochs} within an epoch"
    );
    assert!(within_checkpoints >= 4, "{within_checkpoints}");
    assert!(within_epochs >= 10, "{within_epochs}");
    assert!(start(&file, &out).wait().unwrap().success());

    let whole = workshop.path("whole");
    succeed(&[
        "train",
        &file,
        "--out",
        &workshop.text("whole"),
        "--keep-best",
    ]);
    for name in ["model.bpk", "model-weights.bpk", "model-best.bpk"] {
        let bytes = |run: &Path| fs::read(run.join(name)).unwrap();
        assert!(bytes(&run) == bytes(&whole), "{name}");
    }
    let record = |run: &Path| without_times(read_json(&run.join("record.json")));
    assert_eq!(record(&run), record(&whole));
    assert_eq!(steps(&run), steps(&whole));
    assert_eq!(steps(&run).len(), 8 * 22);
    for run in [&run, &whole] {
        assert!(checkpoints(run).is_empty());
    }
}
