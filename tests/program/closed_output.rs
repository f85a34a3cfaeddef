//! What becomes of a command whose output nobody reads any more, as in `xception ... | head -1`.

use std::fs;
use std::process::{Output, Stdio};

use crate::support::{Workshop, json, program, scores};

/// A pipe whose reader has gone.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// Runs the program without a reader of its standard output.
fn run_unread(arguments: &[&str]) -> Output {
    let child = program(arguments)
        .stdout(closed())
        .stderr(Stdio::piped())
        .spawn();
    child.unwrap().wait_with_output().unwrap()
}

#[test]
fn an_ablation_goes_on() {
    let workshop = Workshop::new();
    let (file, out) = (workshop.text("tiny.json"), workshop.text("out"));
    let output = run_unread(&["ablate", &file, "--out", &out]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let results = json(&workshop.path("out/results.json"));
    assert_eq!(scores(&results).len(), 2 * 2 * 3);
    assert!(workshop.path("out/report.html").exists());
}

#[test]
fn a_training_says_by_its_exit_code_that_it_diverged() {
    let workshop = Workshop::new();
    let config = r#"{
        "model": {"xception": {"width": 0.05, "middle_modules": 1, "stem": "small"}},
        "data": {"train_images": 100, "test_images": 50},
        "recipe": {"epochs": 3, "batch_size": 20, "learning_rate": 1e30}
    }"#;
    fs::write(workshop.path("run.json"), config).unwrap();
    let (file, out) = (workshop.text("run.json"), workshop.text("out"));
    let output = run_unread(&["train", &file, "--out", &out]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("recipe.learning_rate"), "{errors}");
    assert_eq!(json(&workshop.path("out/record.json"))["state"], "diverged");
}

#[test]
fn a_command_that_only_prints_ends_quietly() {
    for arguments in [
        &["summary"][..],
        &["devices"],
        &["weights", "list"],
        &["completions", "bash"],
        &["data", "describe", "--json"],
        &["draw", "xception", "--out", "-"],
    ] {
        let output = run_unread(arguments);
        assert!(output.status.success(), "{arguments:?}");
        assert!(output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_error_has_its_exit_code_without_a_reader_of_either() {
    let status = program(&["ablate", "no/such.json"])
        .stdout(closed())
        .stderr(closed())
        .status();
    assert_eq!(status.unwrap().code(), Some(1));
}
