//! Bad input gets a clear error and exit code, and nothing is lost.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;

use crate::support::{Workshop, fail, json};

#[test]
fn a_mistake_in_a_file_has_line_column_and_the_nearest_name() {
    let workshop = Workshop::new();
    let cases = [
        (
            r#""middle_modules""#,
            r#""midle_modules""#,
            "5:43",
            "did you mean `middle_modules`?",
        ),
        (
            r#""small""#,
            r#""tiny""#,
            "5:64",
            "`standard`, `small` or `small_pooled`",
        ),
        (
            r#""epochs": 3"#,
            r#""epochs": 0"#,
            "7:16",
            "has to be from 1 to 1000000",
        ),
        (
            r#""epochs": 3"#,
            r#""epochs": -1"#,
            "7:16",
            "has to be a whole number, 0 or more",
        ),
        (r#""seeds""#, r#""seed""#, "13:3", "did you mean `seeds`?"),
        (r#""title""#, r#""title" 3"#, "2:11", "not valid JSON"),
        (
            r#"residual": false"#,
            r#"residual": "no""#,
            "",
            "is \"no\", but has to be `true` or `false`",
        ),
        (
            r#""worse": "no residual""#,
            r#""worse": "none""#,
            "",
            "the variants are base; no residual",
        ),
        (
            r#""width": 0.05"#,
            r#""width": 0"#,
            "",
            "more than 0 and at most 16",
        ),
        (
            r#""train_images": 100"#,
            r#""train_images": 5000"#,
            "",
            "5000",
        ),
        (
            r#""train_images": 100"#,
            r#""train_images": 1"#,
            "",
            "is 1, but has to be at least 2",
        ),
        (
            r#""source": "embedded""#,
            r#""source": "imagenet:x""#,
            "",
            "cifar10:DIR",
        ),
    ];
    for (from, to, place, part) in cases {
        let file = workshop.changed(from, to);
        let errors = fail(1, &["ablate", &file, "--plan"]);
        assert!(errors.contains(part), "{to}: {errors}");
        assert!(
            errors.contains(&format!("changed.json:{place}")) || place.is_empty(),
            "{to}: {errors}"
        );
    }
}

#[test]
fn options_out_of_range_are_refused() {
    let workshop = Workshop::new();
    let file = workshop.text("tiny.json");
    let errors = fail(
        1,
        &["ablate", &file, "--plan", "--set", "recipe.batch_size=1"],
    );
    assert!(
        errors.contains("recipe.batch_size=1") && errors.contains("from 2 to 1000000 (batch"),
        "{errors}"
    );
    let errors = fail(2, &["ablate", &file, "--set", "recipe.batch_size"]);
    assert!(errors.contains("path=value"), "{errors}");
    let errors = fail(2, &["ablate", &file, "--backend", "tpu"]);
    assert!(errors.contains("flex, ndarray"), "{errors}");
    let errors = fail(1, &["ablate", &file, "--backend", "flex:3"]);
    assert!(errors.contains("no device 3"), "{errors}");
    let errors = fail(1, &["summary", "xcepton"]);
    assert!(errors.contains("did you mean `xception`?"), "{errors}");
    let errors = fail(1, &["summary", "inception_v3", "--size", "32"]);
    assert!(
        errors.contains("32 x 32") && errors.contains("75 x 75"),
        "{errors}"
    );
    fail(2, &["summary", "xception", "--size", "0"]);
}

#[test]
fn missing_files_are_named() {
    let errors = fail(1, &["ablate", "no/such.json"]);
    assert!(errors.contains("can't read no/such.json"), "{errors}");
    let errors = fail(1, &["eval", "no/such/run"]);
    assert!(errors.contains("no/such/run"), "{errors}");
    let errors = fail(1, &["report", "no/such/folder"]);
    assert!(errors.contains("no/such/folder"), "{errors}");
    let errors = fail(1, &["data", "verify", "cifar10:no/such/folder"]);
    assert!(
        errors.contains("no/such/folder") && errors.contains("xception data fetch"),
        "{errors}"
    );
}

#[test]
fn truncated_data_is_an_error_with_sizes() {
    let workshop = Workshop::new();
    for batch in 1..=5 {
        let file = File::create(workshop.path(&format!("data_batch_{batch}.bin"))).unwrap();
        file.set_len(30_730_000).unwrap();
    }
    fs::write(workshop.path("test_batch.bin"), [0; 1000]).unwrap();
    let errors = fail(
        1,
        &["data", "verify", &format!("cifar10:{}", workshop.text(""))],
    );
    let plain = errors.replace(',', "");
    assert!(plain.contains("test_batch.bin"), "{errors}");
    assert!(
        plain.contains("1000") && plain.contains("30730000"),
        "{errors}"
    );
}

#[test]
fn a_folder_in_use_is_refused() {
    let workshop = Workshop::new();
    fs::create_dir(workshop.path("out")).unwrap();
    let lock = File::create(workshop.path("out/.lock")).unwrap();
    lock.lock().unwrap();
    let (file, out) = (workshop.text("tiny.json"), workshop.text("out"));
    let errors = fail(1, &["ablate", &file, "--out", &out]);
    assert!(errors.contains("in use by another process"), "{errors}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let workshop = Workshop::new();
    fs::write(workshop.path("file"), "").unwrap();
    let (file, out) = (workshop.text("tiny.json"), workshop.text("file/out"));
    let errors = fail(1, &["ablate", &file, "--out", &out]);
    assert!(errors.contains("file/out"), "{errors}");

    fs::create_dir(workshop.path("closed")).unwrap();
    let closed = fs::Permissions::from_mode(0o555);
    fs::set_permissions(workshop.path("closed"), closed).unwrap();
    if File::create(workshop.path("closed/probe")).is_ok() {
        return; // whoever runs this test may write everywhere
    }
    let errors = fail(1, &["ablate", &file, "--out", &workshop.text("closed/out")]);
    assert!(errors.contains("closed/out"), "{errors}");
}

#[test]
fn another_configuration_does_not_overwrite_an_ablation() {
    let workshop = Workshop::new();
    workshop.ablate("out");
    let results = json(&workshop.path("out/results.json"));
    let (file, out) = (workshop.text("tiny.json"), workshop.text("out"));
    let errors = fail(
        1,
        &[
            "ablate",
            &file,
            "--out",
            &out,
            "--set",
            "recipe.learning_rate=0.2",
        ],
    );
    assert!(
        errors.contains("`config.recipe.learning_rate` is 0.05 there, 0.2 here"),
        "{errors}"
    );
    assert_eq!(json(&workshop.path("out/results.json")), results);
}
