//! What goes wrong under a run: it ends with a clear error, and what was saved stays.

use std::fs;
use std::process::{Command, Stdio};

use crate::stopping::{send, wait_for};
use crate::support::{Workshop, fail, json, program, run, succeed};
use rustix::process::Signal;

/// A run of 30 steps an epoch, in a file.
fn a_run(workshop: &Workshop) -> String {
    let config = r#"{
        "model": {"xception": {"width": 0.25, "middle_modules": 1, "stem": "small"}},
        "data": {"train_images": 300, "test_images": 50},
        "recipe": {"epochs": 2, "batch_size": 10}
    }"#;
    fs::write(workshop.path("run.json"), config).unwrap();
    workshop.text("run.json")
}

/// Starts a run and stops it once it has a checkpoint within an epoch.
fn begin(workshop: &Workshop, file: &str, out: &str) {
    let out_text = workshop.text(out);
    let mut child = program(&["train", file, "--out", &out_text, "--checkpoint-every", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let folder = workshop.path(out).join("checkpoint");
    let has_checkpoint = || {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut names = entries.map(|entry| entry.file_name());
        names.any(|name| name.to_string_lossy().starts_with("epoch-"))
    };
    wait_for("a checkpoint", has_checkpoint);
    send(&child, Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(has_checkpoint());
}

/// As on a full disk, writing fails in the middle of a file: here where a file gets too large.
#[test]
#[cfg(target_os = "linux")] // the shell's ulimit counts in other units elsewhere
fn where_a_checkpoint_cannot_be_written_the_one_before_stays() {
    let workshop = Workshop::new();
    let (file, out) = (a_run(&workshop), workshop.text("out"));
    begin(&workshop, &file, "out");
    let state = || {
        let mut names: Vec<_> = fs::read_dir(workshop.path("out/checkpoint"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "unfinished")
            .collect();
        names.sort();
        names
    };
    let before = state();

    let script = "trap '' XFSZ; ulimit -f 100; exec \"$@\""; // 100 KiB or less; the network has more
    let program = env!("CARGO_BIN_EXE_xception");
    let output = Command::new("sh")
        .args(["-c", script, "sh", program, "train", &file, "--out", &out])
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("can't write") && errors.contains("too large"),
        "{errors}"
    );
    assert!(!errors.contains("panicked"), "{errors}");
    assert_eq!(state(), before);

    succeed(&["train", &file, "--out", &out]);
    succeed(&["train", &file, "--out", &workshop.text("whole")]);
    let network = |out: &str| fs::read(workshop.path(out).join("model.bpk")).unwrap();
    assert!(network("out") == network("whole"));
}

#[test]
fn a_damaged_checkpoint_gives_way_to_the_one_before() {
    let workshop = Workshop::new();
    let (file, out) = (a_run(&workshop), workshop.text("out"));
    // Twice, so that there are two.
    begin(&workshop, &file, "out");
    begin_again(&workshop, &file, "out");
    let folder = workshop.path("out/checkpoint");
    let mut places: Vec<usize> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.strip_prefix("epoch-0-step-").unwrap().parse().unwrap())
        .collect();
    places.sort_unstable();
    let [_, last] = places[..] else {
        panic!("{places:?}");
    };
    let weights = folder.join(format!("epoch-0-step-{last}/model.bpk"));
    let mut bytes = fs::read(&weights).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&weights, bytes).unwrap();

    let output = run(&["train", &file, "--out", &out]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    assert!(
        errors.contains("warning: ") && errors.contains("its SHA-256 is"),
        "{errors}"
    );
    assert!(!errors.contains("starts again"), "{errors}");
    succeed(&["train", &file, "--out", &workshop.text("whole")]);
    let network = |out: &str| fs::read(workshop.path(out).join("model.bpk")).unwrap();
    assert!(network("out") == network("whole"));
}

/// Goes on with a run and stops it after a step more.
fn begin_again(workshop: &Workshop, file: &str, out: &str) {
    let log = workshop.path(out).join("steps.jsonl");
    let lines = || fs::read_to_string(&log).unwrap().lines().count();
    let before = lines();
    let child = program(&[
        "train",
        file,
        "--out",
        &workshop.text(out),
        "--checkpoint-every",
        "1",
    ])
    .stdout(Stdio::null())
    .stderr(Stdio::null())
    .spawn();
    let mut child = child.unwrap();
    wait_for("a step more", || lines() > before);
    send(&child, Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_loss_that_is_not_finite_ends_the_run_at_its_step() {
    let workshop = Workshop::new();
    let (file, out) = (a_run(&workshop), workshop.text("out"));
    let rate = "recipe.learning_rate=1e30";
    let arguments = [
        "train",
        &file,
        "--out",
        &out,
        "--set",
        rate,
        "--checkpoint-every",
        "1",
    ];
    let errors = fail(1, &arguments);
    let record = json(&workshop.path("out/record.json"));
    assert_eq!(record["state"], "diverged");
    let step = record["divergence"]["step"].as_u64().unwrap();
    assert!(step >= 2, "{record}");
    let lines = fs::read_to_string(workshop.path("out/steps.jsonl")).unwrap();
    assert_eq!(lines.lines().count() as u64, step);
    assert!(
        lines.lines().last().unwrap().contains("\"loss\":null"),
        "{lines}"
    );
    let checkpoint = workshop.path(&format!("out/checkpoint/epoch-0-step-{}", step - 1));
    assert!(checkpoint.is_dir());
    assert!(
        errors.contains(&format!("at step {step}, with a learning rate of ")),
        "{errors}"
    );
    assert!(
        errors.contains(&checkpoint.display().to_string()),
        "{errors}"
    );
    // It has ended.
    let again = fail(1, &arguments);
    assert!(errors.ends_with(&again), "{again}");
}

#[test]
fn the_best_epoch_needs_images_to_choose_on() {
    let workshop = Workshop::new();
    let (file, out) = (a_run(&workshop), workshop.text("out"));
    let errors = fail(1, &["train", &file, "--out", &out, "--keep-best"]);
    assert!(errors.contains("set data.validation_images"), "{errors}");
    assert!(!workshop.path("out").exists());
    let errors = fail(
        2,
        &["train", &file, "--out", &out, "--checkpoint-every", "never"],
    );
    assert!(errors.contains("`never` is no interval"), "{errors}");
}
