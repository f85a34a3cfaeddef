//! JPEG files that are damaged, or made to do harm, are errors that say what is wrong: the decoder of our own
//! has no panic, and its memory and time are bounded.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // in helpers too, which clippy.toml does not cover

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use xception_images::{
    DecodeLimits, DecodeOptions, EncodedImage, Filter, JpegError, PreprocessingError, Window,
    WindowResize, decode_image,
};
use xception_testing::mutation::{Random, mutate};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/jpeg")
        .join(name)
}

fn good(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

/// Every committed JPEG file.
fn good_files() -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(fixture("")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "jpg"))
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read(path).unwrap())
    };
    paths.into_iter().map(read).collect()
}

fn decode(bytes: &[u8]) -> Result<image::RgbImage, PreprocessingError> {
    decode_image(bytes, "it.jpg", &DecodeOptions::default())
}

/// The position after a marker.
fn after(bytes: &[u8], marker: u8) -> usize {
    bytes
        .windows(2)
        .position(|pair| pair == [0xff, marker])
        .unwrap()
        + 2
}

/// Mutates good files the same way in every run; `tools/fuzz.sh` searches further. The counts show that the mutations reach
/// both outcomes.
#[test]
fn mutated_images_are_decoded_or_are_errors() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let options = DecodeOptions {
        limits: DecodeLimits {
            max_pixels: 1 << 20,
            ..DecodeLimits::default()
        },
        ..DecodeOptions::default()
    };
    let (mut decoded, mut damaged, mut truncated, mut others) = (0, 0, 0, 0);
    for (name, good) in good_files() {
        for _ in 0..80 {
            let mut bytes = good.clone();
            mutate(&mut bytes, &mut random);
            let begin = Instant::now();
            match decode_image(&bytes, &name, &options) {
                Ok(image) => {
                    assert!(image.width() > 0 && image.height() > 0, "{name}");
                    decoded += 1;
                }
                // Another format's decoder may break down, on a file that no longer begins like a JPEG.
                Err(PreprocessingError::DecoderFailed { format: "JPEG", .. }) => {
                    panic!("the decoder panicked on a file made of {name}")
                }
                Err(PreprocessingError::Jpeg { .. }) => damaged += 1,
                Err(PreprocessingError::Truncated { .. }) => truncated += 1,
                Err(_) => others += 1,
            }
            decode_a_window(&bytes, &name, &options);
            assert!(begin.elapsed() < Duration::from_secs(10), "{name}");
        }
    }
    println!("{decoded} decoded, {damaged} damaged, {truncated} truncated, {others} other errors");
    assert!(decoded > 100 && damaged > 100 && truncated > 10);
}

/// Decodes the right lower quarter of an image at half its size: a window is whole exactly if the image is.
fn decode_a_window(bytes: &[u8], name: &str, options: &DecodeOptions) {
    let Ok(encoded) = EncodedImage::new(bytes, name, options) else {
        return;
    };
    let size = encoded.size().map(|side| side.div_ceil(2));
    let window = Window {
        offset: [0, 1].map(|axis| encoded.size()[axis] - size[axis]),
        size,
    };
    let resize = WindowResize {
        size: size.map(|side| side.div_ceil(2)),
        filter: Filter::Bilinear,
        reducing_gap: Some(1.0),
    };
    let mut pixels = vec![0; 3 * resize.size[0] * resize.size[1]];
    let found = encoded.resized_window(window, resize, &mut pixels);
    assert_eq!(
        found.is_ok(),
        decode_image(bytes, name, options).is_ok(),
        "{name}"
    );
}

