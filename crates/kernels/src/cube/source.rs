//! From a convolution's input back to its output.

use cubecl::prelude::*;

/// Returns the position in the output that a tap leads from to a position in the input, along one axis of `size` outputs, and
/// whether there is one.
#[cube]
pub(super) fn output_of(
    position: usize,
    tap: usize,
    size: usize,
    #[comptime] stride: usize,
    #[comptime] dilation: usize,
    #[comptime] padding: usize,
) -> (usize, bool) {
    // output * stride + tap * dilation - padding = position
    let reach = position + padding;
    let start = tap * dilation;
    let mut output = 0usize.runtime();
    let mut exists = false.runtime();
    if reach >= start {
        output = (reach - start) / stride;
        exists = output * stride == reach - start && output < size;
    }
    (output, exists)
}
