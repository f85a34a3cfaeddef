//! The micro-kernel: a few rows of the left-hand side times a panel of the right-hand side, with the
//! sums in registers, and with all that follows the product before they are written.
//!
//! The rows are pixels in a convolution for inference, and output channels in training.

use std::marker::PhantomData;

use pulp::Simd;

use super::super::output::{SharedOutput, Unwritten};
use super::super::prefetch::prefetch_line;
use super::super::vector::load;

/// Rows of a block at most. WebAssembly has any number of registers, and the processors that it runs on 16 of its size or more; the
/// compilers of browsers keep one of them, and multiply-add takes one more. Five rows took 1.6 times as long in Chromium.
pub(in crate::cpu) const ROWS: usize = if cfg!(target_arch = "wasm32") { 4 } else { 6 };

/// A stretch of the sums of a block.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) struct Step<'a> {
    /// The values of each row, of which each has as many as the steps are wide.
    rows: [*const f32; ROWS],
    /// The stretch's first row in a panel.
    first: usize,
    values: PhantomData<&'a [f32]>,
}

/// The steps of one or several blocks, all of the same length.
#[derive(Debug)]
pub(in crate::cpu) struct Steps<'a> {
    steps: Vec<Step<'a>>,
    /// Values of a row that a step reads.
    length: usize,
    /// Values that a row has.
    width: usize,
}

impl<'a> Steps<'a> {
    /// Returns no steps; those to come have `length` values.
    pub(in crate::cpu) fn new(length: usize, capacity: usize) -> Self {
        Self {
            steps: Vec::with_capacity(capacity),
            length,
            width: length,
        }
    }

    /// Gives the rows of steps to come so many values, of which a step reads some from an offset on.
    pub(in crate::cpu) fn with_width(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// Removes all steps; those to come have `length` values.
    pub(in crate::cpu) fn restart(&mut self, length: usize) {
        self.steps.clear();
        self.length = length;
        self.width = length;
    }

    /// Adds a step that reads the start of each of these slices; `first` is the row of a panel that the
    /// first values are multiplied by. Rows that a block doesn't have are not read.
    ///
    /// # Panics
    ///
    /// If a slice is too short.
    #[inline(always)]
    pub(in crate::cpu) fn push(&mut self, rows: [&'a [f32]; ROWS], first: usize) {
        let width = self.width;
        // A loop, since the array's `map` is a call that isn't inlined.
        let mut starts = [std::ptr::null(); ROWS];
        for (start, row) in starts.iter_mut().zip(rows) {
            *start = row[..width].as_ptr();
        }
        self.steps.push(Step {
            rows: starts,
            first,
            values: PhantomData,
        });
    }

    /// Returns the number of steps.
    pub(in crate::cpu) fn count(&self) -> usize {
        self.steps.len()
    }

    /// Returns some of the steps, those of one block.
    #[inline(always)]
    pub(in crate::cpu) fn some(&self, range: std::ops::Range<usize>) -> BlockSteps<'_> {
        BlockSteps {
            steps: &self.steps[range],
            length: self.length,
            width: self.width,
        }
    }
}

/// The steps of one block.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) struct BlockSteps<'a> {
    steps: &'a [Step<'a>],
    /// Values of a row in a step.
    length: usize,
    /// Values that a row has.
    width: usize,
}

/// The sums of a block.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) struct Sums<'a> {
    pub(in crate::cpu) steps: BlockSteps<'a>,
    /// The first value of each row that the steps read.
    pub(in crate::cpu) offset: usize,
    /// The right-hand side, a row for each value of a left-hand row.
    pub(in crate::cpu) panel: &'a [f32],
    /// The start of the sums, `[panel width]`.
    pub(in crate::cpu) bias: &'a [f32],
    /// The memory to bring into the cache meanwhile.
    pub(in crate::cpu) prefetch: Prefetch,
}

/// A part of the next panel, which comes from memory while the block at hand is computed.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) struct Prefetch {
    next: *const u8,
    /// Bytes for each product.
    step: usize,
}

impl Prefetch {
    /// Returns part `index` of `parts` of a panel; a part is fetched with `length` products.
    pub(in crate::cpu) fn new(panel: &[f32], index: usize, parts: usize, length: usize) -> Self {
        let step = size_of_val(panel).div_ceil(parts * length);
        let start = panel.as_ptr().cast::<u8>();
        Self {
            next: start.wrapping_add(index * length * step),
            step,
        }
    }

