//! Separable convolutions as dense ones, and dense ones as sums of separable ones.
//!
//! A separable convolution (Chollet, "Xception", 2017, section 1) without an activation in between is
//! a dense one whose kernel is, for every input channel, an outer product:
//! `dense[o, c, y, x] = pointwise[o, c] * depthwise[c, y, x]`. With `r` depthwise kernels a channel
//! (a depth multiplier of `r`) it is a sum of `r` such products.
//!
//! So the separable kernel nearest to a dense one, in the sum of squares, has for every input channel
//! the best approximation of rank `r` of the matrix `dense[:, c, :, :]`, output channels by taps: the
//! first `r` terms of its singular value decomposition (Eckart and Young, 1936). The squared error is
//! the sum of the squares of the other singular values.
//!
//! Kernels are slices with the last axis the fastest, laid out as PyTorch and Burn have them.

mod jacobi;

use thiserror::Error;

use jacobi::{Decomposition, decompose};

/// The sizes of a separable convolution's kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeparableShape {
    /// Output channels, O.
    pub outputs: usize,
    /// Input channels, C.
    pub inputs: usize,
    /// Height and width of the kernel, in taps.
    pub kernel: [usize; 2],
    /// Depthwise kernels an input channel, r: the depth multiplier, or rank.
    pub rank: usize,
}

impl SeparableShape {
    /// Taps of a depthwise kernel.
    fn taps(&self) -> usize {
        self.kernel[0].saturating_mul(self.kernel[1])
    }

    /// The length of `[O, C, h, w]`.
    fn dense_len(&self) -> Option<usize> {
        [self.inputs, self.kernel[0], self.kernel[1]]
            .into_iter()
            .try_fold(self.outputs, usize::checked_mul)
    }

    /// The length of `[C * r, 1, h, w]`.
    fn depthwise_len(&self) -> Option<usize> {
        [self.rank, self.kernel[0], self.kernel[1]]
            .into_iter()
            .try_fold(self.inputs, usize::checked_mul)
    }

    /// The length of `[O, C * r]`.
    fn pointwise_len(&self) -> Option<usize> {
        self.outputs
            .checked_mul(self.inputs)?
            .checked_mul(self.rank)
    }

    fn check(&self) -> Result<(), LowRankError> {
        let sides = [self.outputs, self.inputs, self.kernel[0], self.kernel[1]];
        if sides.contains(&0) {
            return Err(LowRankError::Empty { shape: *self });
        }
        let largest = self.taps().min(self.outputs);
        if self.rank == 0 || self.rank > largest {
            return Err(LowRankError::Rank {
                rank: self.rank,
                largest,
            });
        }
        Ok(())
    }
}

/// What is wrong with kernels or a rank.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum LowRankError {
    /// A shape with a side of zero.
    #[error("a convolution of {} outputs, {} inputs and {} x {} taps has no kernel; every side has to be at least 1",
        .shape.outputs, .shape.inputs, .shape.kernel[0], .shape.kernel[1])]
    Empty {
        /// The shape.
        shape: SeparableShape,
    },
    /// A rank of zero, or above the one that is exact.
    #[error(
        "a rank of {rank} was asked for, but this kernel has ranks from 1 to {largest} (which is exact)"
    )]
    Rank {
        /// The rank.
        rank: usize,
        /// The smaller of the output channels and the taps.
        largest: usize,
    },
    /// A slice of another length than its shape's.
    #[error("the {what} kernel has {found} values, but its shape asks for {expected}")]
    Length {
        /// Which kernel it is.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The length that its shape asks for.
        expected: usize,
    },
    /// A value that isn't a finite number.
    #[error(
        "the {what} kernel holds {value} at position {position}; a training run that diverged leaves such weights"
    )]
    NotFinite {
        /// Which kernel it is.
        what: &'static str,
        /// The value.
        value: f32,
        /// Its index.
        position: usize,
    },
}

/// A separable convolution near a dense one.
#[derive(Debug, Clone, PartialEq)]
pub struct Separable {
    /// Depthwise kernels, `[C * r, 1, h, w]`: those of input channel `c` are at `c * r` and the
    /// following, the most important one first.
    pub depthwise: Vec<f32>,
    /// Pointwise kernel, `[O, C * r]`, or `[O, C * r, 1, 1]`.
    pub pointwise: Vec<f32>,
    /// The norm of the difference to the dense kernel over the norm of that (Frobenius), before both
    /// are rounded to single precision; 0 for a kernel of zeros.
    pub relative_error: f64,
}

