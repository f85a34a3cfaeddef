//! What a folder of images holds but can't be used.

use xception::train::data::Skipped;

use crate::batches::tell_skipped;

/// Tells on standard error of each file that it is passed over.
pub fn tell_skipped_files(skipped: &[Skipped]) {
    for file in skipped {
        tell_skipped(&file.to_string());
    }
}
