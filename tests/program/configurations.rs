//! A configuration is checked when it is read, before anything is written.

use std::fs;

use crate::support::{Workshop, fail, succeed};

/// A run that takes seconds, with something in its data.
fn run(data: &str) -> String {
    format!(
        r#"{{
  "model": {{"xception": {{"width": 0.05, "middle_modules": 1, "stem": "small"}}}},
  "data": {{"source": "embedded", "train_images": 40, "test_images": 20{data}}},
  "recipe": {{"epochs": 1, "batch_size": 20}}
}}"#
    )
}

#[test]
fn a_key_that_is_there_twice_is_refused() {
    let workshop = Workshop::new();
    let twice = r#""epochs": 3, "epochs": 30"#;
    let file = workshop.changed(r#""epochs": 3"#, twice);
    let errors = fail(1, &["ablate", &file, "--plan"]);
    let expected = "changed.json:7:29: `base.recipe.epochs`: the key is there twice, first at line 7, column 16";
    assert!(errors.contains(expected), "{errors}");
    let twice = r#"recipe={"epochs": 1, "epochs": 2}"#;
    let errors = fail(2, &["ablate", &workshop.text("tiny.json"), "--set", twice]);
    assert!(errors.contains("`epochs` is there twice"), "{errors}");
}

#[test]
fn nothing_of_a_file_reaches_the_terminal_raw() {
    let workshop = Workshop::new();
    let raw = r"\u001b]0;owned\u0007\u009b2J";
    for (from, to) in [
        (r#""Tiny""#, format!("\"{raw}\"")),
        (r#""embedded""#, format!("\"{raw}\"")),
        (r#""seeds""#, format!("\"{raw}\"")),
        (r#""name": "base""#, format!("\"name\": \"{raw}\"")),
        (r#""set""#, format!("\"{raw}\"")),
        (r#""final_top1""#, format!("\"{raw}\"")),
        (
            r#""final_top1""#,
            "\"final\u{9b}2J\u{202e}top1\"".to_owned(),
        ),
    ] {
        let file = workshop.changed(from, &to);
        let errors = fail(1, &["ablate", &file, "--plan"]);
        let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!errors.contains(steers), "{to}: {errors:?}");
        assert!(errors.contains("has a control character"), "{to}: {errors}");
    }
}

#[test]
fn names_in_other_alphabets_have_folders_of_their_own() {
    let workshop = Workshop::new();
    let text = fs::read_to_string(workshop.path("tiny.json")).unwrap();
    let text = text.replace("no residual", "ohne Rückweg");
    let text = text.replace(r#"e": "base""#, r#"e": "大""#);
    let text = text.replace(r#"r": "base""#, r#"r": "大""#);
    let text = text
        .replace("[1, 2]", "[1]")
        .replace("\"epochs\": 3", "\"epochs\": 1");
    fs::write(workshop.path("names.json"), text).unwrap();
    let (file, out) = (workshop.text("names.json"), workshop.text("out"));
    succeed(&["ablate", &file, "--out", &out]);
    for folder in ["大", "ohne_Rückweg"] {
        assert!(
            workshop
                .path("out")
                .join(folder)
                .join("seed-1/model.bpk")
                .exists(),
            "{folder}"
        );
    }
}

#[test]
fn padding_and_classes_that_do_not_fit_are_found_before_anything_is_written() {
    let workshop = Workshop::new();
    let pictures = format!("{}/tests/no-such-folder", workshop.text(""));
    let cases = [
        (
            run(r#", "augmentation": {"crop_padding": 32}"#),
            "3:90: `data.augmentation.crop_padding`: crop padding 32",
        ),
        (
            run("").replace(r#""stem": "small""#, r#""classes": 1000"#),
            "the model has 1000 classes, but the data has 10",
        ),
        (
            run("").replace("embedded", &format!("folder:{pictures}")),
            "no-such-folder",
        ),
    ];
    for (text, part) in cases {
        fs::write(workshop.path("run.json"), text).unwrap();
        let (file, out) = (workshop.text("run.json"), workshop.text("out"));
        let errors = fail(1, &["train", &file, "--out", &out]);
        assert!(errors.contains(part), "{errors}");
        assert!(!workshop.path("out").exists(), "{errors}");
    }
    let file = workshop.changed(r#""stem": "small""#, r#""classes": 1000"#);
    let errors = fail(1, &["ablate", &file, "--plan"]);
    assert!(
        errors.contains("the model has 1000 classes, but the data has 10"),
        "{errors}"
    );
}

#[test]
fn every_shipped_file_can_be_made_shorter() {
    for file in [
        "quick",
        "residual",
        "intermediate-activation",
        "families",
        "kernels",
    ] {
        let file = format!("configs/ablations/{file}.json");
        let plan = succeed(&["ablate", &file, "--plan", "--set", "recipe.epochs=1"]);
        assert!(plan.contains("runs of 1 epoch"), "{file}: {plan}");
    }
}

#[test]
fn a_run_shorter_than_its_warmup_ends_at_the_full_rate() {
    let workshop = Workshop::new();
    let text = run("").replace(
        r#""batch_size": 20}"#,
        r#""batch_size": 20, "schedule": {"cosine": {"warmup_epochs": 5}}}"#,
    );
    fs::write(workshop.path("run.json"), text).unwrap();
    let (file, out) = (workshop.text("run.json"), workshop.text("out"));
    succeed(&["train", &file, "--out", &out]);
    let record = crate::support::json(&workshop.path("out/record.json"));
    assert_eq!(record["epochs"][0]["learning_rate"], 0.05);
}

#[test]
fn an_ablation_of_too_many_runs_is_refused_before_it_is_made() {
    let workshop = Workshop::new();
    let list = |count: usize| serde_json::json!((1..=count).collect::<Vec<_>>()).to_string();
    let axes = [
        ("recipe.batch_size", 399),
        ("data.train_images", 400),
        ("model.xception.middle_modules", 100),
    ];
    let axes =
        axes.map(|(path, count)| format!(r#"{{"path": "{path}", "values": {}}}"#, list(count)));
    let text = fs::read_to_string(workshop.path("tiny.json")).unwrap();
    let start = text.find("\"variants\"").unwrap();
    let end = text.find("\"seeds\"").unwrap();
    let text = format!(
        "{}\"axes\": [{}], {}",
        &text[..start],
        axes.join(", "),
        &text[end..]
    );
    fs::write(workshop.path("grid.json"), text).unwrap();
    let errors = fail(1, &["ablate", &workshop.text("grid.json"), "--plan"]);
    let expected = "grid.json:9:3: `axes`: 399 x 400 x 100 variants with 2 seeds are 31920000 runs, but an ablation \
                    may have at most 10000";
    assert!(errors.contains(expected), "{errors}");
}

#[test]
fn files_of_other_encodings() {
    let workshop = Workshop::new();
    let text = fs::read_to_string(workshop.path("tiny.json")).unwrap();
    fs::write(workshop.path("mark.json"), format!("\u{feff}{text}")).unwrap();
    succeed(&["ablate", &workshop.text("mark.json"), "--plan"]);
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&[0xff, 0xfe], utf16.as_slice()].concat();
    let latin1 = text.replace("Tiny", "T#ny").into_bytes();
    let latin1: Vec<u8> = latin1
        .into_iter()
        .map(|b| if b == b'#' { 0xed } else { b })
        .collect();
    for (bytes, part) in [
        (marked, "it looks like UTF-16"),
        (latin1, "file.json:2:14: not text in UTF-8"),
    ] {
        fs::write(workshop.path("file.json"), bytes).unwrap();
        let errors = fail(1, &["ablate", &workshop.text("file.json"), "--plan"]);
        assert!(
            errors.contains(part) && errors.contains("save the file as UTF-8"),
            "{errors}"
        );
    }
}
