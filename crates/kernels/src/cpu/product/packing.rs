//! Packing of right-hand sides: copies of their panels in the order in which the micro-kernel reads them.

use std::marker::PhantomData;
use std::ops::Range;

use pulp::Simd;

use super::super::aligned::LINE;
use super::super::copy::copy_few;
use super::super::prefetch::prefetch_line;
use super::layout::Strided;
use super::transpose::transpose;

/// Columns that are transposed at a time.
const BLOCK: usize = 2 * LINE;

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

/// The pieces of a row in all panels, as copies of whole vectors where the memory allows that. What a vector copies beyond its
/// piece, the next piece or the next row overwrites.
#[derive(Debug)]
pub(in crate::cpu) struct RowCopy<S> {
    pieces: Vec<Piece>,
    /// Where each vector is read from and written to.
    vectors: Vec<[usize; 2]>,
    /// The ends of all vectors, where they are read and where they are written.
    ends: [usize; 2],
    /// The instruction set whose vectors they are.
    simd: PhantomData<S>,
}

impl<S: Simd> RowCopy<S> {
    /// Returns the copy of these pieces, which must be in the order of their columns.
    pub(in crate::cpu) fn new(pieces: Vec<Piece>) -> Self {
        let lanes = S::F32_LANES;
        let vectors_of = |piece: &Piece| {
            let Piece { from, to, length } = *piece;
            (0..length).step_by(lanes).map(move |i| [from + i, to + i])
        };
        let vectors: Vec<_> = pieces.iter().flat_map(vectors_of).collect();
        let end = |side: usize| vectors.iter().map(|at| at[side] + lanes).max();
        Self {
            ends: [0, 1].map(|side| end(side).unwrap_or(0)),
            vectors,
            pieces,
            simd: PhantomData,
        }
    }

    /// Copies the row.
    ///
    /// # Panics
    ///
    /// If a piece doesn't lie in the slices.
    #[inline(always)]
    pub(in crate::cpu) fn copy(&self, from: &[f32], to: &mut [f32]) {
        if from.len() < self.ends[0] || to.len() < self.ends[1] {
            for piece in &self.pieces {
                let from = &from[piece.from..][..piece.length];
                copy_few(from, &mut to[piece.to..][..piece.length]);
            }
            return;
        }
        let (from, to) = (from.as_ptr(), to.as_mut_ptr());
        for &[read, written] in &self.vectors {
            // SAFETY: the vectors end where `ends` says, which lies in both slices.
            unsafe {
                let vector = from.add(read).cast::<S::f32s>().read_unaligned();
                to.add(written).cast::<S::f32s>().write_unaligned(vector);
            }
        }
    }

    /// Copies the row from elements `stride` apart.
    #[inline(always)]
    pub(in crate::cpu) fn copy_strided(&self, from: &[f32], stride: usize, to: &mut [f32]) {
        for piece in &self.pieces {
            let to = to[piece.to..][..piece.length].iter_mut();
            to.zip(from[piece.from..].iter().step_by(stride))
                .for_each(|(to, from)| *to = *from);
        }
    }
}

/// A matrix that can copy out panels of itself.
pub(in crate::cpu) trait RightHandSide: Sync {
    /// Writes these rows of these columns to `to`, in panels. What follows a row's last
    /// column may be overwritten up to a vector.
    fn pack<S: Simd>(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        packing: Packing,
        to: &mut [f32],
    );
}

impl RightHandSide for Strided<'_> {
    #[inline(always)]
    fn pack<S: Simd>(
        &self,
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
        let copy = RowCopy::<S>::new(pieces);
        for (index, row) in rows.enumerate() {
            let from = &self.values[row * self.layout.row..];
            copy.copy(from, &mut to[index * packing.width..]);
        }
    }
}

/// The transpose of a matrix in memory.
#[derive(Debug, Clone, Copy)]
pub(in crate::cpu) struct Transposed<'a>(pub(in crate::cpu) Strided<'a>);

impl RightHandSide for Transposed<'_> {
    #[inline(always)]
    fn pack<S: Simd>(
        &self,
        rows: Range<usize>,
        columns: Range<usize>,
        packing: Packing,
        to: &mut [f32],
    ) {
        let (layout, Packing { width, pitch }) = (self.0.layout, packing);
        for part in layout.parts(rows.clone()) {
            let first = part.columns.start - rows.start;
            for (panel, column) in columns.clone().step_by(width).enumerate() {
                let rows_of_panel = width.min(columns.end - column);
                let from = &self.0.values[column * layout.row + part.offset..];
                for block in blocks(part.columns.len()) {
                    // The same pixels of the next image, which come from memory.
                    let next = from.as_ptr().wrapping_add(layout.next + block.start);
                    for row in 0..rows_of_panel {
                        for pixel in (0..block.len()).step_by(LINE) {
                            prefetch_line(next.wrapping_add(row * layout.row + pixel).cast());
                        }
                    }
                    let to = &mut to[panel * pitch + (first + block.start) * width..];
                    let size = [rows_of_panel, block.len()];
                    transpose(&from[block.start..], layout.row, size, to, width);
                }
            }
        }
    }
}

/// Divides columns into blocks of a few cache lines, of which the last is not much shorter or longer than the others.
fn blocks(columns: usize) -> impl Iterator<Item = Range<usize>> {
    let count = (columns / BLOCK).max(1);
    (0..count).map(move |index| match index + 1 == count {
        true => index * BLOCK..columns,
        false => index * BLOCK..(index + 1) * BLOCK,
    })
}