/// The dense kernel that does what the depthwise kernels and then the pointwise one do.
///
/// # Errors
///
/// For kernels that don't have the shape. The rank may be any from 1 on.
///
/// # Shapes
///
/// `[C * r, 1, h, w]` and `[O, C * r]` to `[O, C, h, w]`.
pub fn to_dense(
    depthwise: &[f32],
    pointwise: &[f32],
    shape: SeparableShape,
) -> Result<Vec<f32>, LowRankError> {
    SeparableShape { rank: 1, ..shape }.check()?;
    if shape.rank == 0 {
        return Err(LowRankError::Rank {
            rank: 0,
            largest: shape.taps().min(shape.outputs),
        });
    }
    check_len("depthwise", depthwise, shape.depthwise_len())?;
    check_len("pointwise", pointwise, shape.pointwise_len())?;
    let taps = shape.taps();
    let mut dense = Vec::with_capacity(shape.outputs * shape.inputs * taps);
    for row in pointwise.chunks_exact(shape.inputs * shape.rank) {
        let channels = row.chunks_exact(shape.rank);
        for (weights, kernels) in channels.zip(depthwise.chunks_exact(shape.rank * taps)) {
            dense.extend((0..taps).map(|tap| {
                let terms = weights.iter().zip(kernels[tap..].iter().step_by(taps));
                terms
                    .map(|(a, b)| f64::from(*a) * f64::from(*b))
                    .sum::<f64>() as f32
            }));
        }
    }
    Ok(dense)
}

/// The separable convolution of rank `shape.rank` that is nearest to a dense one.
///
/// Each singular value is split evenly between the two kernels, so that both have the same size; of
/// the two signs, the one that makes the depthwise kernel's largest tap positive.
///
/// # Errors
///
/// For a kernel that doesn't have the shape or isn't finite, and for a rank above the exact one.
///
/// # Shapes
///
/// `[O, C, h, w]` to `[C * r, 1, h, w]` and `[O, C * r]`.
pub fn to_separable(dense: &[f32], shape: SeparableShape) -> Result<Separable, LowRankError> {
    shape.check()?;
    check_len("dense", dense, shape.dense_len())?;
    if let Some((position, &value)) = dense.iter().enumerate().find(|(_, v)| !v.is_finite()) {
        return Err(LowRankError::NotFinite {
            what: "dense",
            value,
            position,
        });
    }
    let (taps, rank) = (shape.taps(), shape.rank);
    let width = shape.inputs * rank;
    let mut depthwise = vec![0.0; width * taps];
    let mut pointwise = vec![0.0; shape.outputs * width];
    let (mut lost, mut total) = (0.0, 0.0);
    for channel in 0..shape.inputs {
        let columns = channel_matrix(dense, shape, channel); // [h * w, O]
        let decomposition = decompose(columns, shape.outputs);
        let squares = decomposition.values.iter().map(|value| value * value);
        total += squares.clone().sum::<f64>();
        lost += squares.skip(rank).sum::<f64>();
        for term in 0..rank {
            let index = channel * rank + term;
            let kernel = &mut depthwise[index * taps..(index + 1) * taps];
            let column = pointwise.iter_mut().skip(index).step_by(width);
            write_term(&decomposition, term, kernel, column);
        }
    }
    Ok(Separable {
        depthwise,
        pointwise,
        relative_error: if total > 0.0 {
            (lost / total).sqrt()
        } else {
            0.0
        },
    })
}

/// Writes one term of the decomposition as a depthwise kernel and a column of the pointwise one.
fn write_term<'a>(
    decomposition: &Decomposition,
    term: usize,
    kernel: &mut [f32],
    column: impl Iterator<Item = &'a mut f32>,
) {
    let (left, right) = (&decomposition.left[term], &decomposition.right[term]);
    let largest = right
        .iter()
        .copied()
        .fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
    let sign = if largest < 0.0 { -1.0 } else { 1.0 };
    let half = sign * decomposition.values[term].sqrt();
    for (weight, value) in kernel.iter_mut().zip(right) {
        *weight = (half * value) as f32;
    }
    for (weight, value) in column.zip(left) {
        *weight = (half * value) as f32;
    }
}

/// `dense[:, channel, :, :]`, one vector of all output channels for each tap.
fn channel_matrix(dense: &[f32], shape: SeparableShape, channel: usize) -> Vec<Vec<f64>> {
    let taps = shape.taps();
    let stride = shape.inputs * taps;
    (0..taps)
        .map(|tap| {
            let column = dense[channel * taps + tap..].iter().step_by(stride);
            column.map(|value| f64::from(*value)).collect()
        })
        .collect()
}

fn check_len(
    what: &'static str,
    kernel: &[f32],
    expected: Option<usize>,
) -> Result<(), LowRankError> {
    let expected = expected.unwrap_or(usize::MAX);
    if kernel.len() == expected {
        return Ok(());
    }
    Err(LowRankError::Length {
        what,
        found: kernel.len(),
        expected,
    })
}

#[cfg(test)]
mod tests;
