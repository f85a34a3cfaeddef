//! A person's own images: `train --weights --data folder:DIR` and `eval DIR --weights`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use safetensors::SafeTensors;
use serde_json::Value;

use crate::support::{Workshop, fail, json, program, run, succeed};

/// A trained run of a tiny ablation, and pictures of three classes that are easy to tell apart.
fn prepare() -> Workshop {
    let workshop = Workshop::new();
    workshop.ablate("out");
    for (class, name) in ["blue", "green", "red"].iter().enumerate() {
        let folder = workshop.path(&format!("photos/{name}"));
        fs::create_dir_all(&folder).unwrap();
        for number in 0..20 {
            picture(&folder.join(format!("{number:02}.png")), class, number);
        }
    }
    workshop
}

/// A picture that is brightest in one channel.
fn picture(path: &Path, class: usize, number: u32) {
    let (width, height) = (36 + number % 5, 34);
    let pixel = |x: u32, y: u32| {
        let mut pixel = [
            (x * 3 + number) as u8 % 90,
            (y * 5) as u8 % 90,
            (x + y) as u8,
        ];
        pixel[2 - class] = 200 + (x * y + number) as u8 % 50;
        image::Rgb(pixel)
    };
    image::RgbImage::from_fn(width, height, pixel)
        .save(path)
        .unwrap();
}

/// Fine-tunes the tiny run, with more arguments, and gives the arguments.
fn fine_tuning(workshop: &Workshop, out: &str, more: &[&str]) -> Vec<String> {
    let data = format!("folder:{}", workshop.text("photos"));
    let (weights, out) = (workshop.text("out/base/seed-1"), workshop.text(out));
    let mut arguments = vec![
        "train",
        "--weights",
        &weights,
        "--data",
        &data,
        "--out",
        &out,
    ];
    arguments.extend([
        "--set",
        "recipe.epochs=6",
        "--set",
        "recipe.learning_rate=0.05",
    ]);
    arguments.extend(more);
    arguments.into_iter().map(str::to_owned).collect()
}

