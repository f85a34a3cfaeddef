//! Commands that take images: `predict`, `features`, `explain`, and `convert`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Workshop, fail, program, run, succeed};

/// A trained run of a tiny ablation, and pictures of several kinds and sizes.
pub fn prepare() -> Workshop {
    let workshop = Workshop::new();
    workshop.ablate("out");
    fs::create_dir_all(workshop.path("photos/sub")).unwrap();
    for (index, name) in ["a.png", "b.jpg", "c.bmp", "sub/d.webp"].iter().enumerate() {
        picture(&workshop.path(&format!("photos/{name}")), index as u32);
    }
    workshop
}

pub fn picture(path: &Path, number: u32) {
    let (width, height) = (40 + 7 * number, 33 + number);
    let pixel = |x: u32, y: u32| image::Rgb([(x * 5) as u8, (y * 7) as u8, (number * 50) as u8]);
    let picture = image::RgbImage::from_fn(width, height, pixel);
    match path.extension().is_some_and(|extension| extension == "jpg") {
        true => fs::write(
            path,
            xception_testing::jpeg(picture.as_raw(), width, height),
        )
        .unwrap(),
        false => picture.save(path).unwrap(),
    }
}

#[test]
fn predict_names_classes_and_skips_broken_images() {
    let workshop = prepare();
    let (photos, weights) = (workshop.text("photos"), workshop.text("out/base/seed-1"));
    let output = succeed(&[
        "predict",
        &photos,
        "--weights",
        &weights,
        "--json",
        "--top",
        "3",
    ]);
    let rows: Vec<Value> = output
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(rows.len(), 4);
    for row in &rows {
        let top = row["top"].as_array().unwrap();
        assert_eq!(top.len(), 3);
        assert!(top[0]["logit"].as_f64() >= top[1]["logit"].as_f64());
        assert!(top[0]["name"].is_string() && top[0]["probability"].as_f64() <= Some(1.0));
    }
    let text = succeed(&["predict", &photos, "--weights", &weights]);
    assert_eq!(text.lines().count(), 4 * 6);
    let table = succeed(&[
        "predict",
        &photos,
        "--weights",
        &weights,
        "--csv",
        "--top",
        "2",
    ]);
    assert_eq!(table.lines().count(), 1 + 4 * 2);
    assert!(table.starts_with("path,rank,index,name,logit,probability"));

    // One batch or several give the same, and so does another backend but for rounding.
    let single = succeed(&[
        "predict",
        &photos,
        "--weights",
        &weights,
        "--json",
        "--top",
        "3",
        "--batch-size",
        "1",
    ]);
    let logits = |text: &str| -> Vec<f64> {
        let rows = text
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).unwrap());
        rows.map(|row| row["top"][0]["logit"].as_f64().unwrap())
            .collect()
    };
    for (a, b) in logits(&single).iter().zip(logits(&output)) {
        assert!((a - b).abs() < 1e-4 * b.abs().max(1.0));
    }

    fs::write(workshop.path("photos/broken.png"), b"\x89PNG\r\n\x1a\nno").unwrap();
    fs::write(workshop.path("photos/empty.jpg"), b"").unwrap();
    let result = run(&["predict", &photos, "--weights", &weights, "--json"]);
    assert_eq!(result.status.code(), Some(1));
    assert_eq!(String::from_utf8(result.stdout).unwrap().lines().count(), 4);
    let errors = String::from_utf8(result.stderr).unwrap();
    assert!(
        errors.contains("broken.png") && errors.contains("empty.jpg"),
        "{errors}"
    );
    assert!(
        errors.contains("2 of 6 images could not be read"),
        "{errors}"
    );
}

