//! A killed ablation goes on where it stopped, to the same numbers.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::support::{Workshop, json, program, scores};

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
            std::fs::read(path).unwrap()
        };
        assert!(network("killed") == network("whole"), "{run}");
    }
}
