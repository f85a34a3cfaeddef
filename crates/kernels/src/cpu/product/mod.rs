//! Matrix products for training: a left-hand side read where it lies, a right-hand side packed by panels.
//!
//! The result is computed in blocks of a few rows and a *panel* of columns, some vectors wide, whose sums
//! stay in registers, see [`micro_kernel`]. Rows of the left-hand side are stretches of memory, as the rows
//! of a weight are, or as a channel's pixels in each image. The right-hand side is anything that can copy
//! out a panel of itself, see [`RightHandSide`]: pixels of images, the transpose of these, or im2col matrices.

pub(super) mod instruction_set;
mod layout;
pub(super) mod micro_kernel;
mod packing;
mod partition;
mod task;
#[cfg(test)]
mod tests;
mod transpose;

use pulp::Arch;
use rayon::prelude::*;

use super::divided::Divided;
use super::output::{SharedOutput, Unwritten};
use instruction_set::panel_width;
pub(super) use layout::{Layout, Strided};
pub(super) use packing::{Packing, RightHandSide, RowCopy, Transposed};
pub(super) use partition::portion;
use partition::{Partition, TASK_PRODUCTS, TASKS, chunks};
use task::{Destination, Task};
pub(super) use transpose::{transpose, transpose_to};

/// The matrix product `left * right`.
pub(super) struct Product<'a, R> {
    pub(super) left: Strided<'a>,
    pub(super) right: R,
    /// Rows and columns of the result, and the length of the sums.
    pub(super) size: [usize; 3],
}

impl<R: RightHandSide> Product<'_, R> {
    /// Computes the result into a vector with this layout.
    ///
    /// # Panics
    ///
    /// If the layout leaves gaps.
    pub(super) fn to_vec(&self, layout: Layout) -> Vec<f32> {
        Product::stacked(std::slice::from_ref(self), layout)
    }

    /// Computes products of the same size into one vector, in which the rows of each follow those of the
    /// one before.
    ///
    /// # Panics
    ///
    /// If the layout leaves gaps, or the sizes differ.
    pub(super) fn stacked(products: &[Self], layout: Layout) -> Vec<f32> {
        let [rows, columns, length] = products.first().map_or([0; 3], |product| product.size);
        assert!(
            products
                .iter()
                .all(|product| product.size == [rows, columns, length])
        );
        assert!(layout.has_no_gaps(products.len() * rows, columns));
        let size = products.len() * rows * columns;
        let mut result: Vec<f32> = Vec::with_capacity(size);
        let output = SharedOutput::new(&mut result.spare_capacity_mut()[..size]);
        products
            .par_iter()
            .enumerate()
            .divided()
            .for_each(|(index, product)| {
                // SAFETY: each product has its own rows of the layout, whose elements differ from all others.
                let destination =
                    unsafe { Destination::new(output, index * rows * layout.row, layout) };
                product.write_with(Arch::new(), &destination);
            });
        // SAFETY: the capacity is at least `size`, and the products have written all rows and columns of
        // the layout, which has no gaps.
        unsafe { result.set_len(size) };
        result
    }

    /// Computes the result into memory with this layout.
    ///
    /// # Panics
    ///
    /// If the layout leaves gaps, or the result has no room.
    pub(super) fn write(&self, to: &mut [f32], layout: Layout) {
        assert!(layout.has_no_gaps(self.size[0], self.size[1]));
        // SAFETY: the memory is borrowed for this product alone, and without gaps each row and column has an
        // element of its own.
        let destination = unsafe { Destination::new(SharedOutput::over(to), 0, layout) };
        self.write_with(Arch::new(), &destination);
    }

    /// Computes the result into memory that is not written yet, with this layout.
    ///
    /// # Panics
    ///
    /// If the layout leaves gaps, or the memory has another length than the result.
    pub(super) fn fill<'o>(&self, to: &'o mut Unwritten, layout: Layout) -> &'o mut [f32] {
        let [rows, columns, _] = self.size;
        assert!(layout.has_no_gaps(rows, columns) && to.len() == rows * columns);
        // SAFETY: the memory is borrowed for this product alone, and without gaps each row and column has an
        // element of its own.
        let destination = unsafe { Destination::new(SharedOutput::new(to), 0, layout) };
        self.write_with(Arch::new(), &destination);
        // SAFETY: the product has written all rows and columns of the layout, which are as many as the elements.
        unsafe { to.assume_init_mut() }
    }

    fn write_with(&self, arch: Arch, destination: &Destination) {
        let [rows, columns, length] = self.size;
        assert!(self.left.holds(rows, length));
        let chunks = chunks(length, self.left.layout.stretch);
        let partition = Partition::new(self.size, panel_width(arch), 1);
        (0..partition.tasks())
            .into_par_iter()
            .with_max_len(1)
            .divided()
            .for_each(|task| {
                let (rows, columns) = partition.task(task, rows, columns);
                // SAFETY: the tasks have distinct rows or columns.
                let task = unsafe {
                    Task::new(
                        (self.left, &self.right),
                        [rows, columns],
                        &chunks,
                        destination,
                    )
                };
                arch.dispatch(task);
            });
    }

    /// Computes the result row by row, for long sums: these are divided among tasks, too, where the
    /// result has few elements.
    pub(super) fn sum(&self) -> Vec<f32> {
        self.sum_with(Arch::new())
    }

    fn sum_with(&self, arch: Arch) -> Vec<f32> {
        let [rows, columns, length] = self.size;
        assert!(self.left.holds(rows, length));
        let chunks = chunks(length, self.left.layout.stretch);
        let whole = Partition::new(self.size, panel_width(arch), 1);
        let parts = (TASKS / whole.tasks()).clamp(1, chunks.len());
        let parts = parts.min(rows * columns * length / TASK_PRODUCTS).max(1);
        let partition = Partition::new(self.size, panel_width(arch), parts);
        let size = rows * columns;
        let mut sums: Vec<f32> = Vec::with_capacity(parts * size);
        let output = SharedOutput::new(&mut sums.spare_capacity_mut()[..parts * size]);
        let tasks = partition.tasks();
        let each = (0..parts * tasks).into_par_iter().with_max_len(1).divided();
        each.for_each(|task| {
            let (part, task) = (task / tasks, task % tasks);
            let (rows, columns_of_task) = partition.task(task, rows, columns);
            let chunks = &chunks[portion(part, parts, chunks.len())];
            // SAFETY: each part has its own rows of the output, and the tasks of a part have distinct rows
            // or columns of it.
            unsafe {
                let layout = Layout::dense(columns);
                let destination = Destination::new(output, part * size, layout);
                arch.dispatch(Task::new(
                    (self.left, &self.right),
                    [rows, columns_of_task],
                    chunks,
                    &destination,
                ));
            }
        });
        // SAFETY: the capacity is at least `parts * size`, and the tasks have written all rows and columns
        // of each part.
        unsafe { sums.set_len(parts * size) };
        let (first, others) = sums.split_at_mut(size);
        for other in others.chunks_exact(size) {
            for (sum, value) in first.iter_mut().zip(other) {
                *sum += value;
            }
        }
        sums.truncate(size);
        sums
    }
}
