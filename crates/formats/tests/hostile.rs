//! Damaged files, and files made to do harm, are errors that say what is wrong; they take bounded memory and time.
//!
//! `tools/fuzz.sh` searches for more. What it finds is kept in `fixtures/found/TARGET` and replayed here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use support::readers::{self, Counts, Outcome};
use xception_testing::mutation::{Random, mutate};

type Reader = fn(&[u8]) -> Outcome;

/// The readers by the names of their fuzz targets, each with a good file.
const READERS: [(&str, Reader, &str); 7] = [
    ("safetensors", readers::safetensors, "small.safetensors"),
    ("pytorch", readers::pytorch, "small.pth"),
    ("burnpack", readers::burnpack, "small.bpk"),
    ("keras_hdf5", readers::keras_hdf5, "small.h5"),
    ("keras_hdf5", readers::keras_hdf5, "small.weights.h5"),
    ("keras_hdf5", readers::keras_hdf5, "small_keras1.h5"),
    ("keras_archive", readers::keras_archive, "small.keras"),
];

/// The longest that reading one of these files may take, with room for a slow machine.
const LONGEST: Duration = Duration::from_secs(10);

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn bytes_of(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).unwrap()
}

#[test]
fn a_file_that_is_cut_off_is_an_error_at_every_length() {
    for (target, reader, name) in READERS {
        let bytes = bytes_of(name);
        let step = (bytes.len() / 500).max(1);
        for length in (0..bytes.len()).step_by(step).chain([bytes.len() - 1]) {
            let outcome = reader(&bytes[..length]);
            let error = outcome.expect_err(&format!("{name}, {length} bytes, was read"));
            let named = error.starts_with("FILE can't be read as ");
            assert!(named, "{target}, {name}, {length} bytes: {error}");
        }
    }
}

#[test]
fn sizes_that_a_safetensors_header_makes_up_are_not_believed() {
    let file = |length: Option<u64>, text: &str| {
        let length = length.unwrap_or(text.len() as u64);
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(text.as_bytes());
        bytes
    };
    let tensor = |shape: &str, end: u64| {
        format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{end}]}}}}"#)
    };
    for (length, text, reason) in [
        (
            Some(u64::MAX),
            "{}".to_owned(),
            "18446744073709551615 bytes, of a file of 10",
        ),
        (
            Some(1 << 40),
            "{}".to_owned(),
            "1099511627776 bytes, of a file of 10",
        ),
        (Some(3), "{}".to_owned(), "3 bytes, of a file of 10"),
        (
            None,
            tensor("[1099511627776]", 4),
            "invalid shape, data type, or offset",
        ),
        (None, tensor("[4294967296,4294967296]", 0), "overflow"),
        (
            None,
            tensor("[1]", 9_999_999_999_999),
            "invalid shape, data type, or offset",
        ),
        (
            None,
            tensor("[1]", 4),
            "its tensors take 4 bytes, but 0 follow the header",
        ),
    ] {
        let error = readers::safetensors(&file(length, &text)).unwrap_err();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn climbing_paths_are_not_followed_and_code_is_not_run() {
    let targets = [
        Path::new("/tmp/data.pkl"),
        Path::new("/tmp/the-pickle-was-run"),
    ];
    let before = targets.map(Path::exists);
    // Names in an archive are no paths: its pickle, which holds no tensor, is read, and nothing is unpacked.
    let climbing = readers::pytorch(&bytes_of("hostile_climbing.pth"));
    assert_eq!(climbing, Ok(Counts::default()));
    // A call of `os.system` is data, and no tensor.
    let code = readers::pytorch(&bytes_of("hostile_code_archive.pth"));
    assert_eq!(code, Ok(Counts::default()));
    assert_eq!(targets.map(Path::exists), before);
}

/// Replays what fuzzing found. A file that isn't listed, or is listed but not there, fails the test.
#[test]
fn what_was_found_keeps_its_outcome() {
    let expected: BTreeMap<(&str, &str), Result<Counts, &str>> = BTreeMap::from([(
        ("keras_hdf5", "signature_only"),
        Err("as HDF5: unexpected end of data at offset 8"),
    )]);
    let mut seen = 0;
    for folder in fs::read_dir(fixture("found")).unwrap() {
        let folder = folder.unwrap().path();
        let target = folder.file_name().unwrap().to_str().unwrap();
        let reader = READERS.iter().find(|(name, ..)| *name == target);
        let (_, reader, _) = reader.unwrap_or_else(|| panic!("no target {target}"));
        for file in fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let begin = Instant::now();
            let outcome = reader(&fs::read(&path).unwrap());
            assert!(begin.elapsed() < LONGEST, "{target}/{name}");
            let expected = expected
                .get(&(target, name))
                .unwrap_or_else(|| panic!("{target}/{name} isn't listed: {outcome:?}"));
            match (&outcome, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{target}/{name}"),
                (Err(error), Err(reason)) => {
                    assert!(error.contains(reason), "{target}/{name}: {error}");
                }
                _ => panic!("{target}/{name}: {outcome:?} instead of {expected:?}"),
            }
            seen += 1;
        }
    }
    assert_eq!(seen, expected.len());
}

/// Mutates good files the same way in every run. The counts show that the mutations reach both outcomes.
#[test]
fn mutated_files_are_read_or_are_errors() {
    const COUNT: usize = 1500;
    for (target, reader, name) in READERS {
        let good = bytes_of(name);
        let whole = reader(&good).unwrap();
        assert!(whole.numbers > 0, "{name}");
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let (mut read, mut errors, mut changed) = (0, 0, 0);
        for _ in 0..COUNT {
            let mut bytes = good.clone();
            mutate(&mut bytes, &mut random);
            let begin = Instant::now();
            match reader(&bytes) {
                Ok(counts) => {
                    read += 1;
                    changed += usize::from(counts != whole);
                }
                Err(error) => {
                    errors += 1;
                    assert!(error.starts_with("FILE can't be read"), "{name}: {error}");
                }
            }
            assert!(begin.elapsed() < LONGEST, "{name}");
        }
        println!(
            "{target}, {name}: {read} read, {changed} of them other than whole, {errors} errors"
        );
        assert!(errors > COUNT / 20, "{name}: {errors} errors");
        // Of an archive, whose checksums most changes break, few are read.
        assert!(read >= 5, "{name}: {read} read");
    }
}
