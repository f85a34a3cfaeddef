//! `summary --compare`.

use std::fs;

use serde_json::Value;

use crate::support::{Workshop, fail, succeed};

fn compare(arguments: &[&str]) -> Value {
    let text = succeed(&[&["summary", "--json", "--compare"], arguments].concat());
    serde_json::from_str(&text).unwrap()
}

#[test]
fn totals_stand_side_by_side_with_ratios_to_the_first() {
    let text = succeed(&[
        "summary",
        "--compare",
        "xception",
        "inception_v3",
        "resnet50",
    ]);
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(
        lines[0],
        [
            "network",
            "image",
            "parameters",
            "multiply-adds",
            "activations"
        ]
    );
    assert_eq!(lines[1][..5], ["xception", "299", "x", "299", "22,855,952"]);
    assert_eq!(
        lines[2][..9],
        [
            "inception_v3",
            "299",
            "x",
            "299",
            "23,834,568",
            "x",
            "1.04",
            "5.71",
            "G"
        ]
    );
    assert_eq!(lines[3][1..4], ["224", "x", "224"]);
    let value = compare(&["xception", "inception_v3", "resnet50"]);
    assert!(value["measurement"].is_null());
    for (network, line) in value["networks"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&lines[1..])
    {
        assert_eq!(network["name"], line[0]);
        let parameters = line[4].replace(',', "");
        assert_eq!(network["parameters"].to_string(), parameters);
        let ratio = network["ratios"]["parameters"].as_f64().unwrap();
        let first = value["networks"][0]["parameters"].as_f64().unwrap();
        assert_eq!(ratio, network["parameters"].as_f64().unwrap() / first);
        assert!(network["images_per_second"].is_null());
    }
}

#[test]
fn totals_are_those_of_each_networks_summary() {
    let value = compare(&["resnet18", "mobilenet_v1", "--size", "64"]);
    for network in value["networks"].as_array().unwrap() {
        let name = network["name"].as_str().unwrap();
        let text = succeed(&["summary", name, "--size", "64", "--json"]);
        let summary: Value = serde_json::from_str(&text).unwrap();
        let stages = summary["stages"].as_array().unwrap();
        for key in ["parameters", "multiply_adds", "activation_bytes"] {
            let sum: u64 = stages
                .iter()
                .map(|stage| stage[key].as_u64().unwrap())
                .sum();
            assert_eq!(network[key], sum, "{name}: {key}");
        }
        assert_eq!(network["image_size"], 64);
    }
}

#[test]
fn files_are_compared_and_measured() {
    let workshop = Workshop::new();
    let write = |name: &str, more: &str| {
        let text = format!(
            r#"{{"model": {{"xception": {{"width": 0.05, "stem": "small", "middle_modules": 1{more}}}}}}}"#
        );
        fs::write(workshop.path(name), text).unwrap();
        workshop.text(name)
    };
    let (one, two) = (
        write("one.json", ""),
        write("two.json", r#", "kernels": "burn""#),
    );
    let measure = [
        "--measure",
        "--batch",
        "2",
        "--threads",
        "1",
        "--rounds",
        "3",
    ];
    let value = compare(&[&[&*one, &*two], &measure[..]].concat());
    let measurement = &value["measurement"];
    for (key, expected) in [("batch", 2), ("threads", 1), ("rounds", 3)] {
        assert_eq!(measurement[key], expected, "{key}");
    }
    let number = |value: &Value| value.as_f64().unwrap();
    let first = number(&value["networks"][0]["images_per_second"]);
    for network in value["networks"].as_array().unwrap() {
        let milliseconds = &network["milliseconds"];
        assert_eq!(milliseconds["rounds"].as_array().unwrap().len(), 3);
        let speed = number(&network["images_per_second"]);
        assert!((speed * number(&milliseconds["median"]) / 2e3 - 1.0).abs() < 1e-9);
        let ratio = number(&network["ratios"]["images_per_second"]);
        assert!((ratio * first / speed - 1.0).abs() < 1e-9);
    }

    let text = succeed(&[&["summary", "--compare", &*one, &*two], &measure[..]].concat());
    for part in [
        "images/s",
        "two.json: not fused",
        "2 images",
        "3 rounds",
        "1 thread,",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let escape = "esc\u{1b}[31m.json";
    write(escape, "");
    let text = succeed(&["summary", "--compare", &one, &workshop.text(escape)]);
    assert!(
        !text.contains('\u{1b}') && text.contains(r"esc\u{1b}[31m.json"),
        "{text}"
    );
}

#[test]
fn bad_input_is_told() {
    let cases: [(i32, &[&str], &str); 8] = [
        (
            1,
            &["--compare", "xception", "xcepton"],
            "did you mean `xception`?",
        ),
        (
            1,
            &["--compare", "xception", "none.json"],
            "can't read none.json",
        ),
        (
            1,
            &["--compare", "xception", "inception_v3", "--size", "32"],
            "inception_v3 at --size 32",
        ),
        (2, &["--compare", "xception"], "2 values required"),
        (
            2,
            &["resnet18", "--compare", "xception", "resnet50"],
            "cannot be used with",
        ),
        (
            2,
            &["--compare", "xception", "resnet50", "--set", "model=x"],
            "cannot be used with",
        ),
        (2, &["--measure"], "--compare"),
        (
            2,
            &["--compare", "xception", "resnet50", "--batch", "2"],
            "--measure",
        ),
    ];
    for (code, arguments, part) in cases {
        let errors = fail(code, &[&["summary"], arguments].concat());
        assert!(errors.contains(part), "{arguments:?}: {errors}");
    }
}

#[test]
fn the_list_of_networks_has_aligned_columns() {
    let text = succeed(&["summary"]);
    let ends = text.lines().map(|line| {
        let size = line
            .find(" x ")
            .map(|place| line[place + 3..].find(' ').unwrap() + place + 3);
        size.unwrap_or_else(|| line.find("image").unwrap() + "image".len())
    });
    let ends: Vec<usize> = ends.collect();
    assert!(
        ends.len() > 8 && ends.iter().all(|end| *end == ends[0]),
        "{text}"
    );
    assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
}
