//! Weights files without a classifier, with damage, or that are no regular files.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use flate2::read::GzDecoder;

use crate::images::{picture, prepare};
use crate::support::{Workshop, fail, run, succeed};

/// Unpacks a weights file that another program wrote.
fn fixture(workshop: &Workshop, name: &str) -> String {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("crates/models/tests/fixtures")
        .join(format!("{name}.gz"));
    let mut packed = GzDecoder::new(File::open(packed).unwrap());
    let path = workshop.path(name);
    io::copy(&mut packed, &mut File::create(&path).unwrap()).unwrap();
    workshop.text(name)
}

#[test]
fn features_need_no_classifier_and_other_commands_say_what_to_do() {
    let workshop = Workshop::new();
    let weights = fixture(&workshop, "xception_notop.weights.h5");
    fs::create_dir_all(workshop.path("photos/0")).unwrap();
    picture(&workshop.path("photos/0/a.png"), 1);
    let (photos, photo) = (workshop.text("photos"), workshop.text("photos/0/a.png"));
    let out = workshop.text("features.csv");
    let arguments = ["--weights", &weights, "--size", "96"];
    let command = ["features", &photos, "--out", &out];
    succeed(&[&command[..], &arguments[..]].concat());
    let table = fs::read_to_string(&out).unwrap();
    let numbers: Vec<f32> = table
        .lines()
        .nth(1)
        .unwrap()
        .split(',')
        .skip(1)
        .map(|number| number.parse().unwrap())
        .collect();
    assert!(numbers.len() > 20, "{}", numbers.len());
    assert!(numbers.iter().any(|number| *number > 0.0));

    for command in [["predict", &photo], ["explain", &photo], ["eval", &photos]] {
        let errors = fail(1, &[&command[..], &arguments[..]].concat());
        assert!(errors.contains("no classifier"), "{errors}");
        let remedy = format!("xception train --weights {weights} --data folder:DIR");
        assert!(errors.contains(&remedy), "{errors}");
        assert!(!errors.contains("new head"), "{errors}");
    }
}

#[test]
fn a_truncated_keras_archive_is_called_one() {
    let workshop = Workshop::new();
    let weights = fixture(&workshop, "xception.keras");
    picture(&workshop.path("a.png"), 1);
    let bytes = fs::read(&weights).unwrap();
    fs::write(&weights, &bytes[..bytes.len() / 2]).unwrap();
    let errors = fail(
        1,
        &["predict", &workshop.text("a.png"), "--weights", &weights],
    );
    assert!(errors.contains("as a Keras archive"), "{errors}");
    assert!(!errors.contains("PyTorch"), "{errors}");
}

#[cfg(unix)]
#[test]
fn pipes_and_folders_are_no_weights() {
    let workshop = Workshop::new();
    let (photo, pipe) = (workshop.text("a.png"), workshop.text("pipe.h5"));
    picture(&workshop.path("a.png"), 1);
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let errors = fail(1, &["predict", &photo, "--weights", &pipe]);
    assert!(
        errors.contains("it is a pipe, not a regular file"),
        "{errors}"
    );
    let errors = fail(1, &["train", "--weights", &pipe]);
    assert!(
        errors.contains("it is a pipe, not a regular file"),
        "{errors}"
    );
    fs::create_dir_all(workshop.path("run/model.bpk")).unwrap();
    let errors = fail(1, &["predict", &photo, "--weights", &workshop.text("run")]);
    assert!(
        errors.contains("it is a folder, not a regular file"),
        "{errors}"
    );
}

/// Sets the first number of a tensor in a safetensors file.
fn set_first(path: &Path, tensor: &str, number: f32) {
    let mut bytes = fs::read(path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let start = header[tensor]["data_offsets"][0].as_u64().unwrap() as usize + 8 + length;
    bytes[start..start + 4].copy_from_slice(&number.to_le_bytes());
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_network_without_finite_output_is_an_error() {
    let workshop = prepare();
    let out = workshop.text("broken.safetensors");
    succeed(&["convert", &workshop.text("out/base/seed-1"), &out]);
    set_first(Path::new(&out), "fc.bias", f32::NAN);
    let (photos, photo) = (workshop.text("photos"), workshop.text("photos/a.png"));
    for form in ["--json", "--csv", "--top=3"] {
        let result = run(&["predict", &photos, "--weights", &out, form]);
        assert_eq!(result.status.code(), Some(1), "{form}");
        let text = String::from_utf8(result.stdout).unwrap();
        assert!(!text.contains("NaN") && !text.contains("null"), "{text}");
        let errors = String::from_utf8(result.stderr).unwrap();
        assert!(
            errors.contains("a.png: the network's output isn't finite"),
            "{errors}"
        );
        assert!(errors.contains("for 4 of 4 images"), "{errors}");
    }
    let errors = fail(1, &["explain", &photo, "--weights", &out]);
    assert!(
        errors.contains("a.png") && errors.contains("finite numbers"),
        "{errors}"
    );

    for class in ["cat", "dog"] {
        fs::create_dir_all(workshop.path("classes").join(class)).unwrap();
        picture(&workshop.path("classes").join(class).join("x.png"), 2);
    }
    let errors = fail(1, &["eval", &workshop.text("classes"), "--weights", &out]);
    assert!(
        errors.contains("cat/x.png: the network's output"),
        "{errors}"
    );
    assert!(errors.contains("for 2 of 2 images"), "{errors}");
}
