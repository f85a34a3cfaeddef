//! Resizing and decoding against Pillow and TensorFlow.
//!
//! The files in `fixtures` come from `scripts/make_resize_reference.py`,
//! `scripts/make_decode_reference.py` and `scripts/make_jpeg_reference.py`. Other folders of the first's
//! and the last's can be named by the environment variables `RESIZE_REFERENCE` and `JPEG_REFERENCE`, and
//! `cargo test --test preprocessing_reference -- --nocapture` shows how far the pixels are apart.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use image::RgbImage;
use serde::Deserialize;
use xception_images::{DecodeOptions, Preprocessing, decode_image, read_image};

/// How many values differ by how many of 255.
type Histogram = BTreeMap<u8, usize>;

#[derive(Deserialize)]
struct Case {
    image: PathBuf,
    preprocessing: Preprocessing,
    expected: PathBuf,
}

fn fixtures(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn read(path: &Path) -> RgbImage {
    read_image(path, &DecodeOptions::default()).unwrap()
}

fn count_differences(found: &RgbImage, expected: &RgbImage, name: &str) -> Histogram {
    assert_eq!(found.dimensions(), expected.dimensions(), "{name}");
    let mut histogram = Histogram::new();
    for (a, b) in found.as_raw().iter().zip(expected.as_raw()) {
        *histogram.entry(a.abs_diff(*b)).or_default() += 1;
    }
    histogram
}

fn largest(histogram: &Histogram) -> u8 {
    histogram.keys().copied().max().unwrap_or(0)
}

#[test]
fn resized_pixels_are_pillows_and_tensorflows() {
    let folder =
        std::env::var_os("RESIZE_REFERENCE").map_or_else(|| fixtures("resize"), PathBuf::from);
    let cases = std::fs::read_to_string(folder.join("cases.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&cases).unwrap();
    assert!(cases.len() >= 90);
    let mut totals = BTreeMap::<String, Histogram>::new();
    let mut far = Vec::new();
    for case in cases {
        let name = case.expected.display().to_string();
        let found = case
            .preprocessing
            .transform(&read(&folder.join(&case.image)))
            .unwrap();
        let histogram = count_differences(&found, &read(&folder.join(&case.expected)), &name);
        let resize = case.preprocessing.resize;
        // TensorFlow looks the cubic up in a table; Pillow's pixels are met exactly.
        let allowed = u8::from(!resize.antialias);
        if largest(&histogram) > allowed {
            far.push(format!("{name}: {histogram:?}"));
        }
        let total = totals
            .entry(format!("{}, antialias {}", resize.filter, resize.antialias))
            .or_default();
        for (difference, count) in histogram {
            *total.entry(difference).or_default() += count;
        }
    }
    println!("{totals:#?}");
    assert!(far.is_empty(), "{far:#?}");
}

/// How far each image file of a folder is from the pixels beside it.
fn compare(folder: &Path) -> Vec<(String, Histogram)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".rgb.png") {
            continue;
        }
        let expected = read(&path.with_file_name(format!("{name}.rgb.png")));
        let histogram = count_differences(&read(&path), &expected, &name);
        found.push((name, histogram));
    }
    found.sort();
    found
}

#[test]
fn decoded_pixels_are_pillows() {
    let files = compare(&fixtures("decode"));
    assert!(files.len() >= 39, "{}", files.len());
    for (name, histogram) in files {
        assert_eq!(largest(&histogram), 0, "{name}: {histogram:?}");
    }
}

/// The names of the files are divided by hyphens: the first two parts are a row of the table.
#[test]
fn jpeg_pixels_are_pillows() {
    let folder = std::env::var_os("JPEG_REFERENCE").map_or_else(|| fixtures("jpeg"), PathBuf::from);
    let files = compare(&folder);
    assert!(files.len() >= 25, "{}", files.len());
    let mut table = BTreeMap::<String, (usize, Histogram)>::new();
    for (name, histogram) in files {
        let kind: Vec<&str> = name.split('-').take(2).collect();
        let (count, total) = table.entry(kind.join(" ")).or_default();
        *count += 1;
        for (difference, values) in histogram {
            *total.entry(difference).or_default() += values;
        }
    }
    println!("{:24} files  values    largest difference  equal", "kind");
    for (kind, (count, total)) in &table {
        let values: usize = total.values().sum();
        let equal = total.get(&0).copied().unwrap_or(0) as f64 / values as f64;
        let largest = largest(total);
        println!(
            "{kind:24} {count:5}  {values:8}  {largest:18}  {:.4} %",
            100.0 * equal
        );
    }
    assert!(table.values().all(|(_, total)| largest(total) == 0));
}

/// The frame's size says 8 x 8 pixels, the image in it has 37 x 23: the decoder runs over its buffer.
#[test]
fn broken_decoders_are_errors() {
    let mut bytes = std::fs::read(fixtures("decode").join("animated.webp")).unwrap();
    let frame = bytes.windows(4).position(|name| name == b"ANMF").unwrap() + 8;
    bytes[frame + 6..frame + 12].copy_from_slice(&[7, 0, 0, 7, 0, 0]);
    let error = decode_image(&bytes, "it.webp", &DecodeOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the WebP decoder broke down on it.webp: the file is damaged; fetch it again or save it as PNG"
    );
}

#[test]
fn orientation_can_be_left_alone() {
    let options = DecodeOptions {
        orientation: false,
        ..DecodeOptions::default()
    };
    let turned = fixtures("decode").join("orientation_6.png");
    let plain = fixtures("decode").join("orientation_1.png");
    assert_eq!(read_image(&turned, &options).unwrap(), read(&plain));
    assert_ne!(read(&turned), read(&plain));
}