    /// Returns nothing to fetch.
    pub(in crate::cpu) fn none() -> Self {
        Self {
            next: std::ptr::null(),
            step: 0,
        }
    }

    #[inline(always)]
    fn fetch(&mut self) {
        prefetch_line(self.next);
        self.next = self.next.wrapping_add(self.step);
    }
}

/// The memory that the results of a block go to.
#[derive(Debug)]
pub(in crate::cpu) struct Target<'a> {
    /// The first row's first column of the panel.
    output: *mut f32,
    /// The element of the residual that is added to it, or null.
    residual: *const f32,
    rows: usize,
    /// Elements from a row to the next, in both.
    pitch: usize,
    /// Columns of the panel that there are; the others are not written.
    columns: usize,
    activation: Rectify,
    memory: PhantomData<(&'a mut Unwritten, &'a [f32])>,
}

/// A tensor that is added to the sums of a block.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) enum Residual<'a> {
    /// None.
    None,
    /// These values, at the elements that the results go to.
    Values(&'a [f32]),
    /// The values that are in the output.
    Output,
}

impl<'a> Target<'a> {
    /// Returns the `rows` times `columns` elements from `first` on, whose rows lie `pitch` elements apart.
    ///
    /// # Safety
    ///
    /// Nobody else may use these elements during `'a`; with [`Residual::Output`] they must hold values.
    ///
    /// # Panics
    ///
    /// If they don't lie in the output, or in the values of the residual.
    #[inline(always)]
    pub(in crate::cpu) unsafe fn new(
        output: SharedOutput<'a>,
        first: usize,
        [rows, columns]: [usize; 2],
        pitch: usize,
        residual: Residual<'a>,
        activation: Rectify,
    ) -> Self {
        let span = (rows - 1) * pitch + columns;
        let output = output.pointer(first, span);
        Self {
            output,
            residual: match residual {
                Residual::None => std::ptr::null(),
                Residual::Values(values) => values[first..][..span].as_ptr(),
                Residual::Output => output,
            },
            rows,
            pitch,
            columns,
            activation,
            memory: PhantomData,
        }
    }
}

/// Computes a block with the first `N` vectors of a panel whose rows have `W`.
///
/// # Panics
///
/// If the target has more than [`ROWS`] rows or more columns than `N` vectors, or the panel has fewer
/// rows than the steps ask for.
#[inline(always)]
pub(in crate::cpu) fn multiply_block<S: Simd, const N: usize, const W: usize>(
    simd: S,
    sums: Sums,
    target: Target,
) {
    match target.rows {
        1 => multiply_rows::<S, 1, N, W>(simd, sums, target),
        2 => multiply_rows::<S, 2, N, W>(simd, sums, target),
        3 => multiply_rows::<S, 3, N, W>(simd, sums, target),
        4 => multiply_rows::<S, 4, N, W>(simd, sums, target),
        5 => multiply_rows::<S, 5, N, W>(simd, sums, target),
        _ => multiply_rows::<S, ROWS, N, W>(simd, sums, target),
    }
}

/// Computes a block of `M` rows.
#[inline(always)]
fn multiply_rows<S: Simd, const M: usize, const N: usize, const W: usize>(
    simd: S,
    sums: Sums,
    target: Target,
) {
    let (lanes, width) = (S::F32_LANES, const { W * S::F32_LANES });
    assert!(M == target.rows && N <= W && target.columns <= N * lanes);
    assert!(sums.bias.len() >= N * lanes);
    let bias: [S::f32s; N] = std::array::from_fn(
        #[inline(always)]
        |n| load::<S>(&sums.bias[n * lanes..]),
    );
    let mut totals = [bias; M];
    let mut prefetch = sums.prefetch;
    let BlockSteps {
        length,
        width: values,
        ..
    } = sums.steps;
    assert!(sums.offset + length <= values);
    for step in sums.steps.steps {
        let weights = &sums.panel[step.first * width..][..length * width];
        // SAFETY: a step's rows have `length` values from the offset on, and so many rows of `W` vectors have the
        // weights.
        unsafe {
            let rows = std::array::from_fn(
                #[inline(always)]
                |m| step.rows[m].add(sums.offset),
            );
            let weights = weights.as_ptr().cast();
            add_products::<S, M, N, W>(simd, rows, length, weights, &mut totals, &mut prefetch);
        }
    }
    for (m, total) in totals.into_iter().enumerate() {
        // SAFETY: there are `M` rows, and the columns are at most `N` vectors.
        unsafe {
            match target.columns == N * lanes {
                true => finish(simd, total, m, &target),
                false => finish_part(simd, total, m, &target),
            }
        }
    }
}

