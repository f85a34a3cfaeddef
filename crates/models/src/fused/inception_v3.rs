//! Inception V3 for inference.

use burn::module::Module;
use burn::prelude::*;
use xception_kernels::{FusedConv2d, Geometry, max_pool_channels_last, mean_pool_channels_last};

use super::classifier::FusedClassifier;
use super::layers::{channels_first, pool};
use crate::inception_v3::{
    AUXILIARY_STAGE, INCEPTION_A, INCEPTION_B, INCEPTION_C, INCEPTION_D, INCEPTION_E, InceptionA,
    InceptionAuxiliary, InceptionB, InceptionC, InceptionD, InceptionE, STEM,
};
use crate::layers::{ConvNorm, Kernels};
use crate::{InceptionV3, Network};

/// [`InceptionV3`] made ready for inference, by [`InceptionV3::fuse`]; see [`fused`](crate::fused).
#[derive(Module, Debug)]
pub struct FusedInceptionV3 {
    #[module(skip)]
    stem: Vec<Step>,
    #[module(skip)]
    modules: Vec<FusedModule>,
    #[module(skip)]
    classifier: FusedClassifier,
    #[module(skip)]
    auxiliary: Option<FusedAuxiliary>,
    minimum_size: usize,
    native: bool,
}

/// A layer of the stem: a stage.
#[derive(Debug, Clone)]
struct Step {
    name: &'static str,
    convolution: FusedConv2d,
    /// Name of the max pool that follows.
    pool: Option<&'static str>,
}

/// A module: branches whose outputs are joined.
#[derive(Debug, Clone)]
struct FusedModule {
    name: &'static str,
    branches: Vec<Branch>,
    native: bool,
}

/// A branch of a module.
#[derive(Debug, Clone)]
struct Branch {
    start: Start,
    convolutions: Vec<FusedConv2d>,
    /// Convolutions beside each other that the branch ends with, whose outputs are joined.
    expanded: Vec<FusedConv2d>,
}

/// What a branch starts with.
#[derive(Debug, Clone, Copy)]
enum Start {
    /// The module's input.
    Input,
    /// Its mean over 3x3 at stride 1.
    MeanPool {
        /// Whether zeros from the padding count.
        counts_padding: bool,
    },
    /// Its maximum over 3x3 at stride 2.
    MaxPool,
}

impl InceptionV3 {
    /// The network made ready for inference: the same results in less time, without parameters or
    /// gradients; see [`fused`](crate::fused).
    pub fn fuse(&self) -> FusedInceptionV3 {
        let kernels = self.inception_b.branch3x3.kernels;
        let native = kernels == Kernels::Native;
        let stem = self
            .stem
            .convolutions
            .iter()
            .zip(&STEM)
            .map(|(layer, row)| Step {
                name: row.name,
                convolution: layer.fuse(true),
                pool: row.pool.filter(|_| self.stem.pools),
            });
        let a = self.inception_a.iter().zip(INCEPTION_A);
        let c = self.inception_c.iter().zip(INCEPTION_C);
        let e = self.inception_e.iter().zip(INCEPTION_E);
        let modules = a
            .map(|(module, (name, _))| (name, branches_a(module)))
            .chain([(INCEPTION_B, branches_b(&self.inception_b))])
            .chain(c.map(|(module, (name, _))| (name, branches_c(module))))
            .chain([(INCEPTION_D, branches_d(&self.inception_d))])
            .chain(e.map(|(module, name)| (name, branches_e(module))));
        FusedInceptionV3 {
            stem: stem.collect(),
            modules: modules
                .map(|(name, branches)| FusedModule {
                    name,
                    branches,
                    native,
                })
                .collect(),
            classifier: FusedClassifier::new(&self.classifier, kernels),
            auxiliary: self.auxiliary.as_ref().map(FusedAuxiliary::new),
            minimum_size: self.minimum_size,
            native,
        }
    }
}

impl Network for FusedInceptionV3 {
    fn forward_stages(
        &self,
        images: Tensor<4>,
        observe: &mut dyn FnMut(&str, &Tensor<4>),
    ) -> Tensor<4> {
        let mut x = images;
        for (index, step) in self.stem.iter().enumerate() {
            x = match index {
                0 => step.convolution.forward_images(x),
                _ => step.convolution.forward(x),
            };
            observe(step.name, &channels_first(&x));
            if let Some(name) = step.pool {
                x = reduce(x, self.native);
                observe(name, &channels_first(&x));
            }
        }
        for module in &self.modules {
            x = module.forward(x);
            observe(module.name, &channels_first(&x));
        }
        channels_first(&x)
    }

    fn pool(&self, features: Tensor<4>) -> Tensor<2> {
        pool(features)
    }

    fn classify(&self, pooled: Tensor<2>) -> Tensor<2> {
        self.classifier.forward(pooled)
    }

    fn auxiliary_stage(&self) -> Option<&'static str> {
        self.auxiliary.as_ref().map(|_| AUXILIARY_STAGE)
    }

    fn classify_auxiliary(&self, stage: Tensor<4>) -> Option<Tensor<2>> {
        let auxiliary = self.auxiliary.as_ref();
        auxiliary.map(|auxiliary| auxiliary.forward(stage))
    }

    fn classes(&self) -> usize {
        self.classifier.classes()
    }

    fn minimum_size(&self) -> usize {
        self.minimum_size
    }
}

