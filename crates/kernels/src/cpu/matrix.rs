//! Matrix products.

use gemm::Parallelism;

/// A matrix in memory: where it starts, and the distance between rows and between columns.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    values: &'a [f32],
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A row-major matrix whose rows are this far apart.
    pub(super) fn rows(values: &'a [f32], row_stride: usize) -> Self {
        Self {
            values,
            row_stride,
            column_stride: 1,
        }
    }

    /// The rows from this one on.
    pub(super) fn below(self, row: usize) -> Self {
        Self {
            values: &self.values[row * self.row_stride..],
            ..self
        }
    }

    /// The transpose.
    pub(super) fn transposed(self) -> Self {
        Self {
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    fn holds(&self, rows: usize, columns: usize) -> bool {
        let last = (rows - 1) * self.row_stride + (columns - 1) * self.column_stride;
        last < self.values.len()
    }
}

/// What happens to the product.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Update {
    /// It replaces what is there.
    Replace,
    /// It is added to what is there.
    Add,
}

/// Where a product goes: a row-major matrix.
///
/// Tasks that write distinct parts of one result share its memory, so this is a pointer.
#[derive(Clone, Copy)]
pub(super) struct Destination {
    pub(super) start: *mut f32,
    pub(super) row_stride: usize,
}

// SAFETY: a pointer that is used in `product` alone, whose callers keep tasks apart.
unsafe impl Send for Destination {}
// SAFETY: as above.
unsafe impl Sync for Destination {}

impl Destination {
    /// The part that starts at this row and column.
    ///
    /// # Safety
    ///
    /// That element must lie in the result.
    pub(super) unsafe fn at(self, row: usize, column: usize) -> Self {
        // SAFETY: the caller promises that the element lies in the result.
        let start = unsafe { self.start.add(row * self.row_stride + column) };
        Self { start, ..self }
    }
}

/// `destination = left * right`, or `+=`, on the calling thread; `size` is the number of rows, the
/// number of columns and the length of the sums.
///
/// # Safety
///
/// The destination must have room for all rows and columns, written by nobody else meanwhile; with
/// [`Update::Add`] they must hold values.
pub(super) unsafe fn product(
    destination: Destination,
    left: Matrix,
    right: Matrix,
    size: [usize; 3],
    update: Update,
) {
    let [rows, columns, length] = size;
    if rows == 0 || columns == 0 {
        return;
    }
    assert!(length == 0 || (left.holds(rows, length) && right.holds(length, columns)));
    // SAFETY: `holds` keeps reads in their slices, and the caller promises the destination.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            length,
            destination.start,
            1,
            destination.row_stride as isize,
            update == Update::Add,
            left.values.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.values.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
