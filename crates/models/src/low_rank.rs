//! Conversion between separable and dense convolutions: exact from separable to dense, by low-rank approximation
//! back.
//!
//! A separable convolution (Chollet, "Xception", 2017, section 1) without an activation between its two parts equals
//! a dense one whose kernel is, for each input channel, an outer product:
//! `dense[o, c, y, x] = pointwise[o, c] * depthwise[c, y, x]`. With `r` depthwise kernels per channel (a depth
//! multiplier of `r`) it is a sum of `r` such products.
//!
//! The separable kernel closest to a dense one in the least-squares sense is therefore found channel by channel: it
//! is the best approximation of rank `r` to the matrix `dense[:, c, :, :]` of output channels by taps, that is, the
//! first `r` terms of its singular value decomposition (Eckart and Young, 1936). The squared error is the sum of the
//! squares of the remaining singular values.
//!
//! Kernels are slices in row-major order, in the layouts of PyTorch and Burn.

mod jacobi;

use thiserror::Error;

use jacobi::{Decomposition, decompose};

/// Sizes of a separable convolution's kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeparableShape {
    /// Output channels, O.
    pub outputs: usize,
    /// Input channels, C.
    pub inputs: usize,
    /// Height and width of the kernel, in taps.
    pub kernel: [usize; 2],
    /// Depthwise kernels per input channel, r: the depth multiplier, or rank.
    pub rank: usize,
}

impl SeparableShape {
    /// Returns the number of taps of a depthwise kernel.
    fn taps(&self) -> usize {
        self.kernel[0].saturating_mul(self.kernel[1])
    }

    /// Returns the length of `[O, C, h, w]`.
    fn dense_len(&self) -> Option<usize> {
        [self.inputs, self.kernel[0], self.kernel[1]]
            .into_iter()
            .try_fold(self.outputs, usize::checked_mul)
    }

    /// Returns the length of `[C * r, 1, h, w]`.
    fn depthwise_len(&self) -> Option<usize> {
        [self.rank, self.kernel[0], self.kernel[1]]
            .into_iter()
            .try_fold(self.inputs, usize::checked_mul)
    }

    /// Returns the length of `[O, C * r]`.
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

/// An error in the kernels or the rank of a conversion.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum LowRankError {
    /// A dimension of the shape is zero.
    #[error("a convolution of {} outputs, {} inputs and {} x {} taps has no kernel; every side has to be at least 1",
        .shape.outputs, .shape.inputs, .shape.kernel[0], .shape.kernel[1])]
    Empty {
        /// The shape.
        shape: SeparableShape,
    },
    /// The rank is zero, or larger than the rank that is exact.
    #[error(
        "a rank of {rank} was asked for, but this kernel has ranks from 1 to {largest} (which is exact)"
    )]
    Rank {
        /// The rank given.
        rank: usize,
        /// Largest rank: the smaller of the number of output channels and the number of taps.
        largest: usize,
    },
    /// A slice has another length than its shape requires.
    #[error("the {what} kernel has {found} values, but its shape asks for {expected}")]
    Length {
        /// The kernel's name, such as `dense`.
        what: &'static str,
        /// Length of the slice.
        found: usize,
        /// Length that the shape requires.
        expected: usize,
    },
    /// A value isn't a finite number.
    #[error(
        "the {what} kernel holds {value} at position {position}; a training run that diverged leaves such weights"
    )]
    NotFinite {
        /// The kernel's name, such as `dense`.
        what: &'static str,
        /// The value found.
        value: f32,
        /// Index of the value.
        position: usize,
    },
}

/// A separable approximation of a dense convolution.
#[derive(Debug, Clone, PartialEq)]
pub struct Separable {
    /// Depthwise kernels, `[C * r, 1, h, w]`: those of input channel `c` are at indices `c * r` to `c * r + r - 1`,
    /// in descending order of their singular values.
    pub depthwise: Vec<f32>,
    /// Pointwise kernel, `[O, C * r]`, which is also `[O, C * r, 1, 1]`.
    pub pointwise: Vec<f32>,
    /// Relative error in the Frobenius norm: the norm of the difference over the norm of the dense kernel, before
    /// both are rounded to single precision. It is 0 for a kernel of zeros.
    pub relative_error: f64,
}

/// Computes the dense kernel that is equivalent to a depthwise convolution followed by a pointwise one.
///
/// # Shapes
///
/// - `depthwise`: `[C * r, 1, h, w]`
/// - `pointwise`: `[O, C * r]`
/// - output: `[O, C, h, w]`
///
/// # Errors
///
/// If a kernel doesn't have its shape, or a dimension is zero. Unlike in [`to_separable`], the rank may be any number
/// from 1 up.
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

/// Computes the separable convolution of rank `shape.rank` that is closest to a dense one.
///
/// The root of each singular value goes to either kernel, so that both have the same norm. The sign is chosen so that
/// the largest tap of each depthwise kernel is positive.
///
/// # Shapes
///
/// - `dense`: `[O, C, h, w]`
/// - output: `[C * r, 1, h, w]` and `[O, C * r]`
///
/// # Errors
///
/// If the kernel doesn't have its shape or isn't finite, or the rank is larger than the exact one.
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

/// Returns `dense[:, channel, :, :]` as one vector of all output channels for each tap.
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
