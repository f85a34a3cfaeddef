//! Runs side by side, which leave what they leave one after another, however they are stopped.

#![cfg(target_os = "linux")] // its /proc

use std::fs;
use std::io::{BufRead, BufReader, Lines, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::stopping::{send, wait_for};
use crate::support::{Workshop, fail, json, program, succeed};

/// The runs of the tiny ablation.
const RUNS: [&str; 4] = [
    "base/seed-1",
    "no_residual/seed-1",
    "base/seed-2",
    "no_residual/seed-2",
];

/// The tiny ablation, two runs at a time on any machine.
fn side_by_side(workshop: &Workshop, out: &str) -> Command {
    let (file, out) = (workshop.text("tiny.json"), workshop.text(out));
    let mut command = program(&["ablate", &file, "--out", &out, "--jobs", "2"]);
    command.env("RAYON_NUM_THREADS", "2");
    command
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs it to its end.
fn succeed_side_by_side(workshop: &Workshop, out: &str) -> String {
    let output = side_by_side(workshop, out).output().unwrap();
    let errors = errors(&output);
    assert!(output.status.success(), "{errors}");
    errors
}

/// A run's record without its times.
fn record(folder: &Path) -> Value {
    let mut record = json(&folder.join("record.json"));
    for epoch in record["epochs"].as_array_mut().unwrap() {
        let epoch = epoch.as_object_mut().unwrap();
        assert!(epoch.remove("train_seconds").is_some() && epoch.remove("test_seconds").is_some());
    }
    record
}

/// Checks that some runs have left the same files, byte for byte but for times.
fn assert_same(workshop: &Workshop, runs: &[&str], out: &str, expected: &str) {
    for run in runs {
        let folder = |name: &str| workshop.path(name).join(run);
        let (found, expected) = (folder(out), folder(expected));
        for file in ["run.json", "model.bpk"] {
            let read = |folder: &Path| fs::read(folder.join(file)).unwrap();
            assert!(read(&found) == read(&expected), "{run}: {file}");
        }
        assert_eq!(record(&found), record(&expected), "{run}");
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).unwrap();
            let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&found), names(&expected), "{run}");
    }
}

/// The processes that a process has started, and that haven't ended.
fn children(parent: u32) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let name = entry.unwrap().file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let Ok(text) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
            continue;
        };
        // `pid (name) state parent ...`, where the name can have anything in it.
        let mut fields = text.rsplit(')').next().unwrap().split_whitespace();
        let (state, of) = (fields.next().unwrap(), fields.next().unwrap());
        if state != "Z" && of == parent.to_string() {
            found.push(pid);
        }
    }
    found
}

/// Returns whether a process with the name of this program is there.
fn lives(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|text| text.contains("(xception)") && !text.contains(") Z "))
}

/// Starts two runs of many epochs at once, and waits until both train.
fn two_long_runs(workshop: &Workshop, out: &str) -> (Child, Lines<BufReader<ChildStderr>>) {
    let mut command = side_by_side(workshop, out);
    command.args(["--set", "recipe.epochs=100"]);
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    for run in &RUNS[..2] {
        let record = workshop.path(out).join(run).join("record.json");
        let mut seen = Vec::new();
        while !record.exists() {
            let line = lines.next();
            assert!(line.is_some(), "{run}: {seen:?}");
            seen.push(line.unwrap().unwrap());
        }
    }
    (child, lines)
}

#[test]
fn runs_side_by_side_leave_what_they_leave_one_after_another() {
    let workshop = Workshop::new();
    workshop.ablate("one");
    let errors = succeed_side_by_side(&workshop, "two");
    assert_same(&workshop, &RUNS, "two", "one");
    for part in [
        "run 4/4: no residual, seed 2",
        "base, seed 1: epoch 3/3: ",
        "no residual, seed 2: epoch 3/3: ",
        "(ablation: 0 s)",
    ] {
        assert!(errors.contains(part), "{part}: {errors}");
    }
    let second = errors.find("run 2/4").unwrap();
    assert!(second < errors.find("epoch 3/3").unwrap(), "{errors}");
    // The study is the same too, and its command.
    let study = |name: &str| fs::read(workshop.path(name).join("ablation.json")).unwrap();
    assert!(study("two") == study("one"));

    let errors = succeed_side_by_side(&workshop, "two");
    assert_eq!(errors.matches("was done before").count(), 4, "{errors}");
}

#[test]
fn a_seed_added_later_trains_as_a_run_by_itself() {
    let workshop = Workshop::new();
    let base = json(&workshop.path("tiny.json"))["base"].to_string();
    fs::write(workshop.path("run.json"), base).unwrap();
    let (file, alone) = (
        workshop.text("run.json"),
        workshop.text("alone/base/seed-7"),
    );
    succeed(&["train", &file, "--out", &alone, "--seed", "7"]);
    let output = side_by_side(&workshop, "out")
        .args(["--seeds", "7"])
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", errors(&output));
    assert_same(&workshop, &["base/seed-7"], "out", "alone");
}

