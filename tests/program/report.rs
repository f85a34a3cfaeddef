//! `xception report`: what a report says of its runs, and several ablations on one page.

use std::fs;
use std::path::Path;

use crate::support::{Workshop, fail, json, succeed};

/// The tiny ablation with a piece replaced, trained into a folder.
fn ablate_changed(workshop: &Workshop, from: &str, to: &str, out: &str) -> String {
    let (file, out) = (workshop.changed(from, to), workshop.text(out));
    succeed(&["ablate", &file, "--out", &out]);
    out
}

#[test]
fn runs_have_their_program_and_data_and_the_chosen_epoch() {
    let workshop = Workshop::new();
    let with_validation = r#""test_images": 50, "validation_images": 20}"#;
    let out = ablate_changed(&workshop, r#""test_images": 50}"#, with_validation, "out");
    let results = json(&Path::new(&out).join("results.json"));
    let manifest = json(&Path::new(&out).join("base/seed-1/run.json"));
    let variant = &results["record"]["variants"][0];
    let origin = &variant["runs"][0]["origin"];
    let program = origin["program_sha256"].as_str().unwrap();
    assert_eq!(program.len(), 64);
    assert_eq!(manifest["environment"]["program_sha256"], program);
    assert_eq!(origin["data_sha256"], manifest["data"]["sha256"]);
    let setting = serde_json::json!(["model.xception.residual", "true"]);
    assert!(variant["settings"].as_array().unwrap().contains(&setting));
    assert!(results["summary"]["rows"][0]["chosen_top1"]["mean"].is_number());
    let page = fs::read_to_string(Path::new(&out).join("report.html")).unwrap();
    let markdown = fs::read_to_string(Path::new(&out).join("report.md")).unwrap();
    for text in [&page, &markdown] {
        assert!(text.contains("Chosen") && text.contains(&program[..12]));
    }
    // Nothing in it depends on when it is made.
    succeed(&["report", &out]);
    assert_eq!(
        fs::read_to_string(Path::new(&out).join("report.html")).unwrap(),
        page
    );
    let copy = workshop.text("copy");
    succeed(&["report", &out, "--out", &copy]);
    assert_eq!(
        fs::read_to_string(Path::new(&copy).join("report.html")).unwrap(),
        page
    );
}

#[test]
fn several_ablations_are_one_page() {
    let workshop = Workshop::new();
    workshop.ablate("first");
    let first = workshop.text("first");
    let same = ablate_changed(&workshop, r#""dropout": 0.2"#, r#""dropout": 0.1"#, "same");
    let faster = ablate_changed(
        &workshop,
        r#""learning_rate": 0.05"#,
        r#""learning_rate": 0.1"#,
        "faster",
    );
    let out = workshop.text("page");
    let arguments = ["report", &first, &same, &faster, "--out", &out];
    let output = succeed(&arguments);
    assert!(output.contains("comparison.html"), "{output}");
    let notice = "recipe.learning_rate is 0.1, not 0.05";
    assert!(output.contains(notice), "{output}");
    let read = || {
        ["comparison.html", "comparison.json"]
            .map(|file| fs::read_to_string(Path::new(&out).join(file)).unwrap())
    };
    let [page, _] = read();
    // The second and the third are of one name: the file's.
    for part in [
        "tiny",
        "same: base",
        "faster: no residual",
        notice,
        "same: what is claimed",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let rows = json(&workshop.path("page/comparison.json"))["summary"]["rows"].clone();
    // Another network is compared, another recipe is not.
    assert!(rows[2]["final_difference"].is_object() && rows[4]["final_difference"].is_null());
    let before = read();
    succeed(&arguments);
    assert_eq!(read(), before);
}

#[test]
fn what_can_not_be_compared_is_said() {
    let workshop = Workshop::new();
    workshop.ablate("first");
    let first = workshop.text("first");
    let again = format!("{first}/../first");
    let errors = fail(1, &["report", &first, &again]);
    assert!(
        errors.contains("are the same folder: name each study once"),
        "{errors}"
    );
    let errors = fail(1, &["report", &first, "no/such"]);
    assert!(
        errors.contains("no/such has neither an ablation nor a run"),
        "{errors}"
    );
    let fewer = ablate_changed(
        &workshop,
        r#""test_images": 50"#,
        r#""test_images": 40"#,
        "fewer",
    );
    let errors = fail(1, &["report", &first, &fewer]);
    assert!(errors.contains("have different data"), "{errors}");
    assert!(!Path::new("runs/comparison").exists());
    fail(2, &["report"]);
}

/// The files of a run, trained by itself, of the tiny ablation's base.
fn train(workshop: &Workshop, seed: &str, rate: &str, out: &str) -> String {
    let config = r#"{
        "model": {"xception": {"width": 0.05, "middle_modules": 1, "stem": "small"}},
        "data": {"train_images": 100, "test_images": 50},
        "recipe": {"epochs": 2, "batch_size": 20}
    }"#;
    fs::write(workshop.path("run.json"), config).unwrap();
    let (file, rate) = (
        workshop.text("run.json"),
        format!("recipe.learning_rate={rate}"),
    );
    let folder = workshop.text(out);
    succeed(&[
        "train", &file, "--seed", seed, "--set", &rate, "--out", &folder,
    ]);
    folder
}

#[test]
fn runs_that_were_trained_by_themselves_have_a_report() {
    let workshop = Workshop::new();
    train(&workshop, "1", "0.05", "slow/seed-1");
    train(&workshop, "2", "0.05", "slow/seed-2");
    let fast = train(&workshop, "1", "0.1", "fast");
    let slow = workshop.text("slow");
    let output = succeed(&["report", &slow]);
    let row = output
        .lines()
        .find(|line| line.starts_with("slow "))
        .unwrap();
    assert!(row.ends_with(" 2"), "{output}"); // runs
    let record = &json(&workshop.path("slow/results.json"))["record"];
    assert_eq!(record["seeds"], serde_json::json!([1, 2]));
    let run = json(&workshop.path("slow/seed-2/record.json"));
    assert_eq!(record["variants"][0]["runs"][1]["epochs"], run["epochs"]);
    // With the report beside the runs, it is still made from the runs.
    assert_eq!(succeed(&["report", &slow]), output);

    let page = workshop.text("page");
    let one = workshop.text("slow/seed-1");
    let output = succeed(&["report", &one, &fast, "--out", &page]);
    assert!(output.contains("slow, seed-1"), "{output}");
    assert!(
        output.contains("recipe.learning_rate is 0.1, not 0.05"),
        "{output}"
    );

    train(&workshop, "3", "0.2", "slow/seed-3");
    let errors = fail(1, &["report", &slow]);
    assert!(
        errors.contains("seed-3 can't be used: it is a run of another configuration"),
        "{errors}"
    );
}
