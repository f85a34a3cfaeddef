//! An ablation from end to end.

use std::fs;

use crate::support::{Workshop, fail, json, run, scores, succeed};

#[test]
fn a_tiny_ablation_leaves_a_report() {
    let workshop = Workshop::new();
    let output = workshop.ablate("out");
    assert!(
        output.contains("2 variants x 2 seeds (1, 2) = 4 runs of 3 epochs"),
        "{output}"
    );
    assert!(output.contains("no residual"), "{output}");
    for part in [
        "Of 1 claim, the measurement ",
        "paired, 2 seeds",
        "p (Holm)",
    ] {
        assert!(output.contains(part), "{part}: {output}");
    }

    let results = json(&workshop.path("out/results.json"));
    let all = scores(&results);
    assert_eq!(all.len(), 2 * 2 * 3);
    let csv = fs::read_to_string(workshop.path("out/results.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 2 * 2 * 3);
    let page = fs::read_to_string(workshop.path("out/report.html")).unwrap();
    for part in [
        "<svg",
        "no residual",
        "figure 9",
        "Residual connections help.",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let outside = ["http://", "https://"].map(|scheme| format!("src=\"{scheme}"));
    assert!(!outside.iter().any(|link| page.contains(link)));
    assert!(
        fs::read_to_string(workshop.path("out/report.md"))
            .unwrap()
            .contains("no residual")
    );

    // What a run is stands beside what it gave.
    let manifest = json(&workshop.path("out/base/seed-2/run.json"));
    assert_eq!(manifest["seed"], 2);
    assert_eq!(manifest["config"]["model"]["xception"]["classes"], 10);
    assert_eq!(manifest["environment"]["backend"], "flex");
    assert!(workshop.path("out/base/seed-2/model.bpk").exists());
    assert!(!workshop.path("out/base/seed-2/checkpoint").exists());
}

#[test]
fn the_same_ablation_gives_the_same_numbers() {
    let workshop = Workshop::new();
    workshop.ablate("one");
    workshop.ablate("two");
    let scores = |name: &str| scores(&json(&workshop.path(name).join("results.json")));
    assert_eq!(scores("one"), scores("two"));
}

#[test]
fn a_second_start_skips_what_is_done() {
    let workshop = Workshop::new();
    workshop.ablate("out");
    let record = workshop.path("out/base/seed-1/record.json");
    let before = fs::metadata(&record).unwrap().modified().unwrap();
    let (file, out) = (workshop.text("tiny.json"), workshop.text("out"));
    let output = run(&["ablate", &file, "--out", &out]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors.matches("was done before").count(), 4, "{errors}");
    assert_eq!(fs::metadata(&record).unwrap().modified().unwrap(), before);
}

#[test]
fn a_report_made_again_is_the_same() {
    let workshop = Workshop::new();
    workshop.ablate("out");
    let names = ["report.html", "report.md", "results.json", "results.csv"];
    let read = || names.map(|name| fs::read(workshop.path("out").join(name)).unwrap());
    let before = read();
    fs::remove_file(workshop.path("out/report.html")).unwrap();
    let output = succeed(&["report", &workshop.text("out")]);
    assert!(output.contains("report.html"), "{output}");
    assert_eq!(read(), before);
}

#[test]
fn mosaics_are_scored_by_their_average_precision() {
    let workshop = Workshop::new();
    let mosaic = r#""test_images": 50, "mosaic": {"labels": 2}}"#;
    let file = workshop.changed(r#""test_images": 50}"#, mosaic);
    let changed = fs::read_to_string(&file).unwrap();
    fs::write(&file, changed.replace("final_top1", "final_map100")).unwrap();
    let out = workshop.text("out");
    let output = succeed(&["ablate", &file, "--out", &out]);
    assert!(output.contains("MAP@100"), "{output}");
    assert!(output.contains("final test MAP@100"), "{output}");
    for (file, part) in [
        ("report.html", "Test MAP@100"),
        ("report.md", "MAP@100 (%)"),
    ] {
        let text = fs::read_to_string(workshop.path("out").join(file)).unwrap();
        assert!(text.contains(part), "{file}");
    }
    let results = json(&workshop.path("out/results.json"));
    assert_eq!(results["record"]["data"]["labels"], 2);
    let last = &results["record"]["variants"][0]["runs"][0]["epochs"][2]["test"];
    let folder = workshop.text("out/base/seed-1");
    let scores = succeed(&["eval", &folder, "--json"]);
    let scores: serde_json::Value = serde_json::from_str(&scores).unwrap();
    assert_eq!(scores["images"], 12); // of 50 images, 4 a mosaic
    assert_eq!(scores["map100"], last["map100"]);
    let error = fail(1, &["eval", &folder, "--out", &workshop.text("confusion")]);
    assert!(error.contains("a set of classes"), "{error}");
}

#[test]
fn eval_gives_the_scores_of_the_last_epoch() {
    let workshop = Workshop::new();
    workshop.ablate("out");
    let results = json(&workshop.path("out/results.json"));
    let last = &results["record"]["variants"][0]["runs"][0]["epochs"][2]["test"];
    let folder = workshop.text("out/base/seed-1");
    for backend in ["flex", "ndarray"] {
        let output = succeed(&["eval", &folder, "--json", "--backend", backend]);
        let scores: serde_json::Value = serde_json::from_str(&output).unwrap();
        assert_eq!(scores["images"], 50);
        assert_eq!(scores["top1"], last["top1"], "{backend}");
        let (found, expected) = (scores["loss"].as_f64(), last["loss"].as_f64());
        let (found, expected) = (found.unwrap(), expected.unwrap());
        assert!(
            (found - expected).abs() < 1e-4 * expected,
            "{backend}: {found} {expected}"
        );
    }
}
