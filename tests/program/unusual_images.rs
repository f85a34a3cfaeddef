//! Links that lead nowhere, pipes, and what else may be where an image is expected.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use crate::images::{picture, prepare};
use crate::support::{Workshop, fail, program, run};

/// Adds what can't be read to a folder: a broken link, a link to itself, one to the folder, and a pipe.
fn spoil(workshop: &Workshop, folder: &str) {
    let path = |name: &str| workshop.path(folder).join(name);
    symlink(path("missing"), path("broken.png")).unwrap();
    symlink(path("circle.png"), path("circle.png")).unwrap();
    symlink(workshop.path(folder), path("up")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(path("pipe.png"))
        .status();
    assert!(made.unwrap().success());
}

#[test]
fn what_cannot_be_read_in_a_folder_is_told_and_skipped() {
    let workshop = prepare();
    spoil(&workshop, "photos");
    let (photos, weights) = (workshop.text("photos"), workshop.text("out/base/seed-1"));
    let features = workshop.text("features.npy");
    for arguments in [
        vec!["predict", &photos, "--weights", &weights, "--json"],
        vec![
            "features",
            &photos,
            "--weights",
            &weights,
            "--out",
            &features,
        ],
    ] {
        let result = run(&arguments);
        let errors = String::from_utf8(result.stderr).unwrap();
        assert_eq!(result.status.code(), Some(1), "{errors}");
        let rows = String::from_utf8(result.stdout).unwrap();
        assert_eq!(rows.lines().count(), 4, "{rows}");
        for name in ["broken.png", "circle.png", "up", "pipe.png"] {
            assert!(
                errors.contains(&format!("photos/{name}")),
                "{name}: {errors}"
            );
        }
        assert!(
            errors.contains("4 of 8 images could not be read"),
            "{errors}"
        );
    }
}

#[test]
fn what_cannot_be_read_in_a_folder_of_classes_is_told_and_skipped() {
    let workshop = prepare();
    for class in ["cat", "dog"] {
        fs::create_dir_all(workshop.path("classes").join(class)).unwrap();
        for index in 0..20 {
            picture(
                &workshop.path(&format!("classes/{class}/{index}.png")),
                index % 4,
            );
        }
    }
    spoil(&workshop, "classes/cat");
    symlink(workshop.path("missing"), workshop.path("classes/eel")).unwrap();
    let weights = workshop.text("out/base/seed-1");
    let told = |errors: &str| {
        for name in [
            "cat/broken.png",
            "cat/circle.png",
            "cat/pipe.png",
            "classes/eel",
        ] {
            assert!(errors.contains(name), "{name}: {errors}");
        }
    };
    let classes = workshop.text("classes");
    let result = run(&["eval", &classes, "--weights", &weights]);
    let errors = String::from_utf8(result.stderr).unwrap();
    assert_eq!(result.status.code(), Some(1), "{errors}");
    told(&errors);
    let output = String::from_utf8(result.stdout).unwrap();
    assert!(output.contains("40 test images"), "{output}");

    let data = format!("folder:{classes}");
    let out = workshop.text("tuned");
    let result = run(&[
        "train",
        "--weights",
        &weights,
        "--data",
        &data,
        "--out",
        &out,
        "--set",
        "recipe.epochs=1",
        "--set",
        "recipe.batch_size=8",
        "--display",
        "quiet",
    ]);
    let errors = String::from_utf8(result.stderr).unwrap();
    assert!(result.status.success(), "{errors}");
    told(&errors);
}

#[test]
fn a_pipe_without_a_writer_is_refused_at_once() {
    let workshop = prepare();
    let weights = workshop.text("out/base/seed-1");
    let pipe = workshop.text("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let errors = fail(1, &["predict", &pipe, "--weights", &weights]);
    assert!(
        errors.contains("it is a pipe, not a regular file"),
        "{errors}"
    );
    let errors = fail(1, &["predict", "/dev/zero", "--weights", &weights]);
    assert!(
        errors.contains("it is a device, not a regular file"),
        "{errors}"
    );
    let zeros = fs::File::open("/dev/zero").unwrap();
    let result = program(&["predict", "-", "--weights", &weights])
        .stdin(Stdio::from(zeros))
        .output()
        .unwrap();
    assert_eq!(result.status.code(), Some(1));
    let errors = String::from_utf8(result.stderr).unwrap();
    assert!(errors.contains("standard input is neither"), "{errors}");
}

#[test]
fn a_pipe_with_a_writer_gives_labels() {
    let workshop = prepare();
    let weights = workshop.text("out/base/seed-1");
    let (photo, pipe) = (workshop.text("photos/a.png"), workshop.text("labels"));
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || {
            let names: Vec<_> = (0..10).map(|index| format!("class-{index}\n")).collect();
            fs::write(pipe, names.concat()).unwrap();
        })
    };
    let result = run(&["predict", &photo, "--weights", &weights, "--labels", &pipe]);
    writer.join().unwrap();
    let output = String::from_utf8(result.stdout).unwrap();
    assert!(
        result.status.success() && output.contains("class-"),
        "{output}"
    );
}
