#![no_main]

use libfuzzer_sys::fuzz_target;
use xception_images::Labels;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let labels = Labels::parse(text);
        assert!(labels.len() <= text.lines().count());
        assert!(labels.iter().all(|name| name == name.trim()));
    }
});
