#![no_main]

use libfuzzer_sys::fuzz_target;
use xception_fuzz::readers::pytorch;

fuzz_target!(|bytes: &[u8]| {
    let _ = pytorch(bytes);
});
