//! Damaged files are named, with a remedy, and keep nothing else from going on.

use std::fs::{self, File};

use crate::support::{Workshop, fail, json, run, scores, succeed};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn an_ablation_goes_on_without_its_damaged_runs_and_trains_them_again_when_asked() {
    let workshop = Workshop::new();
    workshop.ablate("out");
    let whole = scores(&json(&workshop.path("out/results.json")));
    fs::write(workshop.path("out/base/seed-1/record.json"), "{").unwrap();
    fs::remove_file(workshop.path("out/base/seed-2/model.bpk")).unwrap();
    let model = workshop.path("out/no_residual/seed-2/model.bpk");
    File::options()
        .write(true)
        .open(model)
        .unwrap()
        .set_len(3000)
        .unwrap();
    fs::remove_dir_all(workshop.path("out/no_residual/seed-1")).unwrap();

    let (file, out) = (workshop.text("tiny.json"), workshop.text("out"));
    let output = run(&["ablate", &file, "--out", &out]);
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(workshop.path("out/no_residual/seed-1/model.bpk").exists());
    let summary = &errors[errors.find("is damaged and left out").unwrap()..];
    for part in [
        "record.json can't be used",
        "no residual, seed 2 is damaged and left out, in ",
        "error: 2 of 4 runs left out, damaged; to train them again",
        "--retrain damaged",
    ] {
        assert!(summary.contains(part), "{part}: {errors}");
    }
    assert_eq!(errors.matches(" is left out: ").count(), 2, "{errors}");
    // A run whose network alone isn't there has its record.
    assert!(!workshop.path("out/base/seed-2/model.bpk").exists());
    assert!(
        text(&output.stdout).contains("2 runs done in"),
        "{}",
        text(&output.stdout)
    );
    let report = fs::read_to_string(workshop.path("out/report.md")).unwrap();
    assert!(
        report.contains("Damaged and left out: base, seed 1: record.json"),
        "{report}"
    );

    let output = run(&["ablate", &file, "--out", &out, "--retrain", "damaged"]);
    let errors = text(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(
        errors.matches("trained again from the start").count(),
        3,
        "{errors}"
    );
    assert_eq!(errors.matches("was done before").count(), 1, "{errors}");
    assert_eq!(scores(&json(&workshop.path("out/results.json"))), whole);
    assert!(
        !fs::read_to_string(workshop.path("out/report.md"))
            .unwrap()
            .contains("Damaged")
    );
}

#[test]
fn a_report_shows_no_figures_of_a_damaged_record() {
    let workshop = Workshop::new();
    workshop.ablate("out");
    let record = workshop.path("out/base/seed-1/record.json");
    let whole = fs::read_to_string(&record).unwrap();
    let mut value = json(&record);
    value["epochs"][1]["test"]["top1"] = 7.5.into();
    let out = workshop.text("out");
    for (content, part) in [
        ("{".to_owned(), "record.json can't be used: EOF"),
        (
            value.to_string(),
            "has a test top-1 accuracy of 7.5, which is not from 0 to 1 in epoch 2",
        ),
        (whole.replacen("\"steps\": 5", "\"steps\": -5", 1), "-5"),
        (
            whole.replacen("\"images\": 100", "\"images\": 101", 1),
            "101 training images",
        ),
    ] {
        fs::write(&record, content).unwrap();
        let output = run(&["report", &out]);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(
            errors.contains("warning: base, seed 1 is damaged"),
            "{errors}"
        );
        assert!(errors.contains(part), "{part}: {errors}");
        assert!(
            errors.contains("error: 1 of 4 runs can't be read"),
            "{errors}"
        );
        assert!(
            text(&output.stdout).contains("1 of 2"),
            "{}",
            text(&output.stdout)
        );
        let rows = fs::read_to_string(workshop.path("out/results.csv")).unwrap();
        assert_eq!(
            rows.lines()
                .filter(|row| row.starts_with("base,1,"))
                .count(),
            0
        );
        assert_eq!(rows.lines().count(), 1 + 3 * 3);
    }
    fs::write(&record, whole).unwrap();
    succeed(&["report", &out]);
    let rows = fs::read_to_string(workshop.path("out/results.csv")).unwrap();
    assert_eq!(rows.lines().count(), 1 + 4 * 3);
}

#[test]
fn a_report_needs_no_results_and_can_do_without_runs() {
    let workshop = Workshop::new();
    workshop.ablate("out");
    let results = fs::read(workshop.path("out/results.json")).unwrap();
    fs::write(workshop.path("out/results.json"), "{}").unwrap();
    let out = workshop.text("out");
    succeed(&["report", &out]);
    assert_eq!(
        fs::read(workshop.path("out/results.json")).unwrap(),
        results
    );

    // As earlier versions left it.
    fs::remove_file(workshop.path("out/ablation.json")).unwrap();
    let output = run(&["report", &out]);
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(
        fs::read(workshop.path("out/results.json")).unwrap(),
        results
    );

    // The report alone.
    for variant in ["base", "no_residual"] {
        fs::remove_dir_all(workshop.path("out").join(variant)).unwrap();
    }
    let output = run(&["report", &out]);
    let errors = text(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(errors.contains("no folders of runs"), "{errors}");
    assert_eq!(
        fs::read(workshop.path("out/results.json")).unwrap(),
        results
    );

    fs::remove_file(workshop.path("out/results.json")).unwrap();
    let errors = fail(1, &["report", &out]);
    assert!(
        errors.contains("has neither an ablation nor a run"),
        "{errors}"
    );
    fs::write(workshop.path("out/ablation.json"), "{").unwrap();
    let errors = fail(1, &["report", &out]);
    assert!(
        errors.contains("ablation.json can't be used")
            && errors.contains("start the ablation again"),
        "{errors}"
    );
}

#[test]
fn train_names_the_remedy_for_a_damaged_run() {
    let workshop = Workshop::new();
    let base = json(&workshop.path("tiny.json"))["base"].to_string();
    fs::write(workshop.path("run.json"), base).unwrap();
    let (file, out) = (workshop.text("run.json"), workshop.text("run"));
    let arguments = ["train", &file, "--out", &out, "--set", "recipe.epochs=1"];
    assert!(succeed(&arguments).contains("after 1 epoch: test loss"));
    fs::write(workshop.path("run/record.json"), "").unwrap();
    let errors = fail(1, &arguments);
    assert!(errors.contains("record.json can't be used"), "{errors}");
    assert!(errors.contains("--retrain damaged"), "{errors}");
    let output = run(&[&arguments[..], &["--retrain", "damaged"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));

    fs::remove_file(workshop.path("run/model.bpk")).unwrap();
    for command in ["eval", "convert"] {
        let to = workshop.text("x.safetensors");
        let more: &[&str] = if command == "convert" { &[&to] } else { &[] };
        let errors = fail(1, &[&[command, out.as_str()], more].concat());
        assert!(
            errors.contains("the run is finished, but model.bpk is missing"),
            "{errors}"
        );
        assert!(errors.contains("--retrain damaged"), "{errors}");
    }
}

#[test]
fn a_run_that_diverged_is_named_by_eval() {
    let workshop = Workshop::new();
    let base = json(&workshop.path("tiny.json"))["base"].to_string();
    fs::write(workshop.path("run.json"), base).unwrap();
    let (file, out) = (workshop.text("run.json"), workshop.text("run"));
    let rate = "recipe.learning_rate=1e30";
    let errors = fail(1, &["train", &file, "--out", &out, "--set", rate]);
    assert!(errors.contains("lower recipe.learning_rate"), "{errors}");
    let output = run(&["eval", &out, "--json"]);
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("diverged in epoch 1"), "{errors}");
    assert!(errors.contains("for 50 of 50 images"), "{errors}");
    serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap();
    fs::remove_file(workshop.path("run/model.bpk")).unwrap();
    let errors = fail(1, &["eval", &out]);
    assert!(
        errors.contains("diverged in epoch 1") && errors.contains("model.bpk is missing"),
        "{errors}"
    );
}

#[test]
fn a_batch_larger_than_the_data_is_told_once() {
    let workshop = Workshop::new();
    let base = json(&workshop.path("tiny.json"))["base"].to_string();
    fs::write(workshop.path("run.json"), base).unwrap();
    let (file, out) = (workshop.text("run.json"), workshop.text("run"));
    let few = "data.train_images=10";
    let output = run(&["train", &file, "--out", &out, "--set", few]);
    let errors = text(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(
        errors.matches("recipe.batch_size is 20").count(),
        1,
        "{errors}"
    );
    assert!(errors.contains("only 10 training images"), "{errors}");
    assert_eq!(
        json(&workshop.path("run/record.json"))["epochs"][0]["steps"],
        1
    );
    let file = workshop.text("tiny.json");
    let output = run(&["ablate", &file, "--plan", "--set", few]);
    let errors = text(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(errors.contains("base: recipe.batch_size is 20"), "{errors}");
}
