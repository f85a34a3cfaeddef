//! A step of stochastic gradient descent as an operation.

#[cfg(feature = "flex")]
use burn::backend::Flex;
#[cfg(feature = "ndarray")]
use burn::backend::NdArray;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, TensorMetadata, backend_extension};

use super::host::HostBackend;
use crate::SgdSettings;
use crate::cpu::sgd;

/// Updates parameters and velocities, in place if there are no other references to them.
fn step<B: HostBackend>(
    parameters: FloatTensor<B>,
    gradients: FloatTensor<B>,
    velocities: FloatTensor<B>,
    settings: &SgdSettings,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (device, shape) = (parameters.device(), parameters.shape());
    let [mut parameters, mut velocities] =
        [parameters, velocities].map(|tensor| match B::take_values(tensor) {
            Ok(values) => values,
            Err(tensor) => B::values(tensor).to_vec(),
        });
    let gradients = B::values(gradients);
    sgd::step(settings, &mut parameters, &gradients, &mut velocities);
    (
        B::from_values(parameters, shape.clone(), &device),
        B::from_values(velocities, shape, &device),
    )
}

/// Stochastic gradient descent by this crate's kernel, on the backends that have it.
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"))]
pub trait OptimizerBackend: Backend {
    /// Returns the new parameters and velocities.
    fn sgd_step(
        parameters: FloatTensor<Self>,
        gradients: FloatTensor<Self>,
        velocities: FloatTensor<Self>,
        settings: SgdSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

#[cfg(feature = "flex")]
impl OptimizerBackend for Flex {
    fn sgd_step(
        parameters: FloatTensor<Self>,
        gradients: FloatTensor<Self>,
        velocities: FloatTensor<Self>,
        settings: SgdSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        step::<Self>(parameters, gradients, velocities, &settings)
    }
}

#[cfg(feature = "ndarray")]
impl OptimizerBackend for NdArray {
    fn sgd_step(
        parameters: FloatTensor<Self>,
        gradients: FloatTensor<Self>,
        velocities: FloatTensor<Self>,
        settings: SgdSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        step::<Self>(parameters, gradients, velocities, &settings)
    }
}
