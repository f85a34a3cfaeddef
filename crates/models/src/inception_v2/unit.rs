//! The units: Inception modules, and the reductions between the stages.

use burn::module::Module;
use burn::prelude::*;
use xception_kernels::Padding2d;

use crate::layers::{
    ConvNorm, ConvNormConfig, Epilogue, FeatureMap, LayerOptions, average_pool, max_pool,
};
use crate::width::Width;

/// The published channels of a unit, and its pool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The 1x1; a reduction has none.
    pub(super) branch1x1: Option<usize>,
    /// The 1x1 before the 3x3, and the 3x3.
    branch3x3: [usize; 2],
    /// The 1x1 before the double 3x3, and both 3x3.
    branch3x3dbl: [usize; 2],
    pool: Pool,
    /// The 1x1 after the pool; a reduction has none.
    pub(super) branch_pool: Option<usize>,
}

/// Makes the row of an Inception module with an average pool.
pub(super) const fn average(
    branch1x1: usize,
    branch3x3: [usize; 2],
    branch3x3dbl: [usize; 2],
    branch_pool: usize,
) -> Row {
    Row {
        branch1x1: Some(branch1x1),
        branch3x3,
        branch3x3dbl,
        pool: Pool::Average,
        branch_pool: Some(branch_pool),
    }
}

/// Makes the row of an Inception module with a max pool.
pub(super) const fn maximum(
    branch1x1: usize,
    branch3x3: [usize; 2],
    branch3x3dbl: [usize; 2],
    branch_pool: usize,
) -> Row {
    Row {
        pool: Pool::Maximum,
        ..average(branch1x1, branch3x3, branch3x3dbl, branch_pool)
    }
}

/// Makes the row of a reduction.
pub(super) const fn reduction(branch3x3: [usize; 2], branch3x3dbl: [usize; 2]) -> Row {
    Row {
        branch1x1: None,
        branch3x3,
        branch3x3dbl,
        pool: Pool::Reduction,
        branch_pool: None,
    }
}

/// The pool of a unit, over 3x3 pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// The mean, at stride 1.
    Average,
    /// The maximum, at stride 1.
    Maximum,
    /// The maximum, at stride 2, as in the other branches of a reduction.
    Reduction,
}

pub(super) struct InceptionUnitConfig<'a> {
    pub(super) channels_in: usize,
    pub(super) row: &'a Row,
    pub(super) width: Width<'a>,
    pub(super) count_include_pad: bool,
    pub(super) options: LayerOptions,
}

impl InceptionUnitConfig<'_> {
    pub(super) fn channels_out(&self) -> usize {
        let row = self.row;
        let pooled = row
            .branch_pool
            .map(|channels| self.width.channels(channels));
        let branches = [
            row.branch1x1,
            Some(row.branch3x3[1]),
            Some(row.branch3x3dbl[1]),
        ];
        let branches = branches.into_iter().flatten();
        let branches = branches.map(|channels| self.width.channels(channels));
        branches.sum::<usize>() + pooled.unwrap_or(self.channels_in)
    }

    pub(super) fn init(&self, device: &Device) -> InceptionUnit {
        let row = self.row;
        let stride = match row.pool {
            Pool::Average | Pool::Maximum => 1,
            Pool::Reduction => 2,
        };
        let channels = |published| self.width.channels(published);
        let conv = |channels: [usize; 2], kernel: usize, stride| {
            ConvNormConfig::new(channels, kernel, self.options)
                .with_bias()
                .with_padding(kernel / 2)
                .with_stride(stride)
                .init(device)
        };
        let pointwise = |published| conv([self.channels_in, channels(published)], 1, 1);
        let [reduced, out] = row.branch3x3.map(channels);
        let [reduced_dbl, out_dbl] = row.branch3x3dbl.map(channels);
        InceptionUnit {
            branch1x1: row.branch1x1.map(pointwise),
            branch3x3_1: pointwise(row.branch3x3[0]),
            branch3x3_2: conv([reduced, out], 3, stride),
            branch3x3dbl_1: pointwise(row.branch3x3dbl[0]),
            branch3x3dbl_2: conv([reduced_dbl, out_dbl], 3, 1),
            branch3x3dbl_3: conv([out_dbl, out_dbl], 3, stride),
            branch_pool: row.branch_pool.map(pointwise),
            pool: row.pool,
            count_include_pad: self.count_include_pad,
        }
    }
}

/// An Inception module with the branches 1x1; 1x1 and 3x3; 1x1 and two 3x3; pool and 1x1. Or a reduction, which has no
/// 1x1, the strides of its other branches in their last layers, and a pool that passes all channels on (figure 5).
#[derive(Module, Debug)]
pub struct InceptionUnit {
    /// The 1x1; a reduction has none.
    pub branch1x1: Option<ConvNorm>,
    /// 1x1 before the 3x3.
    pub branch3x3_1: ConvNorm,
    /// The 3x3.
    pub branch3x3_2: ConvNorm,
    /// 1x1 before the double 3x3.
    pub branch3x3dbl_1: ConvNorm,
    /// First 3x3.
    pub branch3x3dbl_2: ConvNorm,
    /// Second 3x3.
    pub branch3x3dbl_3: ConvNorm,
    /// 1x1 after the pool; a reduction has none.
    pub branch_pool: Option<ConvNorm>,
    /// The pool.
    #[module(skip)]
    pub pool: Pool,
    /// Whether an average pool counts the zeros around the map.
    pub count_include_pad: bool,
}

impl InceptionUnit {
    /// Computes all branches, and concatenates their outputs.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels_in, height, width]`
    /// - output: `[batch, channels_out, height, width]`, or half the height and width, rounded up, after a reduction
    pub fn forward(&self, input: FeatureMap) -> FeatureMap {
        let relu = Epilogue::relu;
        let branch3x3 = self.branch3x3_1.forward(input.clone(), relu());
        let branch3x3 = self.branch3x3_2.forward(branch3x3, relu());

        let branch3x3dbl = self.branch3x3dbl_1.forward(input.clone(), relu());
        let branch3x3dbl = self.branch3x3dbl_2.forward(branch3x3dbl, relu());
        let branch3x3dbl = self.branch3x3dbl_3.forward(branch3x3dbl, relu());

        let mut branch_pool = self.pooled(input.clone());
        if let Some(conv) = &self.branch_pool {
            branch_pool = conv.forward(branch_pool, relu());
        }

        match &self.branch1x1 {
            Some(conv) => {
                let branch1x1 = conv.forward(input, relu());
                FeatureMap::concatenate([branch1x1, branch3x3, branch3x3dbl, branch_pool])
            }
            None => FeatureMap::concatenate([branch3x3, branch3x3dbl, branch_pool]),
        }
    }

    /// Applies the pool.
    ///
    /// In a reduction the windows are those of the convolutions at stride 2. Where the map has an even number of pixels
    /// they reach over the border at the bottom and on the right alone, as with `ceil_mode` in the reference
    /// implementation, which can't concatenate the branches of other maps.
    fn pooled(&self, input: FeatureMap) -> FeatureMap {
        let kernels = self.branch3x3_1.kernels;
        let [_, _, height, width] = input.dims();
        match self.pool {
            Pool::Average => average_pool(input, 3, self.count_include_pad, kernels),
            Pool::Maximum => max_pool(input, 3, 1, Padding2d::symmetric(1), kernels),
            Pool::Reduction => {
                let padding = Padding2d::same([height, width], [3; 2], [2; 2]);
                max_pool(input, 3, 2, padding, kernels)
            }
        }
    }
}
