//! What the operations for inference share: their epilogue, and constant weights.

use burn::backend::Dispatch;
use burn::prelude::*;

use crate::cpu::fused::Rectify;
use crate::native::is_native;
use crate::ops::{InferenceBackend, InferencePlan};
use crate::{Activation, Epilogue};

/// Returns the part of an activation that the kernels compute in registers. ELU is a second pass.
pub(crate) fn rectification(activation: Activation) -> Rectify {
    match activation {
        Activation::Relu => Rectify::Relu,
        Activation::Relu6 => Rectify::Relu6,
        Activation::None | Activation::Elu => Rectify::No,
    }
}

/// Runs a plan made with the epilogue's [`rectification`], and the rest of the epilogue.
///
/// # Panics
///
/// If the input or the residual isn't native, or the residual has another shape than the output.
pub(crate) fn infer(plan: InferencePlan, input: Tensor<4>, epilogue: Epilogue) -> Tensor<4> {
    let Epilogue {
        residual,
        activation,
    } = epilogue;
    let fits = |tensor: &Tensor<4>| tensor.dims() == plan.output();
    assert!(
        residual.as_ref().is_none_or(fits),
        "a residual of the output's shape"
    );
    if plan.output()[0] == 0 {
        return Tensor::zeros(plan.output(), &input.device());
    }
    assert!(
        is_native(&input) && residual.as_ref().is_none_or(is_native),
        "tensors of the type and on the backend that the convolution was made for"
    );
    let input = input.into_dispatch();
    let output = Tensor::from_dispatch(match residual {
        None => <Dispatch as InferenceBackend>::infer(input, plan),
        Some(residual) => {
            <Dispatch as InferenceBackend>::infer_and_add(input, residual.into_dispatch(), plan)
        }
    });
    match rectification(activation) {
        Rectify::No => activation.burn(output),
        Rectify::Relu | Rectify::Relu6 => output,
    }
}

/// Returns a tensor without its gradient.
pub(crate) fn constant<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    match tensor.device().is_autodiff() {
        true => tensor.inner(),
        false => tensor,
    }
}

/// Returns the values of a tensor of `f32`, row by row.
pub(crate) fn values<const D: usize>(tensor: &Tensor<D>) -> Option<Vec<f32>> {
    tensor.to_data().try_into_vec().ok()
}
