//! The steps of optimizers as operations without gradients.

#[cfg(feature = "flex")]
use burn::backend::Flex;
#[cfg(feature = "ndarray")]
use burn::backend::NdArray;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, backend_extension};

use super::host::HostBackend;
use crate::cpu::optimizer::{adam_w, moving_average, rms_prop, sgd, square_sum};
use crate::{AdamWSettings, RmsPropSettings, SgdSettings};

/// Updates tensors, in place if there are no other references to them, by a kernel that gets their values.
fn update<B: HostBackend, const N: usize>(
    tensors: [FloatTensor<B>; N],
    kernel: impl FnOnce([&mut [f32]; N]),
) -> [FloatTensor<B>; N] {
    let mut parts = tensors.map(|tensor| {
        let (device, shape) = (tensor.device(), tensor.shape());
        let values = match B::take_values(tensor) {
            Ok(values) => values,
            Err(tensor) => B::values(tensor).to_vec(),
        };
        (values, shape, device)
    });
    kernel(parts.each_mut().map(|(values, _, _)| values.as_mut_slice()));
    parts.map(|(values, shape, device)| B::from_values(values, shape, &device))
}

/// The steps of optimizers by this crate's kernels, on the backends that have them.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"))]
pub trait OptimizerBackend: Backend {
    /// Returns the new parameters and velocities.
    fn sgd_step(
        parameters: FloatTensor<Self>,
        gradients: FloatTensor<Self>,
        velocities: FloatTensor<Self>,
        settings: SgdSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// Returns the new parameters, mean squares and velocities.
    fn rms_prop_step(
        parameters: FloatTensor<Self>,
        gradients: FloatTensor<Self>,
        mean_squares: FloatTensor<Self>,
        velocities: FloatTensor<Self>,
        settings: RmsPropSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// Returns the new parameters, means and mean squares.
    fn adam_w_step(
        parameters: FloatTensor<Self>,
        gradients: FloatTensor<Self>,
        means: FloatTensor<Self>,
        mean_squares: FloatTensor<Self>,
        settings: AdamWSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// Returns the new averages.
    fn moving_average_step(
        averages: FloatTensor<Self>,
        values: FloatTensor<Self>,
        share: f64,
    ) -> FloatTensor<Self>;

    /// Returns the sum of all squares, shape `[1]`.
    fn sum_of_squares(tensor: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// Implements the steps for a backend whose tensors lie in memory.
macro_rules! implement {
    ($backend:ty) => {
        impl OptimizerBackend for $backend {
            fn sgd_step(
                parameters: FloatTensor<Self>,
                gradients: FloatTensor<Self>,
                velocities: FloatTensor<Self>,
                settings: SgdSettings,
            ) -> (FloatTensor<Self>, FloatTensor<Self>) {
                let gradients = Self::values(gradients);
                let [parameters, velocities] =
                    update::<Self, 2>([parameters, velocities], |[parameters, velocities]| {
                        sgd::step(&settings, parameters, &gradients, velocities);
                    });
                (parameters, velocities)
            }

            fn rms_prop_step(
                parameters: FloatTensor<Self>,
                gradients: FloatTensor<Self>,
                mean_squares: FloatTensor<Self>,
                velocities: FloatTensor<Self>,
                settings: RmsPropSettings,
            ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
                let gradients = Self::values(gradients);
                let tensors = [parameters, mean_squares, velocities];
                let [parameters, mean_squares, velocities] =
                    update::<Self, 3>(tensors, |tensors| {
                        rms_prop::step(&settings, &gradients, tensors);
                    });
                (parameters, mean_squares, velocities)
            }

            fn adam_w_step(
                parameters: FloatTensor<Self>,
                gradients: FloatTensor<Self>,
                means: FloatTensor<Self>,
                mean_squares: FloatTensor<Self>,
                settings: AdamWSettings,
            ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
                let gradients = Self::values(gradients);
                let tensors = [parameters, means, mean_squares];
                let [parameters, means, mean_squares] = update::<Self, 3>(tensors, |tensors| {
                    adam_w::step(&settings, &gradients, tensors);
                });
                (parameters, means, mean_squares)
            }

            fn moving_average_step(
                averages: FloatTensor<Self>,
                values: FloatTensor<Self>,
                share: f64,
            ) -> FloatTensor<Self> {
                let values = Self::values(values);
                let [averages] = update::<Self, 1>([averages], |[averages]| {
                    moving_average::step(averages, &values, share as f32);
                });
                averages
            }

            fn sum_of_squares(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
                let device = tensor.device();
                let sum = square_sum::sum(&Self::values(tensor));
                Self::from_values(vec![sum as f32], [1], &device)
            }
        }
    };
}

#[cfg(feature = "flex")]
implement!(Flex);
#[cfg(feature = "ndarray")]
implement!(NdArray);
