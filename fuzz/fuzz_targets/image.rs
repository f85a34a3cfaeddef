#![no_main]

use libfuzzer_sys::fuzz_target;
use xception_images::{DecodeLimits, DecodeOptions, PreprocessingError, decode_image};

// Panics of decoders of other crates are caught and are errors, so the hook that aborts is taken out. The decoder of JPEG is
// this project's own, and must not panic.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| ())), |bytes: &[u8]| {
    let options = DecodeOptions {
        limits: DecodeLimits { max_pixels: 1 << 18, ..DecodeLimits::default() },
        ..DecodeOptions::default()
    };
    if let Err(PreprocessingError::DecoderFailed { format: "JPEG", .. }) = decode_image(bytes, "it", &options) {
        std::process::abort();
    }
});
