//! The kernels for graphics cards, in CubeCL: functions on tensors of Burn's Cube backend.
//!
//! Tensors have the shape `[batch, channels, height, width]`, as everywhere; in memory the channels are adjacent
//! ("channels last"), the layout in which Burn's own convolutions of this backend take and leave them. Neighbouring units of a
//! cube compute neighbouring channels, so that their reads and writes are adjacent. Sums are in `f32`, whatever the tensors' own
//! element type. Every result is computed in a fixed order, without atomic operations: the same command gives the same numbers.

mod batch_norm;
mod convolution;
mod depthwise;
mod grid;
mod grouped;
mod layout;
mod partial_sums;
mod source;
