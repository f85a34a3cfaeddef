//! What tests of several crates share. It is a crate, not a feature of others, so that these are the same with and without tests, and
//! compiled once.

#![allow(clippy::unwrap_used)] // a test that panics here has failed

pub mod mutation;
pub mod server;

/// Encodes pixels, `height * width * 3` bytes row by row, as a JPEG file of quality 75.
///
/// # Panics
///
/// If there are fewer bytes, or a side is longer than JPEG's 65,535 pixels.
#[must_use]
pub fn jpeg(pixels: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut file, 75);
    let [width, height] = [width, height].map(|side| side.try_into().unwrap());
    encoder
        .encode(pixels, width, height, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    file
}
