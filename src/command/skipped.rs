//! Reports of files that are skipped in a folder of images.

use xception::train::data::Skipped;

use crate::batches::tell_skipped;

/// Reports on standard error each file that is skipped.
pub fn tell_skipped_files(skipped: &[Skipped]) {
    for file in skipped {
        tell_skipped(&file.to_string());
    }
}
