#![no_main]

use libfuzzer_sys::fuzz_target;
use xception_fuzz::readers::keras_hdf5;

fuzz_target!(|bytes: &[u8]| {
    let _ = keras_hdf5(bytes);
});
