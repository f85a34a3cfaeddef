//! Figures that aren't there: of runs that diverged, and of no images.

use std::fs;

use serde_json::Value;

use crate::support::{Workshop, json, run};

const RUN: &str = r#"{
  "model": {"xception": {"width": 0.05, "middle_modules": 1, "stem": "small"}},
  "data": {"source": "embedded", "train_images": 100, "test_images": 50},
  "recipe": {"epochs": 3, "batch_size": 20, "learning_rate": 1e30}
}"#;

#[test]
fn a_diverged_variant_says_so_everywhere() {
    let workshop = Workshop::new();
    let setting = r#""set": {"recipe.learning_rate": 1e30}"#;
    let file = workshop.changed(r#""set": {"model.xception.residual": false}"#, setting);
    let out = workshop.text("out");
    let output = run(&["ablate", &file, "--out", &out, "--display", "lines"]);
    assert!(output.status.success());
    let (table, lines) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(table.contains("2 of 2 runs diverged"), "{table}");
    assert!(table.contains("0 of 2, 2 diverged"), "{table}");
    assert!(lines.contains("epoch 1/3: diverged"), "{lines}");
    let [html, markdown] = ["report.html", "report.md"]
        .map(|name| fs::read_to_string(workshop.path("out").join(name)).unwrap());
    assert!(html.contains("2 of 2 runs diverged"));
    assert!(markdown.contains("| 2 of 2 runs diverged | – |"));
    for text in [&table, &lines, &html, &markdown] {
        assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
    }
}

#[test]
fn a_diverged_run_says_so_and_predicts_nothing() {
    let workshop = Workshop::new();
    fs::write(workshop.path("run.json"), RUN).unwrap();
    let (file, out) = (workshop.text("run.json"), workshop.text("run"));
    let output = run(&["train", &file, "--out", &out, "--display", "lines"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("diverged in epoch 1 of 3"), "{text}");
    assert!(!text.contains("NaN"), "{text}");

    let matrix = workshop.text("scores");
    let output = run(&["eval", &out, "--out", &matrix]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("50 test images: loss not finite"), "{text}");
    assert!(text.contains("its training diverged"), "{text}");
    assert!(text.contains("without a prediction"), "{text}");
    assert!(!text.contains("NaN"), "{text}");
    let scores = json(&workshop.path("scores/scores.json"));
    assert_eq!(scores["scores"]["top1"], 0.0);
    let table = fs::read_to_string(workshop.path("scores/confusion.csv")).unwrap();
    assert!(table.lines().next().unwrap().ends_with(",no prediction"));
    let output = run(&["eval", &out, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let output: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        output["loss"].is_null() && output["top1"] == 0.0,
        "{output}"
    );
}

#[test]
fn scores_of_no_images_are_an_error() {
    let workshop = Workshop::new();
    workshop.ablate("out");
    fs::create_dir_all(workshop.path("photos/cat")).unwrap();
    fs::write(workshop.path("photos/cat/broken.jpg"), "no").unwrap();
    let (photos, weights) = (workshop.text("photos"), workshop.text("out/base/seed-1"));
    for more in [&[][..], &["--json"]] {
        let arguments = [&["eval", &photos, "--weights", &weights], more].concat();
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains("1 of 1 images"), "{errors}");
    }
}
