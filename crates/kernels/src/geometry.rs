//! The geometry of a convolution or a pool: its window, and how that moves over the input.

use serde::{Deserialize, Serialize};

/// Zero rows and columns added around an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Padding2d {
    /// Rows added above.
    pub top: usize,
    /// Rows added below.
    pub bottom: usize,
    /// Columns added on the left.
    pub left: usize,
    /// Columns added on the right.
    pub right: usize,
}

impl Padding2d {
    /// Returns padding of one size on all four sides.
    pub const fn symmetric(size: usize) -> Self {
        Self {
            top: size,
            bottom: size,
            left: size,
            right: size,
        }
    }

    /// Returns TensorFlow's `same` padding, with which the output has `ceil(input / stride)` rows and
    /// columns. Of an odd total, the extra row is below and the extra column on the right.
    ///
    /// Input, kernel and stride are heights and widths.
    ///
    /// # Panics
    ///
    /// If a stride is zero.
    pub fn same(input: [usize; 2], kernel: [usize; 2], stride: [usize; 2]) -> Self {
        let total = |axis: usize| {
            let output = input[axis].div_ceil(stride[axis]);
            (output.saturating_sub(1) * stride[axis] + kernel[axis]).saturating_sub(input[axis])
        };
        let (rows, columns) = (total(0), total(1));
        Self {
            top: rows / 2,
            bottom: rows - rows / 2,
            left: columns / 2,
            right: columns - columns / 2,
        }
    }

    /// Returns the padding with rows added below and columns on the right, so that a pool's output size is rounded up
    /// instead of down, as with `ceil_mode` in PyTorch. A window that would start beyond the input and the padding
    /// before it is left out.
    ///
    /// Input, kernel and stride are heights and widths.
    ///
    /// # Panics
    ///
    /// If a stride is zero.
    pub fn rounded_up(self, input: [usize; 2], kernel: [usize; 2], stride: [usize; 2]) -> Self {
        let after = |axis: usize| {
            let (before, after) = self.pairs()[axis];
            let padded = input[axis] + before + after;
            let mut windows = padded.saturating_sub(kernel[axis]).div_ceil(stride[axis]);
            if windows * stride[axis] >= input[axis] + before {
                windows = windows.saturating_sub(1);
            }
            let end = windows * stride[axis] + kernel[axis];
            end.saturating_sub(input[axis] + before).max(after)
        };
        Self {
            bottom: after(0),
            right: after(1),
            ..self
        }
    }

    /// Returns `[(top, bottom), (left, right)]`, the form that Burn's operations take.
    pub const fn pairs(&self) -> [(usize, usize); 2] {
        [(self.top, self.bottom), (self.left, self.right)]
    }
}

/// Kernel, stride, dilation and padding of a two-dimensional convolution or pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Geometry {
    /// Height and width of the window, in taps.
    pub kernel: [usize; 2],
    /// Step between outputs, in pixels, down and to the right.
    pub stride: [usize; 2],
    /// Distance between taps, in pixels.
    pub dilation: [usize; 2],
    /// Zeros around the input.
    pub padding: Padding2d,
}

impl Geometry {
    /// Returns a square kernel at stride 1 without padding.
    pub const fn valid(kernel: usize) -> Self {
        Self {
            kernel: [kernel, kernel],
            stride: [1, 1],
            dilation: [1, 1],
            padding: Padding2d::symmetric(0),
        }
    }

    /// Returns a square kernel of odd size at stride 1, padded so that the output has the input's size.
    pub const fn same(kernel: usize) -> Self {
        Self::valid(kernel).with_padding(Padding2d::symmetric(kernel / 2))
    }

    /// Sets the stride in both directions.
    pub const fn with_stride(mut self, stride: usize) -> Self {
        self.stride = [stride, stride];
        self
    }

    /// Sets the padding.
    pub const fn with_padding(mut self, padding: Padding2d) -> Self {
        self.padding = padding;
        self
    }

    /// Sets the dilation in both directions.
    pub const fn with_dilation(mut self, dilation: usize) -> Self {
        self.dilation = [dilation, dilation];
        self
    }

    /// Returns whether each output depends on one pixel alone: whether the kernel is 1x1 without padding.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.padding == Padding2d::symmetric(0)
    }

    /// Returns height and width of the output for an input of this height and width, or `None` if the
    /// padded input is smaller than the dilated kernel, or a stride or the kernel is zero.
    pub fn output_size(&self, input: [usize; 2]) -> Option<[usize; 2]> {
        let padding = self.padding.pairs();
        let along = |axis: usize| {
            let (before, after) = padding[axis];
            let window = self.dilation[axis] * self.kernel[axis].checked_sub(1)? + 1;
            let room = (input[axis] + before + after).checked_sub(window)?;
            Some(room.checked_div(self.stride[axis])? + 1)
        };
        Some([along(0)?, along(1)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_puts_the_odd_pixel_at_the_bottom_and_right() {
        let padding = Padding2d::same([8, 7], [3, 3], [2, 2]);
        assert_eq!(padding.pairs(), [(0, 1), (1, 1)]);
    }

    #[test]
    fn same_padding_gives_the_input_divided_by_the_stride_rounded_up() {
        for input in 1..20 {
            for kernel in [1, 2, 3, 5] {
                for stride in [1, 2, 3] {
                    let size = [input, input];
                    let padding = Padding2d::same(size, [kernel; 2], [stride; 2]);
                    let geometry = Geometry::valid(kernel)
                        .with_stride(stride)
                        .with_padding(padding);
                    let output = input.div_ceil(stride);
                    assert_eq!(geometry.output_size(size), Some([output, output]));
                }
            }
        }
    }

    #[test]
    fn rounded_up_the_last_window_starts_on_the_input() {
        // Expected: the output sizes of PyTorch's `max_pool2d(..., ceil_mode=True)`.
        for (input, kernel, stride, padding, output) in [
            (112, 3, 2, 0, 56),
            (56, 3, 2, 0, 28),
            (7, 2, 2, 0, 4),
            (8, 2, 2, 0, 4),
            (6, 3, 2, 1, 4),
            (5, 3, 2, 1, 3),
            (2, 2, 3, 1, 1),
            (1, 2, 2, 0, 1),
            (4, 1, 3, 0, 2),
            (3, 1, 3, 0, 1),
        ] {
            let around = Padding2d::symmetric(padding);
            let around = around.rounded_up([input; 2], [kernel; 2], [stride; 2]);
            let geometry = Geometry::valid(kernel)
                .with_stride(stride)
                .with_padding(around);
            assert_eq!(
                geometry.output_size([input; 2]),
                Some([output; 2]),
                "{input} {kernel} {stride} {padding}"
            );
        }
    }

    #[test]
    fn output_size_of_dilated_and_too_large_kernels() {
        let geometry = Geometry::valid(3).with_dilation(2);
        assert_eq!(geometry.output_size([5, 6]), Some([1, 2]));
        assert_eq!(geometry.output_size([4, 6]), None);
        assert_eq!(Geometry::valid(0).output_size([4, 4]), None);
        assert_eq!(Geometry::valid(1).with_stride(0).output_size([4, 4]), None);
    }
}
