//! Windows of images: as the same part of the whole image, as Pillow decodes and resizes, and how far reduced scales are from it.
//!
//! `fixtures/photo/astronaut.jpg` is NASA's portrait of Eileen Collins, in the public domain, as scikit-image has it, at
//! 400 x 400 pixels.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

use std::path::{Path, PathBuf};

use image::RgbImage;
use image::imageops::crop_imm;
use xception_images::{
    DecodeOptions, EncodedImage, Filter, Preprocessing, PreprocessingError, Resize, ResizeMode,
    Scaling, Window, WindowResize, decode_image,
};
use xception_testing::mutation::Random;

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(folder)
}

/// The files of a folder with this ending, by name, with their content.
fn files(folder: &str, ending: &str) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(fixtures(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| {
            let name = path.to_str().unwrap();
            name.ends_with(ending) && !name.ends_with(".rgb.png")
        })
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read(path).unwrap())
    };
    paths.into_iter().map(read).collect()
}

fn photo() -> Vec<u8> {
    std::fs::read(fixtures("photo").join("astronaut.jpg")).unwrap()
}

fn encoded(bytes: &[u8]) -> EncodedImage<'_> {
    EncodedImage::new(bytes, "it", &DecodeOptions::default()).unwrap()
}

fn resized(
    bytes: &[u8],
    window: Window,
    resize: WindowResize,
) -> Result<Vec<u8>, PreprocessingError> {
    let mut pixels = vec![0; 3 * resize.size[0] * resize.size[1]];
    encoded(bytes)
        .resized_window(window, resize, &mut pixels)
        .map(|()| pixels)
}

/// Without a change of size.
fn unresized(window: Window) -> WindowResize {
    WindowResize {
        size: window.size,
        filter: Filter::Bilinear,
        reducing_gap: None,
    }
}

/// A window of an image, as planes.
fn planes(image: &RgbImage, window: Window) -> Vec<u8> {
    let [top, left, height, width] = [
        window.offset[0],
        window.offset[1],
        window.size[0],
        window.size[1],
    ]
    .map(|n| n as u32);
    let part = crop_imm(image, left, top, width, height).to_image();
    (0..3)
        .flat_map(|channel| {
            part.pixels()
                .map(move |pixel| pixel[channel])
                .collect::<Vec<_>>()
        })
        .collect()
}

fn draw_window(random: &mut Random, [height, width]: [usize; 2]) -> Window {
    let size = [1 + random.below(height), 1 + random.below(width)];
    let offset = [0, 1].map(|axis| random.below([height, width][axis] - size[axis] + 1));
    Window { offset, size }
}

#[test]
fn a_window_is_a_part_of_the_whole() {
    let mut random = Random(0x51_7E_57);
    let jpegs = files("jpeg", ".jpg").into_iter();
    let others = files("decode", "").into_iter();
    let mut turned = 0;
    for (name, bytes) in jpegs.chain(others) {
        let whole = decode_image(&bytes, &name, &DecodeOptions::default()).unwrap();
        let size = [whole.height() as usize, whole.width() as usize];
        assert_eq!(encoded(&bytes).size(), size, "{name}");
        turned += usize::from(name.starts_with("orientation_"));
        let all = Window {
            offset: [0, 0],
            size,
        };
        let drawn = (0..60).map(|_| draw_window(&mut random, size));
        for window in drawn.collect::<Vec<_>>().into_iter().chain([all]) {
            let found = resized(&bytes, window, unresized(window)).unwrap();
            assert!(found == planes(&whole, window), "{name}: {window:?}");
        }
    }
    assert!(turned > 5);
}