#[test]
fn stopped_side_by_side_it_goes_on_to_the_same_result() {
    let workshop = Workshop::new();
    workshop.ablate("whole");
    let mut command = side_by_side(&workshop, "out");
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let record = workshop.path("out").join(RUNS[0]).join("record.json");
    wait_for("an epoch", || record.exists());
    send(&child, Signal::TERM);
    let mut errors = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut errors).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143), "{errors}");
    for part in [
        "terminated",
        "seed 1",
        "the same command goes on from there",
    ] {
        assert!(errors.contains(part), "{part}: {errors}");
    }
    assert!(!errors.contains("error:"), "{errors}");
    assert!(!workshop.path("out").join(RUNS[3]).exists());

    succeed_side_by_side(&workshop, "out");
    assert_same(&workshop, &RUNS, "out", "whole");
}

#[test]
fn a_second_signal_ends_all_processes_at_once_and_so_does_a_kill() {
    let workshop = Workshop::new();
    for (name, twice) in [("signals", true), ("killed", false)] {
        let (mut child, mut lines) = two_long_runs(&workshop, name);
        let processes = children(child.id());
        assert_eq!(processes.len(), 2);
        // Another start meanwhile is refused.
        let output = side_by_side(&workshop, name).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let text = errors(&output);
        assert!(text.contains("is in use by another process"), "{text}");
        if twice {
            send(&child, Signal::INT);
            let stopping = |line: &String| line.starts_with("stopping");
            assert!(lines.by_ref().map_while(Result::ok).any(|l| stopping(&l)));
            send(&child, Signal::INT);
            assert_eq!(child.wait().unwrap().code(), Some(130));
        } else {
            child.kill().unwrap(); // SIGKILL
            child.wait().unwrap();
        }
        for pid in processes {
            wait_for("the end of a process", || !lives(pid));
        }
    }
}

#[test]
fn a_process_that_is_killed_is_named_and_the_other_runs_go_on() {
    let workshop = Workshop::new();
    workshop.ablate("whole");
    let mut command = side_by_side(&workshop, "out");
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    wait_for("a process", || !children(child.id()).is_empty());
    let first = children(child.id())[0];
    let manifest = workshop.path("out").join(RUNS[0]).join("run.json");
    wait_for("a run", || manifest.exists());
    kill_process(Pid::from_raw(first).unwrap(), Signal::KILL).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in [
        "warning: run 1/4: base, seed 1 failed: its process ended before it did (signal: 9 (SIGKILL))",
        "warning: base, seed 1 failed, in ",
        "error: 1 of 4 runs failed; the same command goes on with it",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_same(&workshop, &RUNS[1..], "out", "whole");
    assert!(
        !workshop
            .path("out")
            .join(RUNS[0])
            .join("model.bpk")
            .exists()
    );

    succeed_side_by_side(&workshop, "out");
    assert_same(&workshop, &RUNS, "out", "whole");
}

#[test]
fn a_run_that_fails_or_is_damaged_is_named_and_the_others_go_on() {
    let workshop = Workshop::new();
    succeed_side_by_side(&workshop, "whole");
    succeed_side_by_side(&workshop, "out");
    let folder = |run: &str| workshop.path("out").join(run);
    fs::write(folder(RUNS[0]).join("record.json"), "{").unwrap();
    for run in &RUNS[1..] {
        fs::remove_dir_all(folder(run)).unwrap();
    }
    // Its run can't write there, whoever the user is.
    fs::create_dir_all(folder(RUNS[1]).join(".lock")).unwrap();
    let output = side_by_side(&workshop, "out").output().unwrap();
    let text = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in [
        "base, seed 1 is damaged and left out, in ",
        "no residual, seed 1 failed, in ",
        "can't write ",
        "error: 1 of 4 runs failed, the same command goes on with it; 1 left out, damaged, to train it again",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_same(&workshop, &RUNS[2..], "out", "whole");

    fs::remove_dir(folder(RUNS[1]).join(".lock")).unwrap();
    let mut command = side_by_side(&workshop, "out");
    let output = command.args(["--retrain", "damaged"]).output().unwrap();
    let text = errors(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("trained again from the start"), "{text}");
    assert_same(&workshop, &RUNS, "out", "whole");
}

#[test]
fn a_number_of_jobs_that_makes_no_sense_is_refused_or_taken_as_less() {
    let workshop = Workshop::new();
    let file = workshop.text("tiny.json");
    for jobs in ["0", "-1", "many"] {
        let errors = fail(2, &["ablate", &file, "--plan", &format!("--jobs={jobs}")]);
        assert!(
            errors.contains("a whole number from 1, or auto"),
            "{errors}"
        );
    }
    let said = |threads: &str, jobs: &str| {
        let mut command = program(&["ablate", &file, "--plan", "--jobs", jobs]);
        let output = command.env("RAYON_NUM_THREADS", threads).output().unwrap();
        assert!(output.status.success());
        errors(&output)
    };
    assert!(said("3", "9").contains("there are only 3 threads: --jobs is taken as 3"));
    assert!(said("8", "9").contains("there are only 4 runs: --jobs is taken as 4"));
    assert!(said("8", "auto").is_empty() && said("2", "2").is_empty());
}
