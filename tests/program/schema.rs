//! The schemas of configuration files: those in `configs/schema`, and whether the reader agrees with them.
//! `tools/check-schemas` holds the same files against the schemas.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use xception::train::config::schema::FileKind;
use xception::train::config::{AblationConfig, RunConfig};

use crate::support::{fail, json as read_json, regenerates, succeed};

/// What the reader finds wrong.
fn read(kind: FileKind, text: &str) -> Result<(), String> {
    match kind {
        FileKind::Run => <RunConfig>::parse(text, &[]).map(drop),
        FileKind::Ablation => <AblationConfig>::parse("file", text, &[]).map(drop),
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
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
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
    }
    fail(2, &["schema", "report"]);
}

#[test]
fn every_shipped_file_is_read_and_names_its_schema() {
    for (folder, kind, least) in [
        ("ablations", FileKind::Ablation, 6),
        ("studies", FileKind::Ablation, 5),
        ("models", FileKind::Run, 1),
        ("recipes", FileKind::Run, 4),
    ] {
        let files = shipped(folder);
        assert!(files.len() >= least, "{files:?}");
        for path in files {
            let file = read_json(&path);
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
    let grid = <AblationConfig>::read(&file, &[]).unwrap();
    assert_eq!(grid.variants.len(), 6);
    assert_eq!(
        grid.base().name,
        "residual=true, intermediate_activation=none"
    );
    assert_eq!(grid.claims.len(), 6);
}

/// The files of a list in `tests/configurations`, which `tools/check-schemas` holds against the schemas.
fn files(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/configurations")
        .join(name);
    let files = read_json(&path).as_array().unwrap().clone();
    assert!(!files.is_empty(), "{name}");
    files
}

#[test]
fn the_reader_takes_what_fits_the_schema() {
    for kind in FileKind::ALL {
        for file in files(&format!("{}.right.json", kind.name())) {
            assert_eq!(read(kind, &file.to_string()), Ok(()), "{file}");
        }
    }
}

#[test]
fn the_reader_refuses_what_does_not_fit_the_schema() {
    for kind in FileKind::ALL {
        for file in files(&format!("{}.wrong.json", kind.name())) {
            assert!(
                read(kind, &file.to_string()).is_err(),
                "the reader takes {file}"
            );
        }
    }
}
