//! `list:FILE`: images that a CSV or JSON Lines file lists with their labels.

#![allow(clippy::unwrap_used)] // in helpers too, which clippy.toml does not cover

mod support;

use std::fs;

use support::{batches, jpeg, keeps_its_promises, load, plan, write};
use tempfile::TempDir;
use xception_data::{Dataset, Mosaic, Samples, Targets};

/// A folder of 30 images and a list of this name.
fn listed(name: &str, text: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..30 {
        write(&dir.path().join(format!("img/{number}.jpg")), &jpeg(number));
    }
    fs::write(dir.path().join(name), text).unwrap();
    dir
}

fn source(dir: &TempDir, name: &str) -> String {
    format!("list:{}", dir.path().join(name).display())
}

/// Loads a list, without the images once this returns.
fn loaded(name: &str, text: &str) -> Dataset {
    load(&source(&listed(name, text), name), 0).unwrap()
}

fn error(name: &str, text: &str) -> String {
    let dir = listed(name, text);
    load(&source(&dir, name), 0).unwrap_err().to_string()
}

fn labels(samples: &Samples) -> Vec<Vec<u32>> {
    (0..samples.len())
        .map(|index| samples.labels(index).to_vec())
        .collect()
}

/// Sets of classes for all images, in the splits.
fn sets_as_json() -> String {
    let names = ["cat", "dog", "traffic light"];
    let row = |number: usize| {
        let labels: Vec<_> = (0..3)
            .filter(|class| (number + 1) >> class & 1 == 1 || *class == number % 3)
            .collect();
        let labels: Vec<_> = labels
            .into_iter()
            .map(|class| format!("\"{}\"", names[class]))
            .collect();
        let split = ["train", "train", "train", "validation", "test"][number % 5];
        format!(
            "{{\"path\": \"img/{number}.jpg\", \"labels\": [{}], \"split\": \"{split}\", \"by\": \"me\"}}\n",
            labels.join(", ")
        )
    };
    (0..30).map(row).collect()
}

#[test]
fn sets_of_classes_are_read_from_json_lines() {
    let name = "labels.jsonl";
    let dir = listed(name, &sets_as_json());
    let data = load(&source(&dir, name), 1 << 20).unwrap();
    assert_eq!(data.classes, ["cat", "dog", "traffic light"]);
    assert_eq!(
        (
            data.train.len(),
            data.validation.as_ref().unwrap().len(),
            data.test.len()
        ),
        (18, 6, 6)
    );
    assert_eq!(labels(&data.train)[..3], [vec![0], vec![1], vec![0, 1, 2]]);
    assert_eq!(data.train.set_classes(), Some(3));
    let counts = data.train.class_counts(3);
    let all: usize = counts.iter().sum();
    let shares: Vec<_> = counts
        .iter()
        .map(|&count| count as f64 / all as f64)
        .collect();
    assert_eq!(data.label_shares().unwrap(), shares);
    for batch in batches(&data.train, plan(&data)) {
        let sets = batch
            .indices
            .iter()
            .map(|&index| data.train.labels(index as usize).to_vec());
        assert_eq!(
            batch.targets,
            Targets::Sets {
                sets: sets.collect(),
                classes: 3
            }
        );
    }
    keeps_its_promises(|cache_bytes| load(&source(&dir, name), cache_bytes).unwrap());
    let error = data
        .with_mosaics(Mosaic::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("sets of classes"), "{error}");
}

#[test]
fn csv_says_the_same_as_json() {
    let json = sets_as_json();
    let rows = json.lines().map(|row| {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        let labels = row["labels"].as_array().unwrap().iter();
        let labels: Vec<_> = labels.map(|label| label.as_str().unwrap()).collect();
        format!(
            "{}, {} , {}\n",
            row["split"].as_str().unwrap(),
            labels.join("|"),
            row["path"].as_str().unwrap()
        )
    });
    let csv = "split,labels,file_name\n".to_owned() + &rows.collect::<String>();
    let (json, csv) = (loaded("a.jsonl", &json), loaded("a.csv", &csv));
    assert_eq!(labels(&json.train), labels(&csv.train));
    assert_eq!(json.classes, csv.classes);
    assert_eq!(json.sha256(), csv.sha256());
}

