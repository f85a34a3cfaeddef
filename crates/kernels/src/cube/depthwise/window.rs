//! Which tap of a window leads from which pixel to which.

use crate::Geometry;

/// The columns that a unit computes at once, and the columns of the other tensor that reach them.
///
/// Column `c` of the strip that begins at column `start` gets, through tap `j`, the other tensor's column `base + offset`, where
/// `base` depends on the strip alone. All that depends on `c`, `j` and `offset` is known when the kernel is compiled, so that
/// nothing is read twice in a row of a window, and nothing is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Window {
    pub(crate) geometry: Geometry,
    /// Whether the output's gradient is taken to the input, instead of the input to the output.
    pub(crate) transposed: bool,
    /// The columns that a unit computes.
    pub(crate) columns: usize,
}

impl Window {
    /// Returns the window from the input to this many columns of the output.
    pub(crate) fn forward(geometry: Geometry, columns: usize) -> Self {
        Self {
            geometry,
            transposed: false,
            columns,
        }
    }

    /// Returns the window from the output to about this many columns of the input: to a multiple of the stride.
    pub(crate) fn transposed(geometry: Geometry, columns: usize) -> Self {
        Self {
            geometry,
            transposed: true,
            columns: columns.next_multiple_of(geometry.stride[1]),
        }
    }

    /// Returns the height of the window in taps.
    pub(crate) fn rows(&self) -> usize {
        self.geometry.kernel[0]
    }

    /// Returns the number of taps.
    pub(crate) fn taps(&self) -> usize {
        let [rows, columns] = self.geometry.kernel;
        rows * columns
    }

    /// Returns the number of offsets, from the first to the last.
    pub(crate) fn offsets(&self) -> usize {
        let (first, last) = self.ends();
        (last - first + 1) as usize
    }

    /// Returns the offset of this number.
    pub(crate) fn offset(&self, index: usize) -> i32 {
        self.ends().0 + index as i32
    }

    /// Returns the step of `base` from one strip to the next.
    pub(crate) fn step(&self) -> usize {
        let stride = self.geometry.stride[1];
        match self.transposed {
            false => self.columns * stride,
            true => self.columns / stride,
        }
    }

    /// Returns whether any column is reached from the offset of this number, through any tap.
    pub(crate) fn is_read(&self, index: usize) -> bool {
        (0..self.columns).any(|column| self.reaches(index, column))
    }

    /// Returns whether a column is reached from the offset of this number.
    pub(crate) fn reaches(&self, index: usize, column: usize) -> bool {
        self.tap(index, column).is_some()
    }

    /// Returns the number, among all taps of the window, of the tap in this row of it that leads from the offset of this number
    /// to a column; 0 where none does.
    pub(crate) fn tap_in_row(&self, row: usize, index: usize, column: usize) -> usize {
        let tap = self.tap(index, column).unwrap_or_default();
        row * self.geometry.kernel[1] + tap
    }

    /// Returns the tap that leads from the offset of this number to a column.
    fn tap(&self, index: usize, column: usize) -> Option<usize> {
        let stride = self.geometry.stride[1] as i32;
        let dilation = self.geometry.dilation[1] as i32;
        let left = self.geometry.padding.left as i32;
        let (offset, column) = (self.offset(index), column as i32);
        let distance = match self.transposed {
            // base + offset = (start + column) * stride + tap * dilation - left, and base = start * stride
            false => offset + left - column * stride,
            // (base + offset) * stride + tap * dilation - left = start + column, and base * stride = start
            true => column + left - offset * stride,
        };
        let tap = distance / dilation;
        let whole = distance >= 0 && distance % dilation == 0;
        (whole && tap < self.geometry.kernel[1] as i32).then_some(tap as usize)
    }

    /// Returns the first and the last offset.
    fn ends(&self) -> (i32, i32) {
        let stride = self.geometry.stride[1] as i32;
        let extent = ((self.geometry.kernel[1] - 1) * self.geometry.dilation[1]) as i32;
        let left = self.geometry.padding.left as i32;
        let last = self.columns as i32 - 1;
        match self.transposed {
            false => (-left, last * stride + extent - left),
            true => (
                (left - extent).div_euclid(stride),
                (last + left).div_euclid(stride),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Padding2d;

    /// Checks that every pair of columns that a convolution joins is found once, and no other.
    fn check(geometry: Geometry, columns: usize) {
        let [_, kernel] = geometry.kernel;
        let ([_, stride], [_, dilation]) = (geometry.stride, geometry.dilation);
        let left = geometry.padding.left;
        for transposed in [false, true] {
            let window = match transposed {
                false => Window::forward(geometry, columns),
                true => Window::transposed(geometry, columns),
            };
            for strip in 0..4 {
                let (start, base) = (strip * window.columns, strip * window.step());
                for column in 0..window.columns {
                    let here = (start + column) as i32;
                    let mut found = Vec::new();
                    for index in 0..window.offsets() {
                        if window.reaches(index, column) {
                            assert!(window.is_read(index));
                            let tap = window.tap_in_row(1, index, column) - kernel;
                            found.push((base as i32 + window.offset(index), tap));
                        }
                    }
                    let expected: Vec<_> = (-60..60)
                        .flat_map(|there| (0..kernel).map(move |tap| (there, tap)))
                        .filter(|&(there, tap)| {
                            let [from, to] = match transposed {
                                false => [there, here],
                                true => [here, there],
                            };
                            from == to * stride as i32 + (tap * dilation) as i32 - left as i32
                        })
                        .collect();
                    assert_eq!(found, expected, "{window:?}, column {here}");
                }
            }
        }
    }

    #[test]
    fn it_joins_the_columns_that_a_convolution_joins() {
        for kernel in [1, 2, 3, 5] {
            for stride in 1..4 {
                for dilation in 1..3 {
                    for left in 0..3 {
                        let padding = Padding2d {
                            left,
                            ..Padding2d::symmetric(1)
                        };
                        let geometry = Geometry::valid(kernel)
                            .with_stride(stride)
                            .with_dilation(dilation)
                            .with_padding(padding);
                        for columns in [1, 2, 4] {
                            check(geometry, columns);
                        }
                    }
                }
            }
        }
    }
}
