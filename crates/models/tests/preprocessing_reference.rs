//! Resizing and decoding against Pillow and TensorFlow.
//!
//! The files in `fixtures/preprocessing` come from `scripts/make_resize_reference.py` and
//! `scripts/make_decode_reference.py`. Another folder of the former's can be named by the environment
//! variable `RESIZE_REFERENCE`, and `cargo test --test preprocessing_reference -- --nocapture` shows
//! how far the pixels are apart.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use image::RgbImage;
use serde::Deserialize;
use xception_models::preprocessing::{DecodeOptions, Preprocessing, decode_image, read_image};

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
        .join("tests/fixtures/preprocessing")
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

/// The largest difference allowed: JPEG leaves the decoder's rounding open, and the interpolation of
/// subsampled color even more.
fn allowed(name: &str) -> u8 {
    match name {
        "color_420.jpg" | "progressive.jpg" => 4,
        name if name.ends_with(".jpg") => 2,
        _ => 0,
    }
}

#[test]
fn decoded_pixels_are_pillows() {
    let mut files = 0;
    let mut far = Vec::new();
    for entry in std::fs::read_dir(fixtures("decode")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(".rgb.png") {
            continue;
        }
        files += 1;
        let expected = read(&path.with_file_name(format!("{name}.rgb.png")));
        match read_image(&path, &DecodeOptions::default()) {
            Ok(found) => {
                let histogram = count_differences(&found, &expected, &name);
                if largest(&histogram) > 0 {
                    println!("{name}: {histogram:?}");
                }
                if largest(&histogram) > allowed(&name) {
                    far.push(format!("{name}: {histogram:?}"));
                }
            }
            Err(error) => far.push(error.to_string()),
        }
    }
    assert!(files >= 39, "{files}");
    assert!(far.is_empty(), "{far:#?}");
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
