//! The schemas of configuration files: those in `configs/schema`, and whether schema and reader agree.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Value, json};
use xception::train::config::schema::FileKind;
use xception::train::config::{AblationConfig, RunConfig};

use crate::support::{fail, json as read_json, regenerates, succeed};

fn validator(kind: FileKind) -> Validator {
    jsonschema::draft202012::new(&kind.schema()).unwrap()
}

/// What the schema finds wrong.
fn faults(validator: &Validator, file: &Value) -> Vec<String> {
    let errors = validator.iter_errors(file);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// What the reader finds wrong.
fn read(kind: FileKind, text: &str) -> Result<(), String> {
    match kind {
        FileKind::Run => RunConfig::parse(text, &[]).map(drop),
        FileKind::Ablation => AblationConfig::parse("file", text, &[]).map(drop),
    }
    .map_err(|error| error.to_string())
}

/// The configuration files of a folder in `configs`.
fn shipped(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("configs")
        .join(folder);
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn the_shipped_schemas_are_those_that_the_program_prints() {
    for kind in FileKind::ALL {
        let printed = succeed(&["schema", kind.name()]);
        let path = format!("configs/schema/{}.schema.json", kind.name());
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(&path);
        if regenerates() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            xception_files::write(&file, printed.as_bytes()).unwrap();
        }
        assert!(
            fs::read_to_string(&file).unwrap_or_default() == printed,
            "{path} is out of date: run `xception schema {} > {path}`",
            kind.name()
        );
        assert!(jsonschema::meta::is_valid(&read_json(&file)), "{path}");
    }
    fail(2, &["schema", "report"]);
}

#[test]
fn every_shipped_file_is_read_and_fits_its_schema() {
    for (folder, kind, least) in [
        ("ablations", FileKind::Ablation, 6),
        ("models", FileKind::Run, 1),
    ] {
        let validator = validator(kind);
        let files = shipped(folder);
        assert!(files.len() >= least, "{files:?}");
        for path in files {
            let file = read_json(&path);
            assert_eq!(faults(&validator, &file), [""; 0], "{}", path.display());
            let schema = path
                .parent()
                .unwrap()
                .join(file["$schema"].as_str().unwrap());
            assert_eq!(read_json(&schema), kind.schema(), "{}", path.display());
            let text = fs::read_to_string(&path).unwrap();
            assert_eq!(read(kind, &text), Ok(()), "{}", path.display());
        }
    }
}

#[test]
fn the_shipped_grid_has_every_combination() {
    let file = "configs/ablations/residual-by-activation.json";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let grid = AblationConfig::read(&file, &[]).unwrap();
    assert_eq!(grid.variants.len(), 6);
    assert_eq!(
        grid.base().name,
        "residual=true, intermediate_activation=none"
    );
    assert_eq!(grid.claims.len(), 6);
}

/// A run with one value more, or another.
fn run(path: &str, value: Value) -> Value {
    let mut file = json!({"model": {"xception": {}}});
    let mut place = &mut file;
    for key in path.split('.') {
        place = &mut place[key];
    }
    *place = value;
    file
}

fn preprocessing(key: &str, value: Value) -> Value {
    let mut preprocessing = json!({
        "size": [64, 64],
        "resize": {"filter": "bilinear", "antialias": true, "mode": "exact"},
        "crop_fraction": 0.9,
        "scaling": "minus_one_to_one"
    });
    preprocessing[key] = value;
    run("data.preprocessing", preprocessing)
}

fn wrong_runs() -> Vec<Value> {
    let mut files = vec![
        json!({}),
        json!([]),
        json!("xception"),
        json!({"model": null}),
    ];
    for (path, values) in [
        ("seed", json!([1])),
        ("$schema", json!([3, null])),
        ("data.$schema", json!(["x"])),
        (
            "model",
            json!(["xcepton", "resnet", 3, {}, {"xceptoin": {}}, {"xception": null},
                {"xception": {}, "resnet": {}}, {"resnet50": {}}]),
        ),
        ("model.xception.widht", json!([1])),
        ("model.xception.depth", json!([50])),
        (
            "model.xception.width",
            json!([0, -1, 16.5, "1", null, true]),
        ),
        ("model.xception.classes", json!([0, -1, 1.5, "ten"])),
        ("model.xception.dropout", json!([1, -0.1])),
        ("model.xception.batch_norm_epsilon", json!([0, 1])),
        (
            "model.xception.fully_connected",
            json!([[0], [1.5], 5, [-1], ["4"]]),
        ),
        ("model.xception.middle_modules", json!([-1, 0.5])),
        ("model.xception.residual", json!(["yes", 1])),
        (
            "model.xception.intermediate_activation",
            json!(["gelu", "ReLU", null]),
        ),
        ("model.xception.padding", json!(["valid"])),
        ("model.xception.stem", json!(["large"])),
        ("model.xception.kernels", json!(["cuda"])),
        (
            "model",
            json!([{"resnet": {"depth": 42}}, {"resnet": {"depth": "50"}}, {"resnet": {"width": 0}},
                {"resnet": {"dropout": 1}}, {"resnet": {"residual": true}}]),
        ),
        (
            "model",
            json!([{"inception_v3": {"auxiliary": 1}}, {"inception_v3": {"classes": 0}},
                {"inception_v3": {"batch_norm_epsilon": 1.5}}]),
        ),
        ("data", json!([null, "embedded"])),
        (
            "data.source",
            json!([
                "imagenet:x",
                "embedded:x",
                "cifar10",
                "cifar10:",
                "folder:",
                "",
                3,
                null
            ]),
        ),
        ("data.image_size", json!([0, 8193, 1.5, [64, 64]])),
        ("data.train_images", json!([0, -5])),
        ("data.test_images", json!([0])),
        ("data.augmentation", json!([{"vertical_flip": true}, null])),
        ("data.augmentation.crop_padding", json!([-1, "4"])),
        ("data.augmentation.horizontal_flip", json!([1])),
        ("data.preprocessing", json!([{}, {"crop_fraction": 0.9}])),
        ("recipe.epochs", json!([0, -1, 1.5, "3", null])),
        ("recipe.batch_size", json!([1])),
        ("recipe.learning_rate", json!([0, -0.1])),
        ("recipe.label_smoothing", json!([1, -0.1])),
        ("recipe.auxiliary_weight", json!([-1])),
        ("recipe.momentum", json!([0.9])),
        (
            "recipe.schedule",
            json!(["cosine", "linear", {"constant": {}}, {}, {"cosine": {}, "exponential": {}}]),
        ),
        (
            "recipe.schedule.cosine",
            json!([{"warmup": 1}, {"warmup_epochs": -1}]),
        ),
        (
            "recipe.schedule.exponential",
            json!([{"factor": 0.5}, {"factor": 0, "every_epochs": 1}, {"factor": 1.1, "every_epochs": 1},
                {"factor": 0.5, "every_epochs": 0}]),
        ),
        ("recipe.optimizer", json!(["sgd", {"adam": {}}, {}])),
        (
            "recipe.optimizer.sgd",
            json!([{"momentum": 1}, {"momentum": -0.1}, {"momentum": 0, "nesterov": true},
                {"weight_decay": -1}, {"nesterov": 1}, {"dampening": 0}]),
        ),
        ("finetune", json!([{}, {"freeze": "none"}, "weights"])),
        (
            "finetune",
            json!([{"weights": 3}, {"weights": "x", "head": "old"}, {"weights": "x", "freeze": "all"},
                {"weights": "x", "freeze": "until:"}, {"weights": "x", "backbone_rate": 0},
                {"weights": "x", "rate": 1}]),
        ),
    ] {
        let values = values.as_array().unwrap().clone();
        files.extend(values.into_iter().map(|value| run(path, value)));
    }
    for (key, values) in [
        ("size", json!([[299], [299, 0], [8193, 1], [1, 2, 3], 299])),
        (
            "resize",
            json!([{"filter": "lanczos", "antialias": true, "mode": "exact"}, {"filter": "nearest"}]),
        ),
        ("crop_fraction", json!([0, 1.1, null])),
        (
            "scaling",
            json!(["zero", {"mean_std": {"mean": [0, 0, 0]}}, {"caffe_bgr": {"mean": [0, 0]}},
                {"mean_std": {"mean": [0, 0, 0], "std": [1, 0, 1]}}, "mean_std"]),
        ),
        ("crop", json!([1])),
    ] {
        let values = values.as_array().unwrap().clone();
        files.extend(values.into_iter().map(|value| preprocessing(key, value)));
    }
    files
}

fn right_runs() -> Vec<Value> {
    let mut files = vec![
        json!({"$schema": "x.json", "model": "xception"}),
        json!({"model": "resnet152", "data": {}, "recipe": {}, "finetune": null}),
        preprocessing("scaling", json!({"caffe_bgr": {"mean": [1, -2, 3.5]}})),
        preprocessing(
            "scaling",
            json!({"mean_std": {"mean": [0, 0, 0], "std": [1, 1, 0.5]}}),
        ),
        preprocessing("size", json!([1, 8192])),
    ];
    for (path, values) in [
        (
            "model",
            json!([{"xception": {}}, {"resnet": {"depth": 18}}, {"inception_v3": {"auxiliary": true}}]),
        ),
        ("model.xception.width", json!([16, 1e-3])),
        ("model.xception.fully_connected", json!([[], [1, 4096]])),
        ("model.xception.middle_modules", json!([0])),
        (
            "data.source",
            json!(["embedded", "cifar10:a b", "cifar100:C:\\data", "folder:x:y"]),
        ),
        ("data.image_size", json!([null, 1, 8192])),
        ("data.train_images", json!([null, 1])),
        ("data.augmentation", json!([{}, {"crop_padding": 0}])),
        ("recipe.schedule", json!(["constant", {"cosine": {}}])),
        (
            "recipe.schedule.exponential",
            json!([{"factor": 1, "every_epochs": 0.5}]),
        ),
        (
            "recipe.optimizer.sgd",
            json!([{}, {"momentum": 0}, {"nesterov": true}]),
        ),
        ("recipe.label_smoothing", json!([0, 0.99])),
        (
            "finetune",
            json!([{"weights": "x", "sha256": null, "freeze": "until:block4", "head": "keep"}]),
        ),
    ] {
        let values = values.as_array().unwrap().clone();
        files.extend(values.into_iter().map(|value| run(path, value)));
    }
    files
}

/// An ablation with other parts; a part that is null is left out.
fn ablation(parts: Value) -> Value {
    let mut file = json!({
        "title": "t",
        "question": "q",
        "base": {"model": "xception"},
        "variants": [{"name": "a"}, {"name": "b", "set": {"model.xception.residual": false}}],
        "seeds": [1]
    });
    for (key, part) in parts.as_object().unwrap() {
        match part {
            Value::Null => file.as_object_mut().unwrap().shift_remove(key),
            part => file
                .as_object_mut()
                .unwrap()
                .insert(key.clone(), part.clone()),
        };
    }
    file
}

fn claim(key: &str, value: Value) -> Value {
    let mut claim =
        json!({"text": "t", "source": "s", "metric": "final_top1", "better": "a", "worse": "b"});
    claim[key] = value;
    ablation(json!({"claims": [claim]}))
}

fn axis(path: &str, values: Value) -> Value {
    ablation(json!({"variants": null, "axes": [{"path": path, "values": values}]}))
}

fn set(path: &str, value: Value) -> Value {
    ablation(json!({"variants": [{"name": "a"}, {"name": "b", "set": {path: value}}]}))
}

fn wrong_ablations() -> Vec<Value> {
    let axes = json!([{"path": "recipe.batch_size", "values": [8, 16]}]);
    vec![
        json!({}),
        json!([]),
        ablation(json!({"title": null})),
        ablation(json!({"title": 3})),
        ablation(json!({"question": null})),
        ablation(json!({"base": null})),
        ablation(json!({"base": "xception"})),
        ablation(json!({"base": {"model": "xcepton"}})),
        ablation(json!({"base": {"model": "xception", "$schema": "x"}})),
        ablation(json!({"base": {"model": "xception", "recipe": {"epochs": 0}}})),
        ablation(json!({"base": {"model": "xception", "recpie": {}}})),
        ablation(json!({"base": {"model": "xception", "recipe": {"schedule": {"cosin": {}}}}})),
        ablation(json!({"seeds": null})),
        ablation(json!({"seeds": []})),
        ablation(json!({"seeds": [1, 1]})),
        ablation(json!({"seeds": [-1]})),
        ablation(json!({"seeds": ["1"]})),
        ablation(json!({"seeds": [18_446_744_073_709_551_616.0]})),
        ablation(json!({"seeds": 1})),
        ablation(json!({"seed": 1})),
        ablation(json!({"$schema": 1})),
        ablation(json!({"variants": null})),
        ablation(json!({"variants": []})),
        ablation(json!({"axes": axes})),
        ablation(json!({"variants": [{}]})),
        ablation(json!({"variants": [{"name": ""}]})),
        ablation(json!({"variants": [{"name": ".."}]})),
        ablation(json!({"variants": [{"name": "a", "sets": {}}]})),
        ablation(json!({"variants": ["a"]})),
        set("model.xception.residuals", json!(false)),
        set("residual", json!(false)),
        set("model.xception.width", json!(0)),
        set("recipe.schedule", json!({"exponential": {"factor": 0.9}})),
        set("model", json!("xcepton")),
        set("recipe.epochs.x", json!(1)),
        axis("recipe.batch_size", json!([])),
        axis("recipe.batch_size", json!([8, 8])),
        axis("recipe.batch_size", json!([8, 1])),
        axis("recipe.batch_size", json!(8)),
        axis("recipe.batchsize", json!([8])),
        axis(
            "model.xception.intermediate_activation",
            json!(["none", "rellu"]),
        ),
        ablation(json!({"variants": null, "axes": [{"path": "recipe.batch_size"}]})),
        ablation(json!({"variants": null, "axes": [{"values": [1]}]})),
        ablation(
            json!({"variants": null, "axes": [{"path": "data", "values": [{}], "name": "x"}]}),
        ),
        claim("metric", json!("top1")),
        claim("better", json!(1)),
        claim("source", json!(null)),
        claim("note", json!("x")),
        ablation(
            json!({"claims": [{"text": "t", "metric": "final_top1", "better": "a", "worse": "b"}]}),
        ),
    ]
}

fn right_ablations() -> Vec<Value> {
    vec![
        ablation(json!({})),
        ablation(json!({"$schema": "x.json", "axes": [], "claims": []})),
        ablation(json!({"seeds": [0, u64::MAX]})),
        // What every variant sets may be missing in the base.
        ablation(json!({
            "base": {},
            "variants": [{"name": "a", "set": {"model": "resnet18"}},
                {"name": "b", "set": {"model.xception.width": 0.5}}]
        })),
        ablation(json!({
            "base": {"model": "xception", "recipe": {"schedule": {"exponential": {"factor": 0.9}}}},
            "variants": null,
            "axes": [{"path": "recipe.schedule.exponential.every_epochs", "values": [1, 2.5]}]
        })),
        ablation(json!({
            "base": {"model": "xception", "finetune": {"head": "new"}, "recipe": {"schedule": {}}},
            "variants": [{"name": "a", "set": {"finetune.weights": "x",
                "recipe.schedule.cosine.warmup_epochs": 1}}]
        })),
        set("recipe.schedule", json!("constant")),
        set("data.train_images", json!(null)),
        axis("model", json!(["resnet18", {"xception": {"width": 0.5}}])),
        axis("finetune.weights", json!(["x"])),
        claim("metric", json!("final_train_loss")),
        claim("metric", json!("mean_top1")),
        claim("metric", json!("best_top1")),
    ]
}

#[test]
fn schema_and_reader_refuse_the_same_files() {
    for (kind, files) in [
        (FileKind::Run, wrong_runs()),
        (FileKind::Ablation, wrong_ablations()),
    ] {
        let validator = validator(kind);
        for file in files {
            assert!(!validator.is_valid(&file), "the schema takes {file}");
            assert!(
                read(kind, &file.to_string()).is_err(),
                "the reader takes {file}"
            );
        }
    }
}

#[test]
fn schema_and_reader_take_the_same_files() {
    for (kind, files) in [
        (FileKind::Run, right_runs()),
        (FileKind::Ablation, right_ablations()),
    ] {
        let validator = validator(kind);
        for file in files {
            assert_eq!(faults(&validator, &file), [""; 0], "{file}");
            assert_eq!(read(kind, &file.to_string()), Ok(()), "{file}");
        }
    }
}