fn train(workshop: &Workshop, out: &str, more: &[&str]) {
    let arguments = fine_tuning(workshop, out, more);
    succeed(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
}

/// The tensors of a run, by their names in timm.
fn tensors(workshop: &Workshop, run: &str) -> BTreeMap<String, Vec<u8>> {
    let file = workshop.text(&format!("{}.safetensors", run.replace('/', "-")));
    succeed(&["convert", &workshop.text(run), &file]);
    let bytes = fs::read(&file).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = tensors.tensors().into_iter();
    tensors
        .map(|(name, tensor)| (name, tensor.data().to_vec()))
        .collect()
}

/// Names of the tensors that fine-tuning changed, without the classifier's.
fn changed(workshop: &Workshop, run: &str) -> Vec<String> {
    let before = tensors(workshop, "out/base/seed-1");
    let after = tensors(workshop, run);
    assert!(before.keys().eq(after.keys()));
    assert_ne!(before["fc.weight"], after["fc.weight"]);
    let names = before.keys().filter(|name| !name.starts_with("fc."));
    names
        .filter(|name| before[*name] != after[*name])
        .cloned()
        .collect()
}

#[test]
fn a_new_head_learns_classes_in_folders_on_a_frozen_backbone() {
    let workshop = prepare();
    train(&workshop, "tuned", &[]);
    assert_eq!(changed(&workshop, "tuned"), Vec::<String>::new());

    let manifest = json(&workshop.path("tuned/run.json"));
    let config = &manifest["config"];
    assert_eq!(config["finetune"]["freeze"], "backbone");
    assert_eq!(config["finetune"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(config["model"]["xception"]["classes"], 3);
    assert_eq!(manifest["data"]["train_images"], 54);
    assert_eq!(manifest["data"]["test_images"], 6);

    // The images that it was tested on, and all of them, with matrix and picture.
    let run_folder = workshop.text("tuned");
    let scores: Value = serde_json::from_str(&succeed(&["eval", &run_folder, "--json"])).unwrap();
    let record = json(&workshop.path("tuned/record.json"));
    let last = record["epochs"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(scores["top1"], last["test"]["top1"]);
    // Five predictions hold all of three classes: no figure.
    for scores in [&scores, &last["test"], &last["train"]] {
        assert!(scores.get("top5").is_none(), "{scores}");
    }
    let (photos, out) = (workshop.text("photos"), workshop.text("scores"));
    let text = succeed(&["eval", &photos, "--weights", &run_folder, "--out", &out]);
    assert!(text.contains("60 test images"), "{text}");
    assert!(text.contains("top-1") && !text.contains("top-5"), "{text}");
    let all = json(&workshop.path("scores/scores.json"));
    assert!(all["scores"]["top1"].as_f64().unwrap() > 0.6, "{all}");
    assert!(all["scores"].get("top5").is_none(), "{all}");
    let table = fs::read_to_string(workshop.path("scores/confusion.csv")).unwrap();
    assert!(table.starts_with("class,blue,green,red\nblue,"), "{table}");
    assert!(
        fs::read_to_string(workshop.path("scores/confusion.svg"))
            .unwrap()
            .starts_with("<svg")
    );

    // Names of classes travel with the weights.
    let green = workshop.text("photos/green/03.png");
    let text = succeed(&["predict", &green, "--weights", &run_folder]);
    assert!(text.contains("green") && text.contains("red"), "{text}");
}

#[test]
fn what_is_frozen_stays_and_what_is_not_learns() {
    let workshop = prepare();
    train(
        &workshop,
        "until",
        &["--freeze", "until:block2", "--set", "recipe.epochs=1"],
    );
    let names = changed(&workshop, "until");
    // Stages have Keras' names, tensors timm's, which count one less.
    let frozen = ["conv1.", "bn1.", "conv2.", "bn2.", "block1."];
    assert!(
        names
            .iter()
            .all(|name| !frozen.iter().any(|part| name.starts_with(part))),
        "{names:?}"
    );
    assert!(
        names
            .iter()
            .any(|name| name.starts_with("block2.") && name.ends_with("running_var"))
    );
    assert!(
        names
            .iter()
            .any(|name| name.starts_with("block2.") && name.ends_with("weight"))
    );

    let all = ["--freeze", "none", "--set", "recipe.epochs=1"];
    train(&workshop, "all", &all);
    let names = changed(&workshop, "all");
    assert!(names.iter().any(|name| name == "conv1.weight"), "{names:?}");
    train(
        &workshop,
        "slow",
        &[&all[..], &["--backbone-rate", "0.001"]].concat(),
    );
    let [start, fast, slow] = ["out/base/seed-1", "all", "slow"].map(|run| {
        let bytes = tensors(&workshop, run)["conv1.weight"].clone();
        let numbers = bytes
            .chunks(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        numbers.collect::<Vec<_>>()
    });
    let moved = |to: &[f32]| -> f32 { start.iter().zip(to).map(|(a, b)| (a - b).abs()).sum() };
    assert!(moved(&slow) > 0.0 && moved(&slow) < 0.01 * moved(&fast));

    let keep = [
        "--head",
        "keep",
        "--set",
        "data.source=embedded",
        "--set",
        "data.train_images=100",
    ];
    let keep = [
        &keep[..],
        &["--set", "data.test_images=50", "--freeze", "none"],
    ]
    .concat();
    train(&workshop, "kept", &keep);
    let manifest = json(&workshop.path("kept/run.json"));
    assert_eq!(manifest["config"]["model"]["xception"]["classes"], 10);
}

#[test]
fn a_killed_fine_tuning_goes_on_with_what_is_frozen() {
    let workshop = prepare();
    train(&workshop, "whole", &[]);
    let arguments = fine_tuning(&workshop, "killed", &["--display", "lines"]);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut child = program(&arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let seen = lines
        .map_while(Result::ok)
        .any(|line| line.contains("epoch 2/6"));
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    assert!(seen);
    succeed(&arguments);
    assert_eq!(tensors(&workshop, "killed"), tensors(&workshop, "whole"));
}

#[test]
fn mistakes_are_named() {
    let workshop = prepare();
    let failing = |more: &[&str]| {
        let arguments = fine_tuning(&workshop, "failed", more);
        fail(1, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let errors = failing(&["--freeze", "until:blok2"]);
    assert!(
        errors.contains("no stage `blok2`") && errors.contains("block2"),
        "{errors}"
    );
    let errors = failing(&["--head", "keep"]);
    assert!(
        errors.contains("the model has 10 classes, but the data has 3"),
        "{errors}"
    );
    let errors = failing(&["--set", "finetune.sha256=abc"]);
    assert!(errors.contains("finetune.sha256 is abc"), "{errors}");
    fail(2, &["train"]);
    fail(2, &["train", "--weights", "x", "--freeze", "some"]);

    let (photos, weights) = (workshop.text("photos"), workshop.text("out/base/seed-1"));
    let errors = fail(1, &["eval", &photos, "--weights", &weights]);
    assert!(
        errors.contains("10 classes") && errors.contains("blue, green, red"),
        "{errors}"
    );
    let errors = fail(1, &["eval", &photos]);
    assert!(errors.contains("--weights"), "{errors}");
    fs::write(workshop.path("photos/red/broken.jpg"), "no").unwrap();
    let more = ["photos/red/broken2.jpg", "photos/red/broken3.jpg"].map(|name| workshop.path(name));
    for path in &more {
        fs::write(path, "no").unwrap();
    }
    let errors = failing(&[]);
    assert!(errors.contains("images are broken"), "{errors}"); // more than 1 %
    for path in &more {
        fs::remove_file(path).unwrap();
    }
    let arguments = fine_tuning(&workshop, "without one", &[]);
    let result = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let errors = String::from_utf8_lossy(&result.stderr);
    assert!(result.status.success(), "{errors}");
    assert_eq!(errors.matches("broken.jpg").count(), 1, "{errors}"); // told once in all epochs
    fs::rename(workshop.path("photos/red"), workshop.path("photos/frog")).unwrap();
    fs::rename(workshop.path("photos/blue"), workshop.path("photos/cat")).unwrap();
    fs::remove_dir_all(workshop.path("photos/green")).unwrap();
    let result = run(&["eval", &photos, "--weights", &weights]);
    assert_eq!(result.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&result.stdout).contains("40 test images"));
    assert!(String::from_utf8_lossy(&result.stderr).contains("1 of 41 images"));
}

#[test]
fn scores_on_the_images_of_the_training_come_with_a_warning() {
    let workshop = prepare();
    train(&workshop, "tuned", &["--set", "recipe.epochs=1"]);
    let photos = workshop.text("photos");
    let relative = format!("{}/../photos/red/..", workshop.text("out"));
    for weights in ["tuned", "tuned/model.bpk"] {
        for folder in [&photos, &relative] {
            let arguments = [
                "eval",
                folder,
                "--weights",
                &workshop.text(weights),
                "--json",
            ];
            let output = run(&arguments);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{errors}");
            assert!(
                errors.contains("54 images of these are among the training images of"),
                "{errors}"
            );
            serde_json::from_slice::<Value>(&output.stdout).unwrap();
        }
    }
    // Another run's network, and images that weren't trained on.
    let other = workshop.text("out/base/seed-1");
    for name in ["blue", "green", "red"] {
        let folder = workshop.path(&format!("held-out/{name}"));
        fs::create_dir_all(&folder).unwrap();
        for number in ["09", "19"] {
            let file = workshop.path(&format!("photos/{name}/{number}.png"));
            fs::copy(file, folder.join(format!("{number}.png"))).unwrap();
        }
    }
    let held_out = workshop.text("held-out");
    let labels = workshop.text("labels.txt");
    fs::write(&labels, "blue\ngreen\nred\n3\n4\n5\n6\n7\n8\n9\n").unwrap();
    for arguments in [
        vec!["eval", &held_out, "--weights", &workshop.text("tuned")],
        vec!["eval", &photos, "--weights", &other, "--labels", &labels],
    ] {
        let output = run(&arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        assert!(!errors.contains("training images"), "{errors}");
    }
}
