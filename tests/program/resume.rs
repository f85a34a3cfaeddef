//! A killed ablation goes on where it stopped, to the same numbers.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::support::{Workshop, fail, json, program, run, scores, succeed};

/// Starts the tiny ablation and kills it after a line of its standard error that has this text.
fn kill_after(workshop: &Workshop, out: &str, text: &str) {
    let (file, out) = (workshop.text("tiny.json"), workshop.text(out));
    let mut child: Child = program(&["ablate", &file, "--out", &out])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let seen = lines.map_while(Result::ok).any(|line| line.contains(text));
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    assert!(seen, "{text}");
}

#[test]
fn killed_in_the_middle_of_a_run_and_between_runs() {
    let workshop = Workshop::new();
    workshop.ablate("whole");
    kill_after(&workshop, "killed", "base, seed 1: epoch 2/3");
    let record = json(&workshop.path("killed/base/seed-1/record.json"));
    assert_eq!(record["state"], "unfinished");
    let done = record["epochs"].as_array().unwrap().clone();
    assert!(done.len() >= 2);

    kill_after(&workshop, "killed", "run 3/4");
    let first = json(&workshop.path("killed/base/seed-1/record.json"));
    assert_eq!(first["state"], "finished");
    // The times of epochs before the kill stay: those epochs were not run again.
    assert_eq!(first["epochs"].as_array().unwrap()[..done.len()], done[..]);

    workshop.ablate("killed");
    let scores = |name: &str| scores(&json(&workshop.path(name).join("results.json")));
    assert_eq!(scores("killed"), scores("whole"));
    for run in ["base/seed-1", "base/seed-2"] {
        let network = |out: &str| {
            let path = workshop.path(out).join(run).join("model.bpk");
            fs::read(path).unwrap()
        };
        assert!(network("killed") == network("whole"), "{run}");
    }
}

#[test]
fn a_report_after_a_kill_says_how_far_the_run_was() {
    let workshop = Workshop::new();
    kill_after(&workshop, "killed", "base, seed 1: epoch 1/3");
    let record = json(&workshop.path("killed/base/seed-1/record.json"));
    let done = record["epochs"].as_array().unwrap().len();
    let output = succeed(&["report", &workshop.text("killed")]);
    let state = format!("epoch {done} of 3");
    assert!(output.contains(&format!("0 of 2, {state}")), "{output}");
    let report = fs::read_to_string(workshop.path("killed/report.md")).unwrap();
    assert!(report.contains("0 of 4 runs finished."), "{report}");
    assert!(
        report.contains(&format!("Unfinished: base, seed 1: {state}.")),
        "{report}"
    );
    let page = fs::read_to_string(workshop.path("killed/report.html")).unwrap();
    assert!(page.contains(&state));

    let errors = fail(1, &["eval", &workshop.text("killed/base/seed-1")]);
    assert!(
        errors.contains(&format!("the run is at {state}")),
        "{errors}"
    );
}

#[test]
fn a_report_of_an_ablation_that_is_under_way_does_not_disturb_it() {
    let workshop = Workshop::new();
    let (file, out) = (workshop.text("tiny.json"), workshop.text("out"));
    let mut child: Child = program(&["ablate", &file, "--out", &out])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reports = 0;
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        if line.unwrap().contains("epoch ") && child.try_wait().unwrap().is_none() {
            let output = run(&["report", &out]);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{errors}");
            reports += 1;
        }
    }
    assert!(child.wait().unwrap().success());
    assert!(reports >= 3, "{reports}");
    workshop.ablate("whole");
    let scores = |name: &str| scores(&json(&workshop.path(name).join("results.json")));
    succeed(&["report", &out]);
    assert_eq!(scores("out"), scores("whole"));
}
