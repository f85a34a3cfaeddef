//! Names of files and classes that would control a terminal, or that aren't text.

#![cfg(target_os = "linux")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use serde_json::Value;

use crate::images::{picture, prepare};
use crate::support::{fail, run, succeed};

#[test]
fn names_do_not_control_the_terminal() {
    let workshop = prepare();
    let weights = workshop.text("out/base/seed-1");
    fs::create_dir(workshop.path("odd")).unwrap();
    let name = "odd/a\n\u{1b}[31mb.png";
    picture(&workshop.path(name), 1);
    fs::write(workshop.path("odd/\u{1b}[2Jbroken.png"), "no").unwrap();
    let labels: Vec<_> = (0..10)
        .map(|index| format!("\u{1b}]0;{index}\u{7}\n"))
        .collect();
    fs::write(workshop.path("labels"), labels.concat()).unwrap();
    let (folder, labels) = (workshop.text("odd"), workshop.text("labels"));
    let features = workshop.text("features.csv");
    let clean = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{7}'),
            "{text:?}"
        );
        text
    };
    for arguments in [
        vec![
            "predict",
            &folder,
            "--weights",
            &weights,
            "--labels",
            &labels,
            "--top",
            "1",
        ],
        vec![
            "features",
            &folder,
            "--weights",
            &weights,
            "--out",
            &features,
        ],
    ] {
        let result = run(&arguments);
        let (output, errors) = (clean(&result.stdout), clean(&result.stderr));
        assert!(output.contains(r"a\n\u{1b}[31mb.png"), "{output}");
        assert!(errors.contains(r"skipped: "), "{errors}");
        assert!(errors.contains(r"\u{1b}[2Jbroken.png"), "{errors}");
    }
    let errors = fail(1, &["predict", &folder, "--weights", "no/\u{1b}[31m.h5"]);
    clean(errors.as_bytes());

    // Other programs get the names as they are.
    let result = run(&["predict", &folder, "--weights", &weights, "--json"]);
    let row: Value = serde_json::from_slice(&result.stdout).unwrap();
    assert!(row["path"].as_str().unwrap().ends_with(name), "{row}");
    assert!(row.get("path_bytes").is_none(), "{row}");
    assert!(fs::read_to_string(&features).unwrap().contains(name));
}

#[test]
fn paths_that_are_no_text_are_kept_as_bytes() {
    let workshop = prepare();
    let weights = workshop.text("out/base/seed-1");
    fs::create_dir(workshop.path("odd")).unwrap();
    let path = workshop.path("odd").join(OsStr::from_bytes(b"caf\xe9.png"));
    picture(&workshop.path("odd/a.png"), 1);
    fs::copy(workshop.path("odd/a.png"), &path).unwrap();
    let hexadecimal: String = path
        .as_os_str()
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let folder = workshop.text("odd");

    let output = succeed(&["predict", &folder, "--weights", &weights, "--json"]);
    let rows: Vec<Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(rows[0].get("path_bytes").is_none(), "{}", rows[0]);
    assert_eq!(rows[1]["path_bytes"], hexadecimal);
    assert!(
        rows[1]["path"].as_str().unwrap().ends_with(r"caf\xE9.png"),
        "{}",
        rows[1]
    );
    let table = succeed(&[
        "predict",
        &folder,
        "--weights",
        &weights,
        "--csv",
        "--top",
        "1",
    ]);
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].ends_with(",probability,path_bytes"), "{table}");
    assert!(lines[1].ends_with(','), "{table}");
    assert!(lines[2].ends_with(&hexadecimal), "{table}");

    let out = workshop.text("features.csv");
    succeed(&["features", &folder, "--weights", &weights, "--out", &out]);
    let table = fs::read_to_string(&out).unwrap();
    assert!(
        table.lines().nth(2).unwrap().ends_with(&hexadecimal),
        "{table}"
    );
    let out = workshop.text("features.safetensors");
    succeed(&["features", &folder, "--weights", &weights, "--out", &out]);
    let bytes = fs::read(&out).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let exact: Value =
        serde_json::from_str(header["__metadata__"]["path_bytes"].as_str().unwrap()).unwrap();
    assert_eq!(exact, serde_json::json!([null, hexadecimal]));
}

#[test]
fn no_cause_is_said_twice() {
    let workshop = prepare();
    let weights = workshop.text("out/base/seed-1");
    fs::write(workshop.path("broken.png"), b"\x89PNG\r\n\x1a\nno").unwrap();
    let broken = workshop.text("broken.png");
    for arguments in [
        vec!["predict", "a.png", "--weights", "no/such.h5"],
        vec!["predict", "no/such.png", "--weights", &weights],
        vec!["predict", &broken, "--weights", &weights],
        vec![
            "predict",
            &broken,
            "--weights",
            &weights,
            "--labels",
            "no/such.txt",
        ],
        vec!["explain", &broken, "--weights", &weights, "--out", "x.png"],
        vec!["ablate", "no/such.json"],
        vec!["report", "no/such"],
        vec!["eval", "no/such"],
        vec!["data", "verify", "cifar10:no/such"],
        vec!["data", "verify", "folder:no/such"],
        vec!["train", "--weights", "no/such.h5"],
    ] {
        let errors = fail(1, &arguments);
        for line in errors.lines() {
            let parts: Vec<_> = line.split(": ").collect();
            let twice = parts.windows(2).any(|pair| pair[0] == pair[1]);
            assert!(!twice, "{arguments:?}: {line}");
        }
    }
}
