//! Ctrl-C and SIGTERM end a training, which the same command takes up again, to the same numbers.

use std::fs;
use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Workshop, json, program, scores};

/// Waits for something, for a minute at most.
pub fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Starts a command and gives it a signal once a file has something in it; returns exit code and standard error.
fn stop(arguments: &[&str], signal: Signal, file: &std::path::Path) -> (Option<i32>, String) {
    let mut child = program(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let is_written = || fs::metadata(file).is_ok_and(|file| file.len() > 0);
    wait_for(&file.display().to_string(), is_written);
    send(&child, signal);
    let mut errors = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut errors).unwrap();
    (child.wait().unwrap().code(), errors)
}

#[test]
fn an_ablation_that_was_stopped_goes_on_to_the_same_numbers() {
    let workshop = Workshop::new();
    workshop.ablate("whole");
    for (display, signal, code, happened) in [
        ("lines", Signal::INT, 130, "interrupted"),
        ("quiet", Signal::TERM, 143, "terminated"),
    ] {
        let (file, out) = (workshop.text("tiny.json"), workshop.text(display));
        let arguments = ["ablate", &file, "--out", &out, "--display", display];
        let record = workshop.path(display).join("base/seed-1/record.json");
        let (found, errors) = stop(&arguments, signal, &record);
        assert_eq!(found, Some(code), "{errors}");
        assert!(errors.contains(happened), "{errors}");
        assert!(errors.contains("the same command"), "{errors}");
        assert!(!errors.contains("error:"), "{errors}");
        assert!(!workshop.path(display).join("no residual/seed-2").exists());

        workshop.ablate(display);
        let scores = |name: &str| scores(&json(&workshop.path(name).join("results.json")));
        assert_eq!(scores(display), scores("whole"));
    }
}

/// A run of this many images a batch, in a file.
pub fn a_run(workshop: &Workshop, batch_size: usize) -> String {
    let config = format!(
        r#"{{
            "model": {{"xception": {{"width": 0.25, "middle_modules": 1, "stem": "small"}}}},
            "recipe": {{"epochs": 2, "batch_size": {batch_size}}}
        }}"#
    );
    fs::write(workshop.path("run.json"), config).unwrap();
    workshop.text("run.json")
}

#[test]
fn a_run_that_is_stopped_in_its_first_epoch_has_a_checkpoint_of_its_steps() {
    let workshop = Workshop::new();
    let (file, out) = (a_run(&workshop, 10), workshop.text("out"));
    let arguments = ["train", &file, "--out", &out];
    let log = workshop.path("out/steps.jsonl"); // has its first line after the first step
    let (code, errors) = stop(&arguments, Signal::TERM, &log);
    assert_eq!(code, Some(143), "{errors}");
    let place = errors.split("terminated after ").nth(1).unwrap();
    let steps: usize = place.split(' ').next().unwrap().parse().unwrap();
    assert!(
        place.contains(" of epoch 1; the same command goes on from there"),
        "{errors}"
    );
    let checkpoint = workshop.path(&format!("out/checkpoint/epoch-0-step-{steps}"));
    assert!(checkpoint.is_dir(), "{errors}");
    assert_eq!(fs::read_to_string(&log).unwrap().lines().count(), steps);
}

#[test]
fn a_second_signal_ends_in_the_middle_of_a_batch() {
    let workshop = Workshop::new();
    let (file, out) = (a_run(&workshop, 1000), workshop.text("out")); // a batch takes long
    let mut child = program(&["train", &file, "--out", &out])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("a run", || workshop.path("out/run.json").exists());
    send(&child, Signal::INT);
    let mut stderr = child.stderr.take().unwrap();
    let mut said = [0; 8];
    stderr.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"stopping");
    send(&child, Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert!(
        !rest.contains("interrupted"),
        "the batch ended before: {rest}"
    );
}
