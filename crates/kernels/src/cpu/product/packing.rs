//! Packing of right-hand sides: copies of their panels in the order in which the micro-kernel reads them.

use std::ops::Range;

use pulp::Simd;

use super::super::copy::copy;
use super::super::vector::{load, store};
use super::layout::Strided;
use super::transpose::transpose;

/// The positions of packed panels.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) struct Packing {
    /// Columns of a panel, and elements from a panel's row to its next.
    pub(in crate::cpu) width: usize,
    /// From a panel to the next.
    pub(in crate::cpu) pitch: usize,
}

/// Some columns of one panel, with the positions that they are read from and written to.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) struct Piece {
    pub(in crate::cpu) from: usize,
    pub(in crate::cpu) to: usize,
    pub(in crate::cpu) length: usize,
}

impl Packing {
    /// Adds the pieces of a run of columns from `column` on, of all that are packed.
    #[inline(always)]
    pub(in crate::cpu) fn divide(
        &self,
        mut from: usize,
        mut column: usize,
        mut length: usize,
        pieces: &mut Vec<Piece>,
    ) {
        while length > 0 {
            let (panel, at) = (column / self.width, column % self.width);
            let piece = Piece {
                from,
                to: panel * self.pitch + at,
                length: length.min(self.width - at),
            };
            pieces.push(piece);
            from += piece.length;
            column += piece.length;
            length -= piece.length;
        }
    }
}

/// A matrix that can copy out panels of itself.
pub(in crate::cpu) trait RightHandSide: Sync {
    /// Writes these rows of these columns to `to`, in panels of `N` vectors. What follows a row's last
    /// column may be overwritten up to a vector.
    fn pack<S: Simd, const N: usize>(
        &self,
        simd: S,
        rows: Range<usize>,
        columns: Range<usize>,
        packing: Packing,
        to: &mut [f32],
    );
}

impl RightHandSide for Strided<'_> {
    #[inline(always)]
    fn pack<S: Simd, const N: usize>(
        &self,
        _simd: S,
        rows: Range<usize>,
        columns: Range<usize>,
        packing: Packing,
        to: &mut [f32],
    ) {
        let mut pieces = Vec::new();
        for part in self.layout.parts(columns.clone()) {
            let column = part.columns.start - columns.start;
            packing.divide(part.offset, column, part.columns.len(), &mut pieces);
        }
        for (index, row) in rows.enumerate() {
            let from = &self.values[row * self.layout.row..];
            let to = &mut to[index * packing.width..];
            for piece in &pieces {
                let from = &from[piece.from..][..piece.length];
                let to = &mut to[piece.to..][..piece.length];
                copy_piece::<S, N>(from, to);
            }
        }
    }
}

/// Copies part of a panel's row; the whole row in its number of vectors.
#[inline(always)]
pub(in crate::cpu) fn copy_piece<S: Simd, const N: usize>(from: &[f32], to: &mut [f32]) {
    if from.len() != const { N * S::F32_LANES } {
        return copy::<S>(from, to);
    }
    let lanes = S::F32_LANES;
    let vectors: [S::f32s; N] = std::array::from_fn(
        #[inline(always)]
        |n| load::<S>(&from[n * lanes..]),
    );
    for (n, vector) in vectors.into_iter().enumerate() {
        store::<S>(&mut to[n * lanes..], vector);
    }
}

/// The transpose of a matrix in memory.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) struct Transposed<'a>(pub(in crate::cpu) Strided<'a>);

impl RightHandSide for Transposed<'_> {
    #[inline(always)]
    fn pack<S: Simd, const N: usize>(
        &self,
        _simd: S,
        rows: Range<usize>,
        columns: Range<usize>,
        packing: Packing,
        to: &mut [f32],
    ) {
        let (layout, Packing { width, pitch }) = (self.0.layout, packing);
        for part in layout.parts(rows.clone()) {
            let first = (part.columns.start - rows.start) * width;
            for (panel, column) in columns.clone().step_by(width).enumerate() {
                let from = &self.0.values[column * layout.row + part.offset..];
                let size = [width.min(columns.end - column), part.columns.len()];
                transpose(
                    from,
                    layout.row,
                    size,
                    &mut to[panel * pitch + first..],
                    width,
                );
            }
        }
    }
}