#[test]
fn one_class_an_image_and_every_tenth_for_testing() {
    let rows = |class: fn(usize) -> String| -> String {
        let rows = (0..30).map(|number| format!("img/{number}.jpg,{}\n", class(number)));
        "path,label\n".to_owned() + &rows.collect::<String>()
    };
    let data = loaded("a.csv", &rows(|number| (9 + number % 2).to_string()));
    assert_eq!(data.classes, ["9", "10"], "numbers in their order");
    assert_eq!(
        (data.train.class_counts(2), data.test.class_counts(2)),
        (vec![14, 14], vec![1, 1])
    );
    assert_eq!(data.train.set_classes(), None);
    let mosaic = Mosaic {
        grid: 2,
        labels: 2,
        skew: 0.0,
    };
    let error = data.with_mosaics(mosaic).unwrap_err().to_string();
    assert!(
        error.contains("2 images"),
        "the test images fill no mosaic: {error}"
    );
    let data = loaded(
        "a.csv",
        &rows(|number| ["true", "1e5"][number % 2].to_owned()),
    );
    assert_eq!(data.classes, ["1e5", "true"], "names that look like values");
    let data = data.hold_back(7).unwrap();
    assert_eq!((data.train.len(), data.validation.unwrap().len()), (21, 7));
}

#[test]
fn validation_images_are_the_test_images_where_there_are_no_others() {
    let text = sets_as_json().replace("\"test\"", "\"train\"");
    let data = loaded("a.jsonl", &text);
    assert_eq!((data.train.len(), data.test.len()), (24, 6));
    assert!(data.validation.is_none());
}

#[test]
fn a_wrong_row_is_named_by_its_line() {
    let line = |text: &str| format!("{}{text}", sets_as_json());
    let told = |row: &str, problem: &str| {
        let error = error("a.jsonl", &line(row));
        assert!(
            error.contains("a.jsonl`, line 31: ") && error.contains(problem),
            "{error}"
        );
    };
    told(
        "{\"path\": \"img/1.jpg\", \"labels\": [\"a\"]}",
        "is listed in line 2 too",
    );
    told(
        "{\"path\": \"img/99.jpg\", \"labels\": [\"a\"]}",
        "img/99.jpg",
    );
    told(
        "{\"path\": \"img\", \"labels\": [\"a\"]}",
        "not a regular file",
    );
    told("{\"path\": \"img/x.jpg\"}", "neither `label` nor `labels`");
    told(
        "{\"path\": \"img/x.jpg\", \"label\": 1}",
        "give all rows the same one",
    );
    told(
        "{\"path\": \"img/x.jpg\", \"label\": 1, \"labels\": [1]}",
        "both `label` and `labels`",
    );
    told(
        "{\"path\": \"img/x.jpg\", \"labels\": []}",
        "at least one class",
    );
    told("{\"labels\": [1]}", "path");
    told("{", "EOF");
    let dir = listed(
        "a.jsonl",
        &line("{\"path\": \"img/one.jpg\", \"labels\": [\"cat\"], \"split\": \"dev\"}"),
    );
    write(&dir.path().join("img/one.jpg"), &jpeg(1));
    let error_of_split = load(&source(&dir, "a.jsonl"), 0).unwrap_err().to_string();
    assert!(
        error_of_split.contains("line 31: the split `dev`"),
        "{error_of_split}"
    );

    let csv = error(
        "a.csv",
        "path,label\nimg/0.jpg,a\n\"img/1.jpg\",\"b\nc\"\nimg/2.jpg\n",
    );
    assert!(csv.contains("a.csv`, line 5: "), "{csv}");
    let csv = error("a.csv", "name,label\nimg/0.jpg,a\n");
    assert!(csv.contains("line 2: ") && csv.contains("path"), "{csv}");
    assert!(error("a.csv", "path,label\n").contains("0 classes"));
}
