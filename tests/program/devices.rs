//! One training on several devices.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Workshop, fail, json, program, succeed};

/// With dropout and batch normalization; 7 images aren't the same number on each of two devices.
const XCEPTION: &str = r#"{
    "model": {"xception": {"width": 0.05, "middle_modules": 0, "stem": "small", "dropout": 0.2}},
    "data": {"source": "embedded", "train_images": 35, "test_images": 10},
    "recipe": {"epochs": 3, "batch_size": 7, "learning_rate": 0.05}
}"#;

/// Without either, so that the parts of a batch are independent of each other.
const VGG: &str = r#"{
    "model": {"vgg": {"width": 0.05, "stem": "small", "fully_connected": [], "batch_norm": false, "dropout": 0}},
    "data": {"source": "embedded", "train_images": 35, "test_images": 10},
    "recipe": {"epochs": 2, "batch_size": 7, "learning_rate": 0.02}
}"#;

/// Writes a configuration, and gives its path.
fn file(workshop: &Workshop, text: &str) -> String {
    fs::write(workshop.path("run.json"), text).unwrap();
    workshop.text("run.json")
}

/// The losses of all epochs, in training and on the test images.
fn losses(run: &Path) -> Vec<f64> {
    let record = json(&run.join("record.json"));
    assert_eq!(record["state"], "finished");
    let epochs = record["epochs"].as_array().unwrap().iter();
    let losses = epochs.flat_map(|epoch| [&epoch["train"]["loss"], &epoch["test"]["loss"]]);
    losses.map(|loss| loss.as_f64().unwrap()).collect()
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let difference = (found - expected).abs();
        assert!(
            difference < 1e-4 * expected.abs(),
            "{found}, not {expected}"
        );
    }
}

fn network(run: &Path) -> Vec<u8> {
    fs::read(run.join("model.bpk")).unwrap()
}

/// Waits until the log of a run has this many steps.
fn wait_for_steps(run: &Path, steps: usize) {
    let count = || match fs::read_to_string(run.join("steps.jsonl")) {
        Ok(text) => text.lines().count(),
        Err(_) => 0,
    };
    for _ in 0..6000 {
        if count() >= steps {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("{} has only {} steps", run.display(), count());
}

#[test]
fn several_devices_learn_what_one_learns() {
    let workshop = Workshop::new();
    let file = file(&workshop, VGG);
    succeed(&["train", &file, "--out", &workshop.text("one")]);
    for devices in ["flex,flex", "flex,ndarray,flex"] {
        let out = workshop.text(devices);
        succeed(&["train", &file, "--devices", devices, "--out", &out]);
        assert_close(
            &losses(&workshop.path(devices)),
            &losses(&workshop.path("one")),
        );
        let manifest = json(&workshop.path(devices).join("run.json"));
        let names: Vec<_> = devices.split(',').map(Value::from).collect();
        assert_eq!(manifest["environment"]["devices"], Value::from(names));
    }
    let manifest = json(&workshop.path("one/run.json"));
    assert_eq!(manifest["environment"].get("devices"), None);
    // A single device of this machine is the backend, by another name.
    succeed(&[
        "train",
        &file,
        "--devices",
        "flex",
        "--out",
        &workshop.text("alone"),
    ]);
    assert!(network(&workshop.path("alone")) == network(&workshop.path("one")));
}

#[test]
fn a_killed_run_on_several_devices_goes_on_to_the_same_network() {
    let workshop = Workshop::new();
    let file = file(&workshop, XCEPTION);
    let arguments = |out: &str| -> Vec<String> {
        let arguments = [
            "train",
            &file,
            "--devices",
            "flex,ndarray",
            "--checkpoint-every",
            "1",
            "--out",
        ];
        let mut arguments = arguments.map(str::to_owned).to_vec();
        arguments.push(workshop.text(out));
        arguments
    };
    let whole = arguments("whole");
    succeed(&whole.iter().map(String::as_str).collect::<Vec<_>>());
    let killed = arguments("killed");
    let killed: Vec<_> = killed.iter().map(String::as_str).collect();
    for steps in [2, 6, 11] {
        let mut child = program(&killed)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for_steps(&workshop.path("killed"), steps);
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
    }
    // The number of devices is that of the parts of a batch, so the run is another one with another number.
    let errors = fail(
        1,
        &[
            "train",
            &file,
            "--devices",
            "flex,ndarray,flex",
            "--out",
            &workshop.text("killed"),
        ],
    );
    assert!(
        errors.contains("`backend`") || errors.contains("`devices` is 2 there, 3 here"),
        "{errors}"
    );
    succeed(&killed);
    assert_eq!(
        losses(&workshop.path("killed")),
        losses(&workshop.path("whole"))
    );
    assert!(network(&workshop.path("killed")) == network(&workshop.path("whole")));
}

#[test]
fn devices_without_work_and_devices_that_are_none_are_told() {
    let workshop = Workshop::new();
    let file = file(&workshop, XCEPTION);
    let out = workshop.text("out");
    let many = [
        "train",
        &file,
        "--devices",
        "flex,flex,flex,flex",
        "--out",
        &out,
        "--set",
        "recipe.epochs=1",
    ];
    let output = program(&many).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    let warning = "batches of 7 images, at least 2 a device, are for the first 3 of the 4 devices";
    assert!(errors.contains(warning), "{errors}");

    for (devices, message) in [
        ("tpu", "there is no backend `tpu`"),
        ("flex,", "there is no backend ``"),
        ("flex,flex:1", "no device 1"),
        (
            "remote:localhost",
            if cfg!(feature = "remote") {
                "remote:HOST:PORT"
            } else {
                "remote"
            },
        ),
    ] {
        let output = program(&["train", &file, "--devices", devices, "--out", &out])
            .output()
            .unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && errors.contains(message),
            "{devices}: {errors}"
        );
    }
    let both = [
        "train",
        &file,
        "--devices",
        "flex",
        "--backend",
        "flex",
        "--out",
        &out,
    ];
    assert!(fail(2, &both).contains("--backend"));
}

#[cfg(not(feature = "remote"))]
#[test]
fn a_build_without_remote_devices_says_what_has_them() {
    let workshop = Workshop::new();
    let file = file(&workshop, XCEPTION);
    let feature = "cargo build --release --features remote";
    assert!(fail(1, &["serve"]).contains(feature));
    let remote = [
        "train",
        &file,
        "--devices",
        "remote:localhost:3000",
        "--out",
        &workshop.text("out"),
    ];
    assert!(fail(2, &remote).contains(feature));
    assert!(!workshop.path("out").exists());
}