#[test]
fn predict_takes_patterns_and_standard_input() {
    let workshop = prepare();
    let weights = workshop.text("out/base/seed-1");
    let pattern = workshop.text("photos/*.png");
    let output = succeed(&["predict", &pattern, "--weights", &weights, "--json"]);
    assert_eq!(output.lines().count(), 1);

    let list = format!(
        "{}\n{}\n",
        workshop.text("photos/a.png"),
        workshop.text("photos/b.jpg")
    );
    let picture = fs::read(workshop.path("photos/a.png")).unwrap();
    for (input, lines) in [(list.into_bytes(), 2), (picture, 1)] {
        let mut child = program(&["predict", "-", "--weights", &weights, "--json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&input).unwrap();
        let result = child.wait_with_output().unwrap();
        assert!(result.status.success());
        assert_eq!(
            String::from_utf8(result.stdout).unwrap().lines().count(),
            lines
        );
    }
}

#[test]
fn features_are_rows_in_the_order_given() {
    let workshop = prepare();
    let (photos, weights) = (workshop.text("photos"), workshop.text("out/base/seed-1"));
    for ending in ["npy", "safetensors", "csv"] {
        let out = workshop.text(&format!("features.{ending}"));
        let output = succeed(&["features", &photos, "--weights", &weights, "--out", &out]);
        let names: Vec<_> = output.lines().collect();
        assert_eq!(names.len(), 4);
        assert!(
            names[0].ends_with("a.png") && names[3].ends_with("d.webp"),
            "{names:?}"
        );
        assert!(fs::metadata(&out).unwrap().len() > 500);
    }
    let npy = fs::read(workshop.path("features.npy")).unwrap();
    assert_eq!(&npy[..6], b"\x93NUMPY");
    let table = fs::read_to_string(workshop.path("features.csv")).unwrap();
    let first: Vec<_> = table.lines().nth(1).unwrap().split(',').collect();
    let header = 10 + usize::from(u16::from_le_bytes([npy[8], npy[9]]));
    let number = f32::from_le_bytes(npy[header..header + 4].try_into().unwrap());
    assert_eq!(first[1].parse::<f32>().unwrap(), number);
    let errors = fail(
        1,
        &["features", &photos, "--weights", &weights, "--out", "x.txt"],
    );
    assert!(errors.contains(".npy, .safetensors or .csv"), "{errors}");
}

#[test]
fn explain_writes_a_picture() {
    let workshop = prepare();
    let (image, weights) = (
        workshop.text("photos/b.jpg"),
        workshop.text("out/base/seed-1"),
    );
    let before = fs::read_dir(workshop.path("photos")).unwrap().count();
    fs::create_dir(workshop.path("here")).unwrap();
    let result = program(&["explain", &image, "--weights", &weights])
        .current_dir(workshop.path("here"))
        .output()
        .unwrap();
    let output = String::from_utf8(result.stdout).unwrap();
    assert!(output.starts_with("b.explained.png: class "), "{output}");
    // The photo of 47 x 34 pixels, enlarged, with the scale below; and nothing beside the photo.
    let picture = image::open(workshop.path("here/b.explained.png")).unwrap();
    assert_eq!(picture.width(), 5 * 47);
    assert!(picture.height() > 5 * 34, "{}", picture.height());
    let after = fs::read_dir(workshop.path("photos")).unwrap().count();
    assert_eq!(after, before);

    let large = workshop.path("large.png");
    image::RgbImage::new(400, 300).save(&large).unwrap();
    let out = workshop.text("large.explained.png");
    let large = workshop.text("large.png");
    succeed(&["explain", &large, "--weights", &weights, "--out", &out]);
    let picture = image::open(out).unwrap();
    assert_eq!(picture.width(), 400);
    assert!(picture.height() > 300, "{}", picture.height());
    let photo = fs::read(&large).unwrap();
    let errors = fail(
        1,
        &["explain", &large, "--weights", &weights, "--out", &large],
    );
    assert!(errors.contains("is the photo itself"), "{errors}");
    assert_eq!(fs::read(&large).unwrap(), photo);
    let errors = fail(
        1,
        &["explain", &large, "--weights", &weights, "--out", "x.jpg"],
    );
    assert!(errors.contains("has to end in .png"), "{errors}");

    let out = workshop.text("heat.png");
    let output = succeed(&[
        "explain",
        &image,
        "--weights",
        &weights,
        "--class",
        "2",
        "--out",
        &out,
    ]);
    assert!(output.contains("class 2 (bird)"), "{output}");
    let errors = fail(
        1,
        &["explain", &image, "--weights", &weights, "--class", "10"],
    );
    assert!(errors.contains("`class` is 10"), "{errors}");
}

#[test]
fn converted_weights_say_the_same() {
    let workshop = prepare();
    let (photos, weights) = (workshop.text("photos"), workshop.text("out/base/seed-1"));
    let expected = succeed(&["predict", &photos, "--weights", &weights, "--json"]);
    for ending in ["safetensors", "bpk"] {
        let out = workshop.text(&format!("converted.{ending}"));
        let output = succeed(&["convert", &weights, &out]);
        assert!(
            output.contains("xception") && output.contains("10 classes"),
            "{output}"
        );
        let found = succeed(&["predict", &photos, "--weights", &out, "--json"]);
        assert_eq!(found, expected, "{ending}");
    }
    // Another process writes the same bytes.
    for ending in ["safetensors", "bpk"] {
        let again = workshop.text(&format!("again.{ending}"));
        succeed(&["convert", &weights, &again]);
        let first = workshop.path(&format!("converted.{ending}"));
        assert!(
            fs::read(again).unwrap() == fs::read(first).unwrap(),
            "{ending}"
        );
    }
    for ending in ["safetensors", "bpk"] {
        let out = workshop.text(&format!("missing/a.{ending}"));
        let errors = fail(1, &["convert", &weights, &out]);
        assert!(
            errors.contains("can't write") && errors.contains("there is no folder"),
            "{errors}"
        );
        assert!(!errors.contains("can't be read"), "{errors}");
    }
    let errors = fail(1, &["convert", &weights, "x.h5"]);
    assert!(errors.contains(".safetensors or .bpk"), "{errors}");
}

#[test]
fn weights_that_are_not_there_or_not_weights_are_errors() {
    let workshop = prepare();
    let photos = workshop.text("photos");
    let errors = fail(1, &["predict", &photos, "--weights", "xception.kerass"]);
    assert!(
        errors.contains("did you mean `xception.keras`?"),
        "{errors}"
    );
    let errors = fail(1, &["predict", &photos, "--weights", "no/such.safetensors"]);
    assert!(errors.contains("no/such.safetensors"), "{errors}");
    let picture = workshop.text("photos/a.png");
    let errors = fail(1, &["predict", &photos, "--weights", &picture]);
    assert!(errors.contains("a.png"), "{errors}");
    let weights = workshop.text("out/base/seed-1");
    let errors = fail(
        1,
        &[
            "predict",
            &photos,
            "--weights",
            &weights,
            "--model",
            "resnet50",
        ],
    );
    assert!(
        errors.contains("holds xception, not --model resnet50"),
        "{errors}"
    );
    let errors = fail(
        1,
        &["predict", &photos, "--weights", &weights, "--crop", "2"],
    );
    assert!(errors.contains("`crop_fraction` is 2"), "{errors}");
}

#[test]
fn a_network_of_sets_of_labels_gives_each_class_a_probability_of_its_own() {
    let workshop = Workshop::new();
    let config = r#"{
        "model": {"xception": {"width": 0.05, "middle_modules": 0, "stem": "small"}},
        "data": {"train_images": 100, "test_images": 50, "mosaic": {"grid": 2, "labels": 3}},
        "recipe": {"epochs": 1, "batch_size": 20}
    }"#;
    fs::write(workshop.path("run.json"), config).unwrap();
    let (file, out) = (workshop.text("run.json"), workshop.text("out"));
    succeed(&["train", &file, "--out", &out]);
    let picture = workshop.path("grey.png");
    image::RgbImage::from_pixel(64, 64, image::Rgb([90, 120, 150]))
        .save(&picture)
        .unwrap();
    let picture = workshop.text("grey.png");
    let line = succeed(&[
        "predict",
        &picture,
        "--weights",
        &out,
        "--json",
        "--top",
        "20",
    ]);
    let line: Value = serde_json::from_str(&line).unwrap();
    for guess in line["top"].as_array().unwrap() {
        let logit = guess["logit"].as_f64().unwrap();
        let probability = guess["probability"].as_f64().unwrap();
        assert!(
            (probability - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-5,
            "{guess}"
        );
    }
    let explained = workshop.text("explained.png");
    let told = succeed(&["explain", &picture, "--weights", &out, "--out", &explained]);
    let best = 100.0 * line["top"][0]["probability"].as_f64().unwrap();
    let percent = told.trim_end().strip_suffix(" %").unwrap();
    let percent: f64 = percent.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((percent - best).abs() < 0.02, "{told} {best}");
}
