//! `bench`.

use serde_json::Value;

use crate::support::{fail, succeed};

/// A network and few rounds that take a fraction of a second.
const TINY: [&str; 10] = [
    "--set",
    "model.xception.stem=small",
    "--set",
    "model.xception.width=0.05",
    "--set",
    "model.xception.middle_modules=1",
    "--rounds",
    "3",
    "--warm-up",
    "1",
];

fn arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["bench"], &TINY[..], more].concat()
}

fn measure(arguments: &[&str]) -> Value {
    let text = succeed(&[arguments, &["--json"]].concat());
    serde_json::from_str(&text).unwrap()
}

/// Names of the parts.
fn parts(report: &Value) -> Vec<&str> {
    let parts = report["parts"].as_array().unwrap();
    parts
        .iter()
        .map(|part| part["name"].as_str().unwrap())
        .collect()
}

/// What has to hold for every network and step.
fn assert_sound(report: &Value) {
    let number = |value: &Value| value.as_f64().unwrap();
    let milliseconds = &report["milliseconds"];
    let [minimum, median, maximum] =
        ["minimum", "median", "maximum"].map(|name| number(&milliseconds[name]));
    assert!(0.0 < minimum && minimum <= median && median <= maximum);

    let images = number(&report["images_per_second"]);
    let batch = number(&report["batch"]);
    assert!((images * median / 1e3 / batch - 1.0).abs() < 1e-9);
    let passes = if report["training"] == true { 3.0 } else { 1.0 };
    let gflops = 2e-9 * passes * images * number(&report["multiply_adds"]);
    assert!((number(&report["gflops"]) / gflops - 1.0).abs() < 1e-9);
    let ceiling = number(&report["ceiling"]["gflops"]);
    let share = number(&report["share_of_ceiling"]);
    assert!((share * ceiling / gflops - 1.0).abs() < 1e-9);

    let shares = report["parts"].as_array().unwrap();
    let total: f64 = shares.iter().map(|part| number(&part["share"])).sum();
    assert!((total - 1.0).abs() < 1e-9);
    if cfg!(target_os = "linux") {
        assert!(number(&report["peak_memory"]) > 1e6);
    }
}

#[test]
fn a_forward_pass_is_measured_by_stage() {
    let report = measure(&arguments(&["--batch", "2"]));
    assert_sound(&report);
    assert_eq!(report["size"], 32); // what the small stem is for
    assert_eq!(
        report["milliseconds"]["rounds"].as_array().unwrap().len(),
        3
    );
    let parts = parts(&report);
    assert_eq!((parts[0], parts[parts.len() - 1]), ("block1", "classifier"));
    assert_eq!(parts.len(), 8);
}

#[test]
fn a_training_step_is_measured_by_part() {
    for backend in ["flex", "ndarray"] {
        let more = [
            "--train",
            "--batch",
            "3",
            "--size",
            "16",
            "--backend",
            backend,
        ];
        let report = measure(&arguments(&more));
        assert_sound(&report);
        assert_eq!(parts(&report), ["forward", "backward", "optimizer"]);
        assert_eq!(report["backend"], backend);
    }
}

#[test]
fn every_family_is_measured_at_its_own_names() {
    for (model, size) in [
        ("xception", "32"),
        ("inception_v3", "75"),
        ("resnet18", "32"),
    ] {
        let steps = ["--size", size, "--rounds", "1", "--warm-up", "0"];
        let report = measure(&[&["bench", "--model", model], &steps[..]].concat());
        assert_sound(&report);
        assert_eq!(report["model"], model);
        let train = ["--train", "--batch", "2"];
        let report = measure(&[&["bench", "--model", model], &steps[..], &train].concat());
        assert_sound(&report);
    }
}

#[test]
fn the_table_has_what_people_look_for() {
    let text = succeed(&arguments(&["--kernels", "burn", "--threads", "1"]));
    for part in [
        "forward passes of 1 x 3 x 32 x 32",
        "Burn's kernels, 1 thread,",
        "images a second",
        "median of 3",
        "of the ceiling",
        "peak memory",
        "block1 ",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
}

#[test]
fn threads_are_limited_on_every_backend_of_the_processor() {
    for backend in ["flex", "ndarray"] {
        let report = measure(&arguments(&["--threads", "1", "--backend", backend]));
        assert_eq!(report["threads"], 1, "{backend}");
        assert_sound(&report);
    }
}

#[test]
fn weights_bring_their_network() {
    let file = "crates/models/tests/fixtures/resnet18.pth";
    let report = measure(&["bench", "--weights", file, "--size", "40", "--rounds", "1"]);
    assert_eq!(report["model"], "resnet18");
    assert_eq!(report["weights"], file);
    assert_sound(&report);
}

#[test]
fn bad_input_is_told() {
    let cases: [(i32, &[&str], &str); 9] = [
        (1, &["--size", "3"], "xception at --size 3"),
        (1, &["--model", "xcepton"], "did you mean `xception`?"),
        (1, &["--model", "none.json"], "none.json"),
        (1, &["--set", "model.xception.width=0"], "more than 0"),
        (1, &["--train"], "--batch 2 or more"),
        (2, &["--batch", "0"], "--batch"),
        (2, &["--threads", "0"], "--threads"),
        (2, &["--rounds", "0"], "--rounds"),
        (
            2,
            &["--model", "resnet18", "--weights", "x.pth"],
            "cannot be used with",
        ),
    ];
    for (code, arguments, expected) in cases {
        let errors = fail(code, &[&["bench"], arguments].concat());
        assert!(errors.contains(expected), "{arguments:?}: {errors}");
    }
}