/// At windows whose edges lie between reduced pixels, resizing to the reduced size changes nothing.
#[test]
fn reduced_pixels_are_pillows() {
    let mut compared = 0;
    for (name, bytes) in files("jpeg", ".jpg") {
        let size = encoded(&bytes).size();
        for denominator in [2, 4, 8] {
            let reference = fixtures("jpeg").join(format!("{name}.{denominator}.rgb.png"));
            let Ok(reference) = std::fs::read(&reference) else {
                assert!(size.iter().any(|&side| side < denominator), "{name}");
                continue;
            };
            let reference = decode_image(&reference, &name, &DecodeOptions::default()).unwrap();
            let [rows, columns] = size.map(|side| side / denominator);
            for (top, left) in (0..rows).flat_map(|top| (0..columns).map(move |left| (top, left))) {
                let small = Window {
                    offset: [top, left],
                    size: [rows - top, (columns - left).min(5)],
                };
                let window = Window {
                    offset: small.offset.map(|n| n * denominator),
                    size: small.size.map(|n| n * denominator),
                };
                let resize = WindowResize {
                    reducing_gap: Some(1.0),
                    ..unresized(small)
                };
                let found = resized(&bytes, window, resize).unwrap();
                assert!(
                    found == planes(&reference, small),
                    "{name} at 1/{denominator}: {window:?}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 2_000, "{compared}");
}

#[test]
fn windows_are_resized_as_if_they_had_been_cut_out() {
    let mut random = Random(0xC0FFEE);
    let bytes = photo();
    let whole = decode_image(&bytes, "it", &DecodeOptions::default()).unwrap();
    for round in 0..24 {
        let window = draw_window(&mut random, [400, 400]);
        let size = [[71, 71], [299, 299], [32, 50], [1, 200]][round % 4];
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            let preprocessing = Preprocessing {
                size,
                resize: Resize {
                    filter,
                    antialias: true,
                    mode: ResizeMode::Exact,
                },
                crop_fraction: 1.0,
                scaling: Scaling::MinusOneToOne,
            };
            let [top, left] = window.offset.map(|n| n as u32);
            let [height, width] = window.size.map(|n| n as u32);
            let part = crop_imm(&whole, left, top, width, height).to_image();
            let expected = preprocessing.transform(&part).unwrap();
            let all = Window {
                offset: [0, 0],
                size,
            };
            let resize = WindowResize {
                size,
                filter,
                reducing_gap: None,
            };
            let found = resized(&bytes, window, resize).unwrap();
            assert!(
                found == planes(&expected, all),
                "{window:?} to {size:?}, {filter}"
            );
        }
    }
}

/// How far values are apart: their mean distance, and the distance that 99 of 100 don't exceed.
fn distances(a: &[u8], b: &[u8]) -> (f64, u8) {
    let mut distances: Vec<u8> = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).collect();
    distances.sort_unstable();
    let sum: u64 = distances.iter().map(|&d| u64::from(d)).sum();
    (
        sum as f64 / distances.len() as f64,
        distances[distances.len() * 99 / 100],
    )
}

/// The documentation of [`WindowResize::reducing_gap`] has these bounds.
#[test]
fn reduced_scales_stay_near_full_ones() {
    let bytes = photo();
    let mut random = Random(0xBEEF);
    for (gap, mean_bound, most_bound) in [(1.0, 4.0, 20), (2.0, 1.5, 8)] {
        let (mut means, mut most) = (Vec::new(), 0);
        for side in [40, 64, 96] {
            for _ in 0..20 {
                let edge = (gap * 2.0 * side as f64) as usize;
                if edge > 400 {
                    continue;
                }
                let size = [
                    edge + random.below(401 - edge),
                    edge + random.below(401 - edge),
                ];
                let offset = size.map(|length| random.below(401 - length));
                let resize = WindowResize {
                    size: [side, side],
                    filter: Filter::Bilinear,
                    reducing_gap: None,
                };
                let reduced = WindowResize {
                    reducing_gap: Some(gap),
                    ..resize
                };
                let window = Window { offset, size };
                let full = resized(&bytes, window, resize).unwrap();
                let near = resized(&bytes, window, reduced).unwrap();
                let (mean, hundredth) = distances(&full, &near);
                assert!(mean > 0.0, "a reduced scale was used");
                means.push(mean);
                most = most.max(hundredth);
            }
        }
        let worst = means.iter().copied().fold(0.0, f64::max);
        let mean = means.iter().sum::<f64>() / means.len() as f64;
        println!("gap {gap}: mean {mean:.2}, of the worst window {worst:.2}; 99 % within {most}");
        assert!(
            worst < mean_bound && most <= most_bound,
            "gap {gap}: {worst} {most}"
        );
    }
}

#[test]
fn impossible_windows_are_errors() {
    let bytes = photo();
    let window = Window {
        offset: [100, 200],
        size: [50, 60],
    };
    let refused =
        |window, resize: WindowResize| resized(&bytes, window, resize).unwrap_err().to_string();
    for (offset, size) in [
        ([351, 0], [50, 60]),
        ([0, 341], [50, 60]),
        ([0, 0], [0, 60]),
        ([usize::MAX, 0], [50, 60]),
    ] {
        let message = refused(Window { offset, size }, unresized(window));
        assert!(
            message.contains("but has to be within the 400 x 400 pixels of it"),
            "{message}"
        );
    }
    let none = WindowResize {
        size: [0, 5],
        ..unresized(window)
    };
    assert_eq!(
        refused(window, none),
        "`size` is 0 x 5, but has to be 1 x 1 or more"
    );
    for gap in [0.5, -1.0, f64::NAN] {
        let resize = WindowResize {
            reducing_gap: Some(gap),
            ..unresized(window)
        };
        assert!(
            refused(window, resize).starts_with("`reducing_gap` is"),
            "{gap}"
        );
    }
    let error = encoded(&bytes).resized_window(window, unresized(window), &mut [0; 5]);
    assert!(error.unwrap_err().to_string().contains("has 5 values"));
}

/// Nobody should train on a file in one epoch and find it damaged in the next.
#[test]
fn damage_outside_of_the_window_is_an_error() {
    let bytes = photo();
    let window = Window {
        offset: [0, 0],
        size: [8, 8],
    };
    for length in [bytes.len() - 2, bytes.len() * 3 / 4, bytes.len() / 2] {
        let error = resized(&bytes[..length], window, unresized(window)).unwrap_err();
        assert!(
            matches!(error, PreprocessingError::Truncated { .. }),
            "{error}"
        );
    }
}

#[test]
fn the_nearest_pixel_is_one_of_the_image() {
    let bytes = photo();
    let whole = decode_image(&bytes, "it", &DecodeOptions::default()).unwrap();
    let window = Window {
        offset: [7, 11],
        size: [300, 380],
    };
    let resize = WindowResize {
        size: [30, 38],
        filter: Filter::Nearest,
        reducing_gap: Some(1.0),
    };
    let found = resized(&bytes, window, resize).unwrap();
    for (index, &value) in found.iter().enumerate() {
        let (channel, row, column) = (index / 1140, index / 38 % 30, index % 38);
        let pixel = whole.get_pixel((11 + 10 * column + 5) as u32, (7 + 10 * row + 5) as u32);
        assert_eq!(value, pixel[channel]);
    }
}
