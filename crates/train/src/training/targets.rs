//! Batches on a device.

use burn::prelude::*;

use crate::data::{Batch, Mixture, Targets};

/// Images and what is to be recognized in them, on a device.
#[derive(Debug, Clone)]
pub struct ImageBatch {
    /// `[batch, 3, height, width]`, normalized.
    pub images: Tensor<4>,
    /// What is to be recognized; in mixtures, of their first images.
    pub targets: ImageTargets,
    /// What else is to be recognized where images are mixtures of two.
    pub mixture: Option<ImageMixture>,
}

/// What the second images of mixtures show, on a device.
#[derive(Debug, Clone)]
pub struct ImageMixture {
    /// What is to be recognized in the second images.
    pub targets: ImageTargets,
    /// The shares of the first images, from 0 to 1, `[batch]`.
    pub shares: Tensor<1>,
}

/// What is to be recognized in the images of a batch, on a device.
#[derive(Debug, Clone)]
pub enum ImageTargets {
    /// The index of each image's class, `[batch]`.
    Classes(Tensor<1, Int>),
    /// 1 for each of an image's classes, 0 for the others, `[batch, classes]`.
    Sets(Tensor<2>),
}

impl ImageBatch {
    /// Moves a batch of images of this height and width to the device.
    pub fn new(batch: Batch, size: [usize; 2], device: &Device) -> Self {
        let count = batch.len();
        let [height, width] = size;
        let pixels = TensorData::new(batch.pixels, [count, 3, height, width]);
        Self {
            images: Tensor::from_data(pixels, device),
            targets: ImageTargets::new(&batch.targets, device),
            mixture: batch
                .mixture
                .map(|mixture| ImageMixture::new(mixture, device)),
        }
    }
}

impl ImageMixture {
    /// Moves what a mixture has to the device.
    fn new(mixture: Mixture, device: &Device) -> Self {
        let shape = [mixture.shares.len()];
        let shares = TensorData::new(mixture.shares, shape);
        Self {
            targets: ImageTargets::new(&mixture.targets, device),
            shares: Tensor::from_data(shares, device),
        }
    }
}

impl ImageTargets {
    /// Moves targets to the device.
    pub fn new(targets: &Targets, device: &Device) -> Self {
        match targets {
            Targets::Classes(classes) => {
                let classes: Vec<i64> = classes.iter().map(|&class| i64::from(class)).collect();
                let shape = [classes.len()];
                Self::Classes(Tensor::from_data(TensorData::new(classes, shape), device))
            }
            Targets::Sets { sets, classes } => {
                let mut values = vec![0f32; sets.len() * classes];
                for (row, set) in values.chunks_exact_mut((*classes).max(1)).zip(sets) {
                    for &class in set {
                        row[class as usize] = 1.0;
                    }
                }
                let data = TensorData::new(values, [sets.len(), *classes]);
                Self::Sets(Tensor::from_data(data, device))
            }
        }
    }
}