/// Adds a step's products to the sums.
///
/// # Safety
///
/// The rows must be valid for `length` values, `weights` for as many rows of `W` vectors.
#[inline(always)]
unsafe fn add_products<S: Simd, const M: usize, const N: usize, const W: usize>(
    simd: S,
    rows: [*const f32; M],
    length: usize,
    mut weights: *const S::f32s,
    totals: &mut [[S::f32s; N]; M],
    prefetch: &mut Prefetch,
) {
    let mut sums = *totals;
    let mut fetch = *prefetch;
    for k in 0..length {
        fetch.fetch();
        // SAFETY: `k` is below `length`, and `weights` has advanced by a row for each `k`.
        unsafe {
            let vectors: [S::f32s; N] = std::array::from_fn(|n| weights.add(n).read_unaligned());
            for (sums, row) in sums.iter_mut().zip(rows) {
                let value = simd.splat_f32s(*row.add(k));
                for (sum, weight) in sums.iter_mut().zip(vectors) {
                    *sum = simd.mul_add_e_f32s(value, weight, *sum);
                }
            }
            weights = weights.add(W);
        }
    }
    *totals = sums;
    *prefetch = fetch;
}

/// Adds the residual to the sums of row `m`, applies the activation, and writes them.
///
/// # Safety
///
/// The target must have the row, and `N` vectors of columns.
#[inline(always)]
unsafe fn finish<S: Simd, const N: usize>(
    simd: S,
    mut sums: [S::f32s; N],
    m: usize,
    target: &Target,
) {
    // SAFETY: the target's elements are its own, and the caller promises that these are among them.
    unsafe {
        let output = target.output.add(m * target.pitch).cast::<S::f32s>();
        if !target.residual.is_null() {
            let residual = target.residual.add(m * target.pitch).cast::<S::f32s>();
            for (n, sum) in sums.iter_mut().enumerate() {
                *sum = simd.add_f32s(*sum, residual.add(n).read_unaligned());
            }
        }
        if target.activation != Rectify::No {
            for sum in sums.iter_mut() {
                *sum = target.activation.apply(simd, *sum);
            }
        }
        for (n, sum) in sums.into_iter().enumerate() {
            output.add(n).write_unaligned(sum);
        }
    }
}

/// Finishes row `m` as [`finish`] does, where the panel has fewer columns than its vectors.
///
/// # Safety
///
/// The target must have the row.
#[inline(always)]
unsafe fn finish_part<S: Simd, const N: usize>(
    simd: S,
    sums: [S::f32s; N],
    m: usize,
    target: &Target,
) {
    for (n, mut sum) in sums.into_iter().enumerate() {
        let first = n * S::F32_LANES;
        if first >= target.columns {
            return;
        }
        let count = (target.columns - first).min(S::F32_LANES);
        let mask = simd.mask_between_m32s(0, count as u32);
        let at = m * target.pitch + first;
        // SAFETY: the mask selects columns of the target, whose elements are its own.
        unsafe {
            if !target.residual.is_null() {
                let residual = simd.mask_load_ptr_f32s(mask, target.residual.add(at));
                sum = simd.add_f32s(sum, residual);
            }
            sum = target.activation.apply(simd, sum);
            simd.mask_store_ptr_f32s(mask, target.output.add(at), sum);
        }
    }
}

/// An activation that is computed in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rectify {
    /// None.
    No,
    /// `max(0, x)`.
    Relu,
    /// `min(max(0, x), 6)`.
    Relu6,
}

impl Rectify {
    /// Applies the activation; NaN stays NaN.
    #[inline(always)]
    pub(in crate::cpu) fn apply<S: Simd>(self, simd: S, x: S::f32s) -> S::f32s {
        match self {
            Self::No => x,
            Self::Relu => rectify(simd, x),
            Self::Relu6 => {
                let six = simd.splat_f32s(6.0);
                let x = rectify(simd, x);
                simd.select_f32s(simd.greater_than_f32s(x, six), six, x)
            }
        }
    }
}

/// Returns `max(0, x)`, and NaN for NaN.
#[inline(always)]
pub(in crate::cpu) fn rectify<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    simd.select_f32s(simd.less_than_f32s(x, zero), zero, x)
}
