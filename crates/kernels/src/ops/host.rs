//! Backends whose tensors lie in this program's memory.

use std::ops::Deref;

use burn::backend::Backend;
use burn::backend::tensor::{Device, FloatTensor};
use burn::tensor::{Shape, TensorData};

/// A backend whose tensors of `f32` can be read as slices.
pub(crate) trait HostBackend: Backend {
    /// A tensor's values, row by row.
    type Values: Deref<Target = [f32]> + Send + Sync;

    /// Reads a tensor of `f32`; without a copy where it is contiguous.
    fn values(tensor: FloatTensor<Self>) -> Self::Values;

    /// Takes the values out of a tensor of `f32`, to be changed in place, or returns the tensor if there
    /// are other references to it.
    fn take_values(tensor: FloatTensor<Self>) -> Result<Vec<f32>, FloatTensor<Self>> {
        Err(tensor)
    }

    /// Makes a tensor, without a copy.
    fn from_values(
        values: Vec<f32>,
        shape: impl Into<Shape>,
        device: &Device<Self>,
    ) -> FloatTensor<Self> {
        Self::float_from_data(TensorData::new(values, shape), device)
    }
}

#[cfg(feature = "flex")]
mod flex {
    use burn::backend::Flex;

    use super::*;

    /// A contiguous tensor of `f32`.
    pub(crate) struct FlexValues(FloatTensor<Flex>);

    impl Deref for FlexValues {
        type Target = [f32];

        #[expect(clippy::expect_used, reason = "made contiguous where it was made")]
        fn deref(&self) -> &[f32] {
            self.0
                .as_slice()
                .expect("a contiguous tensor of f32 has a slice")
        }
    }

    impl HostBackend for Flex {
        type Values = FlexValues;

        fn values(tensor: FloatTensor<Self>) -> FlexValues {
            FlexValues(tensor.to_contiguous())
        }

        #[expect(clippy::expect_used, reason = "the trait is for tensors of f32")]
        fn take_values(tensor: FloatTensor<Self>) -> Result<Vec<f32>, FloatTensor<Self>> {
            let whole = tensor.bytes().len() == 4 * tensor.layout().num_elements();
            if !(tensor.is_unique() && tensor.is_contiguous() && whole) {
                return Err(tensor);
            }
            let values = tensor.into_data().try_into_vec();
            Ok(values.expect("the caller has seen to it that these are f32"))
        }
    }
}

#[cfg(feature = "ndarray")]
#[allow(deprecated)] // Burn deprecates NdArray; this project still supports it
mod ndarray {
    use burn::backend::NdArray;
    use burn_ndarray::NdArrayTensor;

    use super::*;

    /// A tensor that has a slice, or a copy of one that has none.
    pub(crate) enum NdArrayValues {
        Tensor(NdArrayTensor),
        Copy(Vec<f32>),
    }

    impl Deref for NdArrayValues {
        type Target = [f32];

        #[expect(clippy::expect_used, reason = "checked where it was made")]
        fn deref(&self) -> &[f32] {
            match self {
                Self::Tensor(tensor) => slice(tensor).expect("checked where it was made"),
                Self::Copy(values) => values,
            }
        }
    }

    /// Returns the values of a tensor of `f32` that is contiguous.
    fn slice(tensor: &NdArrayTensor) -> Option<&[f32]> {
        match tensor {
            NdArrayTensor::F32(storage) => storage.view().to_slice(),
            _ => None,
        }
    }

    impl HostBackend for NdArray {
        type Values = NdArrayValues;

        fn values(tensor: FloatTensor<Self>) -> NdArrayValues {
            match (slice(&tensor).is_some(), &tensor) {
                (false, NdArrayTensor::F32(storage)) => {
                    NdArrayValues::Copy(storage.view().iter().copied().collect())
                }
                _ => NdArrayValues::Tensor(tensor),
            }
        }
    }
}