/// Replays what fuzzing found. A file that isn't listed, or is listed but not there, fails the test.
#[test]
fn what_was_found_keeps_its_outcome() {
    // (file, the error's text)
    const EXPECTED: [(&str, &str); 0] = [];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/found/image");
    let mut names: Vec<_> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect(),
        Err(_) => Vec::new(),
    };
    names.sort();
    assert_eq!(names, EXPECTED.map(|(name, _)| name));
    for (name, expected) in EXPECTED {
        let error = decode(&std::fs::read(folder.join(name)).unwrap()).unwrap_err();
        assert!(error.to_string().contains(expected), "{name}: {error}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_an_error_at_every_length() {
    for name in [
        "420.jpg",
        "420_progressive.jpg",
        "420_restarts.jpg",
        "cmyk_420.jpg",
    ] {
        let bytes = good(name);
        for length in 4..bytes.len() {
            match decode(&bytes[..length]) {
                Err(PreprocessingError::Truncated { .. }) => {}
                other => panic!("{name}, {length}: {other:?}"),
            }
        }
    }
}

#[test]
fn sizes_are_checked_before_decoding() {
    let mut bytes = good("420_progressive.jpg");
    let header = after(&bytes, 0xc2);
    bytes[header + 3..header + 7].fill(0xff);
    let begin = Instant::now();
    let error = decode(&bytes).unwrap_err();
    assert!(matches!(
        error,
        PreprocessingError::ImageTooLarge {
            width: 65_535,
            height: 65_535,
            ..
        }
    ));
    assert!(begin.elapsed() < Duration::from_secs(10));
}

/// Returns the reason why a JPEG file is an error.
fn what(bytes: &[u8]) -> String {
    match decode(bytes).unwrap_err() {
        PreprocessingError::Jpeg { name, source } => {
            assert_eq!(name, "it.jpg");
            assert!(!matches!(source, JpegError::Truncated));
            source.to_string()
        }
        error => panic!("{error}"),
    }
}

#[test]
fn damage_is_named() {
    let base = good("420.jpg");
    let scan = after(&base, 0xda);
    // (what is done to the file, what the error says)
    let damaged = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = base.clone();
        change(&mut bytes);
        what(&bytes)
    };
    for (error, expected) in [
        (
            damaged(&|bytes| bytes[scan + 2] = 0),
            "a scan has an impossible number of components",
        ),
        (
            damaged(&|bytes| bytes[scan + 3] = 77),
            "a scan has a component that the frame lacks",
        ),
        (
            damaged(&|bytes| bytes[scan + 4] = 0x40),
            "a scan has an impossible Huffman table",
        ),
        (
            damaged(&|bytes| bytes[scan + 4] = 0x22),
            "a Huffman table is missing",
        ),
        (
            damaged(&|bytes| {
                let frame = after(bytes, 0xc0);
                bytes[frame + 10] = 3;
            }),
            "a quantization table is missing",
        ),
        (
            damaged(&|bytes| {
                let frame = after(bytes, 0xc0);
                bytes[frame - 1] = 0xc9;
            }),
            "arithmetically coded JPEG, which isn't supported",
        ),
        (
            damaged(&|bytes| {
                let end = bytes.len() - 2;
                bytes.truncate(scan + 60);
                bytes.extend(&base[end..]);
            }),
            "the data of a scan end before its last block",
        ),
        (
            damaged(&|bytes| {
                let frame = after(bytes, 0xc0);
                let header = bytes[frame - 2..frame + 17].to_vec();
                bytes.splice(frame - 2..frame - 2, header);
            }),
            "there is a second frame header",
        ),
    ] {
        assert!(error.contains(expected), "{error} instead of {expected}");
    }
    let mut restarts = good("420_restarts.jpg");
    let second = after(&restarts, 0xd1);
    restarts[second - 1] = 0xd3;
    assert!(what(&restarts).contains("a restart marker is missing"));
    assert!(what(b"\xff\xd8\xff\xd9").contains("there is no image"));
}

/// Bytes between segments, and after the end, are no damage; nor is a comment.
#[test]
fn what_other_programs_leave_behind_is_skipped() {
    let bytes = good("420.jpg");
    let image = decode(&bytes).unwrap();
    let mut changed = bytes[..2].to_vec();
    changed.extend([0xff, 0xff, 0xfe, 0, 6, 0xff, 0xd9, 0xff, 0xda, 7, 7, 7]);
    changed.extend(&bytes[2..bytes.len() - 2]);
    changed.extend([1, 2, 3, 0xff, 0, 0xff, 0xd9, 0xff, 0xd8, 5]);
    assert_eq!(decode(&changed).unwrap(), image);
}

/// A scan of a few bytes asks for a pass over the whole image.
#[test]
fn scans_are_limited() {
    let bytes = good("gray_progressive.jpg");
    let scan = after(&bytes, 0xda) - 2;
    let next = scan + 2 + after(&bytes[scan + 2..], 0xc4) - 2;
    let first = bytes[scan..next].to_vec();
    let mut many = bytes[..scan].to_vec();
    for _ in 0..300 {
        many.extend(&first);
    }
    many.extend(&bytes[scan..]);
    assert_eq!(
        what(&many),
        "it is JPEG of more than 256 scans, which isn't supported"
    );
}
