#![no_main]

use libfuzzer_sys::fuzz_target;
use xception_images::{
    DecodeLimits, DecodeOptions, EncodedImage, Filter, PreprocessingError, Window, WindowResize, decode_image,
};

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
    // The right lower quarter, at half its size.
    if let Ok(encoded) = EncodedImage::new(bytes, "it", &options) {
        let size = encoded.size().map(|side| side.div_ceil(2));
        let offset = [0, 1].map(|axis| encoded.size()[axis] - size[axis]);
        let resize = WindowResize {
            size: size.map(|side| side.div_ceil(2)),
            filter: Filter::Bilinear,
            reducing_gap: Some(1.0),
        };
        let mut pixels = vec![0; 3 * resize.size[0] * resize.size[1]];
        let _ = encoded.resized_window(Window { offset, size }, resize, &mut pixels);
    }
});
