//! The commands that don't train, and `train`.

use std::fs;

use serde_json::Value;

use crate::support::{Workshop, fail, json, succeed};

#[test]
fn help_teaches_with_examples() {
    let help = succeed(&["--help"]);
    let commands = [
        "ablate",
        "train",
        "eval",
        "report",
        "summary",
        "draw",
        "bench",
        "predict",
        "features",
        "explain",
        "convert",
        "devices",
        "serve",
        "data",
        "weights",
        "completions",
    ];
    for command in commands {
        assert!(help.contains(command), "{command}");
        let help = succeed(&[command, "--help"]);
        let teaches = help.contains("Example") || command == "devices";
        assert!(teaches, "{command}");
    }
    assert!(succeed(&["--version"]).starts_with("xception 0."));
}

#[test]
fn summary_counts_the_papers_parameters() {
    let text = succeed(&["summary", "xception", "--size", "71"]);
    assert!(
        text.contains("22,855,952") && text.contains("block14"),
        "{text}"
    );
    let text = succeed(&["summary", "--json", "--size", "75"]);
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
    let count = |name: &str| {
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        row["parameters"].as_u64().unwrap()
    };
    let counts = [
        ("xception", 22_855_952),
        ("xception41", 26_969_560),
        ("xception65", 39_916_312),
        ("xception71", 42_338_736),
        ("inception_v3", 23_834_568),
        ("resnet18", 11_689_512),
        ("resnet34", 21_797_672),
        ("resnet50", 25_557_032),
        ("resnet101", 44_549_160),
        ("resnet152", 60_192_808),
        ("resnext50_32x4d", 25_028_904),
        ("shufflenet_v1", 1_865_728),
    ];
    for (name, expected) in counts {
        assert_eq!(count(name), expected, "{name}");
    }
}

#[test]
fn a_complexity_chooses_the_width() {
    let arguments = [
        "summary",
        "xception",
        "--json",
        "--size",
        "32",
        "--set",
        "model.xception.stem=small",
        "--set",
        "model.xception.segments=8",
        "--set",
    ];
    for (complexity, key) in [
        ("complexity.parameters=2000000", "parameters"),
        ("complexity.multiply_adds=50000000", "multiply_adds"),
    ] {
        let text = succeed(&[&arguments[..], &[complexity]].concat());
        let summary: Value = serde_json::from_str(&text).unwrap();
        let stages = summary["stages"].as_array().unwrap();
        let total: u64 = stages
            .iter()
            .map(|stage| stage[key].as_u64().unwrap())
            .sum();
        let (_, wanted) = complexity.split_once('=').unwrap();
        let wanted: f64 = wanted.parse().unwrap();
        assert!(
            (total as f64 / wanted - 1.0).abs() <= 0.01,
            "{complexity}: {total}"
        );
    }
    let errors = fail(
        1,
        &[&arguments[..], &["complexity.parameters=1000"]].concat(),
    );
    assert!(
        errors.contains("no width gives xception 1,000 parameters within 1 %"),
        "{errors}"
    );
}

#[test]
fn summary_takes_changes_and_files() {
    let text = succeed(&[
        "summary",
        "xception",
        "--size",
        "71",
        "--set",
        "model.xception.residual=false",
    ]);
    assert!(!text.contains("22,855,952"), "{text}");
    let text = succeed(&[
        "summary",
        "configs/models/xception-small.json",
        "--size",
        "32",
    ]);
    assert!(text.contains("3 x 32 x 32"), "{text}");
}

#[test]
fn devices_lists_what_is_built_and_what_brings_the_rest() {
    let text = succeed(&["devices"]);
    assert!(
        text.contains("flex") && text.contains("Flex(Cpu)"),
        "{text}"
    );
    let rows: Vec<Value> = serde_json::from_str(&succeed(&["devices", "--json"])).unwrap();
    assert_eq!(rows.len(), 7);
    for row in rows {
        let name = row["backend"].as_str().unwrap();
        if row["built"] == false {
            let errors = fail(2, &["train", "x.json", "--backend", name]);
            assert!(errors.contains(&format!("--features {name}")), "{errors}");
        }
    }
}

#[test]
fn data_describes_and_verifies_the_embedded_set() {
    let text = succeed(&["data", "describe"]);
    for part in ["airplane", "Krizhevsky", "2000"] {
        assert!(text.replace(',', "").contains(part), "{part}: {text}");
    }
    let value: Value = serde_json::from_str(&succeed(&["data", "describe", "--json"])).unwrap();
    assert!(value.is_object());
    assert!(succeed(&["data", "verify", "embedded"]).contains("1000 test images"));
}

#[test]
fn completions_are_made_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            succeed(&["completions", shell]).contains("xception"),
            "{shell}"
        );
    }
}

#[test]
fn train_leaves_a_run_and_goes_on_with_nothing_to_do() {
    let workshop = Workshop::new();
    let config = r#"{
        "model": {"resnet": {"depth": 18, "width": 0.1, "stem": "small"}},
        "data": {"train_images": 60, "test_images": 30},
        "recipe": {"epochs": 2, "batch_size": 20}
    }"#;
    fs::write(workshop.path("run.json"), config).unwrap();
    let (file, out) = (workshop.text("run.json"), workshop.text("out"));
    let arguments = [
        "train",
        &file,
        "--out",
        &out,
        "--seed",
        "3",
        "--set",
        "recipe.epochs=1",
    ];
    let output = succeed(&arguments);
    assert!(output.contains("after 1 epoch:"), "{output}");
    let record = json(&workshop.path("out/record.json"));
    assert_eq!(record["state"], "finished");
    assert_eq!(succeed(&arguments), output);

    // The same folder for another run is refused, and nothing is lost.
    let errors = fail(1, &["train", &file, "--out", &out, "--seed", "3"]);
    assert!(
        errors.contains("`config.recipe.epochs` is 1 there, 2 here"),
        "{errors}"
    );
    assert_eq!(json(&workshop.path("out/record.json")), record);
}
