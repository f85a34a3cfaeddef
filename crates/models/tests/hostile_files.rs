//! Damaged and malicious files are errors: they cause no panic, and reading them takes bounded memory and time.
//!
//! A mutation fuzzer changes valid files for a few seconds, or for `XCEPTION_FUZZ_SECONDS` seconds if that is set.
//! The files that it or a person has found are kept in `tests/fixtures/found`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use burn::prelude::*;
use flate2::read::GzDecoder;
use support::fixtures;
use support::mutation::{Random, mutate};
use xception_models::preprocessing::Preset;
use xception_models::weights::{LoadOptions, load};

/// Seconds for which the fuzzer runs by default.
const SECONDS: u64 = 5;

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

/// Makes a valid file of each format.
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
    assert!(error(&fixtures::folder()).contains("can't"));
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
    // The file is too short to be recognized by its content, so that its name decides.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xception.keras");
    fs::write(&path, b"PK\x03\x04").unwrap();
    assert!(error(&path).contains("as a Keras archive"));
}

#[test]
fn a_truncated_file_is_an_error() {
    for (name, bytes) in good_files() {
        for part in [1, 8, 100, 1000, bytes.len() / 2, bytes.len() - 1] {
            println!("{name} {part}");
            error_of(&bytes[..part]);
        }
    }
}

#[test]
fn sizes_that_a_header_makes_up_are_not_believed() {
    let header = |length: u64, text: &str| {
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(text.as_bytes());
        bytes
    };
    for (length, text) in [
        (u64::MAX, "{}"),
        (1 << 40, "{}"),
        (3, "{}"),
        (
            70,
            r#"{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4]}}    "#,
        ),
        (
            75,
            r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#,
        ),
        (
            66,
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,9999999999999]}}"#,
        ),
    ] {
        error_of(&header(length, text));
    }
}

#[test]
fn code_in_a_pickle_is_not_run() {
    let marker = Path::new("/tmp/the-pickle-was-run");
    for name in ["hostile_code.pth", "hostile_code_archive.pth"] {
        println!("{}", error(&fixtures::folder().join(name)));
        assert!(!marker.exists());
    }
}

#[test]
fn bombs_and_climbing_paths_are_errors() {
    for name in [
        "hostile_bomb.pth",
        "hostile_bomb_config.keras",
        "hostile_bomb_model.keras",
        "hostile_climbing.pth",
    ] {
        println!("{}", error(&fixtures::folder().join(name)));
    }
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

#[test]
fn what_was_found_stays_an_error() {
    let folder = fixtures::folder().join("found");
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        println!("{}", path.display());
        let _ = load(&path, &LoadOptions::default(), &Device::flex());
    }
}

#[test]
fn mutated_files_never_panic() {
    let seconds = std::env::var("XCEPTION_FUZZ_SECONDS").ok();
    let seconds = seconds
        .and_then(|text| text.parse().ok())
        .unwrap_or(SECONDS);
    let seed = match seconds {
        SECONDS => 1,
        _ => std::process::id().into(),
    };
    let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ seed);
    let files = good_files();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mutated");
    let device = Device::flex();
    let start = Instant::now();
    let (mut count, mut loaded, mut slowest) = (0, 0, Duration::ZERO);
    while start.elapsed() < Duration::from_secs(seconds) {
        let (name, bytes) = &files[count % files.len()];
        let mut bytes = bytes.clone();
        mutate(&mut bytes, &mut random);
        fs::write(&path, &bytes).unwrap();
        let begin = Instant::now();
        let result =
            std::panic::catch_unwind(|| load(&path, &LoadOptions::default(), &device).is_ok());
        let time = begin.elapsed();
        slowest = slowest.max(time);
        count += 1;
        match result {
            Ok(ok) => loaded += usize::from(ok),
            Err(_) => keep(&bytes, name, "panicked"),
        }
        if time > Duration::from_secs(10) {
            keep(&bytes, name, "was slow");
        }
    }
    println!("{count} files, of which {loaded} still loaded; the slowest took {slowest:?}");
}

/// Keeps a file that the fuzzer found, for the corpus.
fn keep(bytes: &[u8], name: &str, what: &str) -> ! {
    let path = std::env::temp_dir().join(format!("found-{}-{name}", std::process::id()));
    fs::write(&path, bytes).unwrap();
    panic!(
        "a file made of {name} {what}; it is kept as {}",
        path.display()
    );
}
