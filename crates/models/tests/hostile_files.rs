//! Files that are damaged, or made to do harm, are errors of `load` too: no panic, and bounded time.
//!
//! The readers are tested by `xception-formats`, and fuzzed by `tools/fuzz.sh`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use burn::prelude::*;
use flate2::read::GzDecoder;
use support::fixtures;
use xception_models::preprocessing::Preset;
use xception_models::weights::{LoadOptions, load};
use xception_testing::mutation::{Random, mutate};

fn error(path: &Path) -> String {
    match load(path, &LoadOptions::default(), &Device::flex()) {
        Ok(_) => panic!("{} was loaded", path.display()),
        Err(error) => error.to_string(),
    }
}

/// Writes bytes to a scratch file, and returns the error of loading it.
fn error_of(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, bytes).unwrap();
    error(&path)
}

/// A good file of every format.
fn good_files() -> Vec<(String, Vec<u8>)> {
    let names = [
        "xception.h5.gz",
        "xception_nested.weights.h5.gz",
        "xception_two_dense.keras.gz",
        "resnet18.pth",
        "resnet18_legacy.pth",
    ];
    let mut files: Vec<_> = names
        .into_iter()
        .map(|name| {
            let bytes = fs::read(fixtures::folder().join(name)).unwrap();
            let bytes = match name.strip_suffix(".gz") {
                Some(_) => {
                    let mut unpacked = Vec::new();
                    std::io::copy(&mut GzDecoder::new(&bytes[..]), &mut unpacked).unwrap();
                    unpacked
                }
                None => bytes,
            };
            (name.to_owned(), bytes)
        })
        .collect();
    let device = Device::flex();
    let path = fixtures::folder().join("resnet18.pth");
    let loaded = load(&path, &LoadOptions::default(), &device).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    xception_models::weights::save_safetensors(&loaded, &path).unwrap();
    files.push(("safetensors".to_owned(), fs::read(&path).unwrap()));
    xception_models::weights::save_burnpack(&loaded, &path).unwrap();
    files.push(("burnpack".to_owned(), fs::read(&path).unwrap()));
    files
}

#[test]
fn what_is_no_weights_file_is_said_to_be_none() {
    for bytes in [&b""[..], b"x", b"not weights at all", &[0; 1000]] {
        assert!(error_of(bytes).contains("in no format that is read"));
    }
    assert!(error(Path::new("/nowhere/at/all")).contains("can't read /nowhere/at/all"));
    assert!(error(&fixtures::folder()).contains("can't read"));
}

#[test]
fn what_is_no_regular_file_is_refused_before_it_is_opened() {
    for path in [Path::new("/dev/zero"), &fixtures::folder()] {
        let error = load(path, &LoadOptions::default(), &Device::flex()).unwrap_err();
        let text = xception_messages::with_causes(&error);
        assert!(text.ends_with(", not a regular file"), "{text}");
    }
}

#[test]
fn a_truncated_keras_archive_is_no_checkpoint_of_pytorch() {
    for (name, bytes) in good_files() {
        let error = match name.as_str() {
            "xception_two_dense.keras.gz" => error_of(&bytes[..bytes.len() / 2]),
            "resnet18.pth" => error_of(&bytes[..bytes.len() / 2]),
            _ => continue,
        };
        let format = match name.ends_with(".pth") {
            true => "as a PyTorch checkpoint",
            false => "as a Keras archive",
        };
        assert!(error.contains(format), "{name}: {error}");
    }
    // So short that only the name tells.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xception.keras");
    fs::write(&path, b"PK\x03\x04").unwrap();
    assert!(error(&path).contains("as a Keras archive"));
}

#[test]
fn a_truncated_file_is_an_error() {
    for (name, bytes) in good_files() {
        for part in [1, 8, 100, 1000, bytes.len() / 2, bytes.len() - 1] {
            let error = error_of(&bytes[..part]);
            let told = ["can't be read as", "in no format that is read"];
            assert!(
                told.iter().any(|told| error.contains(told)),
                "{name}, {part} of {} bytes: {error}",
                bytes.len()
            );
        }
    }
}

/// The tensor that the pickle would make by a call of `os.system` is missing.
#[test]
fn code_in_a_pickle_is_not_run() {
    let marker = Path::new("/tmp/the-pickle-was-run");
    let before = marker.exists();
    let error = error(&fixtures::folder().join("hostile_code.pth"));
    assert!(error.contains("conv1.weight"), "{error}");
    assert_eq!(marker.exists(), before);
}

#[test]
fn a_configuration_of_endless_size_is_an_error() {
    let preprocessing = serde_json::to_string(&Preset::TimmXception.preprocessing()).unwrap();
    let file = |config: &str| {
        let text = serde_json::json!({
            "__metadata__": {
                "xception.config": config,
                "xception.preprocessing": preprocessing,
                "xception.source": "\"native\"",
            },
            "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        })
        .to_string();
        let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
        bytes.extend(text.as_bytes());
        bytes.extend([0; 4]);
        bytes
    };
    for (config, reason) in [
        (
            r#"{"xception": {"middle_modules": 1000000000000}}"#,
            "modules in the middle flow",
        ),
        (r#"{"resnet": {"classes": 1000000000000}}"#, "classes"),
        (
            r#"{"inception_resnet_v2": {"block35": 1000000000000}}"#,
            "blocks at 35 x 35",
        ),
        (
            r#"{"xception": {"middle_modules": 0, "fully_connected": [1000000000000]}}"#,
            "units",
        ),
        (r#"{"resnet": {"width": 1e300}}"#, "width"),
        (r#"{"resnet": {"width": 16}}"#, "parameters"),
        (r#"{"resnet": {"depth": 7}}"#, "depth"),
        ("[[[[", "config"),
    ] {
        let error = error_of(&file(config));
        assert!(error.contains(reason), "{error}");
    }
}

/// Mutates good files the same way in every run. Most are errors of the readers, which `xception-formats` tests; here some
/// have to reach the network, and be refused or loaded.
#[test]
fn mutated_files_are_loaded_or_are_errors() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for (name, good) in good_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mutated");
        let (mut loaded, mut errors) = (0, 0);
        for _ in 0..60 {
            let mut bytes = good.clone();
            mutate(&mut bytes, &mut random);
            fs::write(&path, &bytes).unwrap();
            let begin = Instant::now();
            match load(&path, &LoadOptions::default(), &Device::flex()) {
                Ok(_) => loaded += 1,
                Err(error) => {
                    errors += 1;
                    let text = error.to_string();
                    assert!(
                        text.contains("mutated"),
                        "{name}: the file isn't named: {text}"
                    );
                }
            }
            assert!(begin.elapsed() < Duration::from_secs(10), "{name}");
        }
        println!("{name}: {loaded} loaded, {errors} errors");
        assert!(errors > 0, "{name}");
        // The checksums of an archive find nearly every change.
        let archive = name.ends_with(".keras.gz") || name.ends_with(".pth");
        assert!(archive || loaded > 0, "{name}");
    }
}