/// Max pool 3x3 at stride 2, without padding.
fn reduce(input: Tensor<4>, native: bool) -> Tensor<4> {
    max_pool_channels_last(input, &Geometry::valid(3).with_stride(2), native)
}

impl FusedModule {
    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let mut outputs = Vec::new();
        for branch in &self.branches {
            let mut x = match branch.start {
                Start::Input => input.clone(),
                Start::MeanPool { counts_padding } => {
                    mean_pool_channels_last(input.clone(), 3, counts_padding, self.native)
                }
                Start::MaxPool => reduce(input.clone(), self.native),
            };
            for convolution in &branch.convolutions {
                x = convolution.forward(x);
            }
            match branch.expanded.as_slice() {
                [] => outputs.push(x),
                expanded => outputs.extend(expanded.iter().map(|last| last.forward(x.clone()))),
            }
        }
        Tensor::cat(outputs, 3)
    }
}

impl Branch {
    fn new<const N: usize>(start: Start, convolutions: [&ConvNorm; N]) -> Self {
        Self {
            start,
            convolutions: convolutions.map(|layer| layer.fuse(true)).into(),
            expanded: Vec::new(),
        }
    }

    fn plain<const N: usize>(convolutions: [&ConvNorm; N]) -> Self {
        Self::new(Start::Input, convolutions)
    }

    fn pooled(counts_padding: bool, convolution: &ConvNorm) -> Self {
        Self::new(Start::MeanPool { counts_padding }, [convolution])
    }

    fn expanded(mut self, convolutions: [&ConvNorm; 2]) -> Self {
        self.expanded = convolutions.map(|layer| layer.fuse(true)).into();
        self
    }
}

fn branches_a(module: &InceptionA) -> Vec<Branch> {
    vec![
        Branch::plain([&module.branch1x1]),
        Branch::plain([&module.branch5x5_1, &module.branch5x5_2]),
        Branch::plain([
            &module.branch3x3dbl_1,
            &module.branch3x3dbl_2,
            &module.branch3x3dbl_3,
        ]),
        Branch::pooled(module.pool_counts_padding, &module.branch_pool),
    ]
}

fn branches_b(module: &InceptionB) -> Vec<Branch> {
    vec![
        Branch::plain([&module.branch3x3]),
        Branch::plain([
            &module.branch3x3dbl_1,
            &module.branch3x3dbl_2,
            &module.branch3x3dbl_3,
        ]),
        Branch::new(Start::MaxPool, []),
    ]
}

fn branches_c(module: &InceptionC) -> Vec<Branch> {
    vec![
        Branch::plain([&module.branch1x1]),
        Branch::plain([
            &module.branch7x7_1,
            &module.branch7x7_2,
            &module.branch7x7_3,
        ]),
        Branch::plain([
            &module.branch7x7dbl_1,
            &module.branch7x7dbl_2,
            &module.branch7x7dbl_3,
            &module.branch7x7dbl_4,
            &module.branch7x7dbl_5,
        ]),
        Branch::pooled(module.pool_counts_padding, &module.branch_pool),
    ]
}

fn branches_d(module: &InceptionD) -> Vec<Branch> {
    vec![
        Branch::plain([&module.branch3x3_1, &module.branch3x3_2]),
        Branch::plain([
            &module.branch7x7x3_1,
            &module.branch7x7x3_2,
            &module.branch7x7x3_3,
            &module.branch7x7x3_4,
        ]),
        Branch::new(Start::MaxPool, []),
    ]
}

fn branches_e(module: &InceptionE) -> Vec<Branch> {
    vec![
        Branch::plain([&module.branch1x1]),
        Branch::plain([&module.branch3x3_1]).expanded([&module.branch3x3_2a, &module.branch3x3_2b]),
        Branch::plain([&module.branch3x3dbl_1, &module.branch3x3dbl_2])
            .expanded([&module.branch3x3dbl_3a, &module.branch3x3dbl_3b]),
        Branch::pooled(module.pool_counts_padding, &module.branch_pool),
    ]
}

/// The auxiliary classifier.
#[derive(Debug, Clone)]
struct FusedAuxiliary {
    pool: bool,
    convolutions: [FusedConv2d; 2],
    classifier: FusedClassifier,
}

impl FusedAuxiliary {
    fn new(auxiliary: &InceptionAuxiliary) -> Self {
        let kernels = auxiliary.conv0.kernels;
        Self {
            pool: auxiliary.pool,
            convolutions: [auxiliary.conv0.fuse(true), auxiliary.conv1.fuse(true)],
            classifier: FusedClassifier::new(&auxiliary.classifier, kernels),
        }
    }

    /// As [`InceptionAuxiliary::forward`].
    fn forward(&self, input: Tensor<4>) -> Tensor<2> {
        let input = match self.pool {
            true => InceptionAuxiliary::average_pool(input),
            false => input,
        };
        let [first, second] = &self.convolutions;
        let x = second.forward(first.forward_images(input));
        self.classifier.forward(pool(channels_first(&x)))
    }
}
